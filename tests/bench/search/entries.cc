#include "tests/bench/search/entries.h"

#include <zlib.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <functional>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <unordered_map>

namespace gatescope::bench {

namespace {

void each_line(const std::string& path, const std::function<void(std::string_view)>& use) {
  gzFile file = gzopen(path.c_str(), "rb");
  if (file == nullptr) throw std::runtime_error("cannot open " + path);
  std::string line(1 << 20, '\0');
  while (gzgets(file, line.data(), static_cast<int>(line.size())) != nullptr) {
    std::string_view text = line.c_str();
    if (text.ends_with('\n')) text.remove_suffix(1);
    if (!text.starts_with('#')) use(text);
  }
  gzclose(file);
}

std::uint32_t number_at(std::string_view text) {
  std::uint32_t number = 0;
  if (text.size() >= 7) std::from_chars(text.data() + 1, text.data() + 7, number);
  return number;
}

void each_mention(std::string_view text, const std::function<void(std::uint32_t)>& use) {
  for (std::size_t i = 0; i + 7 <= text.size(); ++i) {
    if (text[i] != 'A' || text.substr(i + 1, 6).find_first_not_of("0123456789") != text.npos)
      continue;
    use(number_at(text.substr(i)));
    i += 6;
  }
}

}  // namespace

std::vector<Entry> read_entries(const std::string& names, const std::string& stripped,
                                const std::string& seq) {
  std::vector<Entry> entries;
  std::unordered_map<std::uint32_t, std::size_t> place;
  each_line(names, [&](std::string_view line) {
    const std::uint32_t number = number_at(line);
    place[number] = entries.size();
    Entry entry;
    entry.number = number;
    entry.name = line.substr(8);
    entries.push_back(std::move(entry));
  });
  for (const Entry& entry : entries) {
    each_mention(entry.name, [&](std::uint32_t target) {
      const auto found = place.find(target);
      if (found != place.end() && target != entry.number) ++entries[found->second].refs;
    });
  }
  each_line(stripped, [&](std::string_view line) {
    const auto found = place.find(number_at(line));
    if (found == place.end()) return;
    std::string_view terms = line.substr(8);
    if (terms.starts_with(',')) terms.remove_prefix(1);
    if (terms.ends_with(',')) terms.remove_suffix(1);
    entries[found->second].terms = terms;
  });
  if (seq.empty()) return entries;
  for (const auto& file : std::filesystem::recursive_directory_iterator(seq)) {
    if (file.path().extension() != ".seq") continue;
    const auto found = place.find(number_at(file.path().filename().string()));
    std::ifstream in(file.path());
    for (std::string line; std::getline(in, line);) {
      each_mention(line.substr(std::min<std::size_t>(11, line.size())), [&](std::uint32_t target) {
        const auto mentioned = place.find(target);
        if (mentioned != place.end()) ++entries[mentioned->second].refs;
      });
      if (found == place.end()) continue;
      if (!line.starts_with("%K")) continue;
      std::istringstream words(line.substr(std::min<std::size_t>(11, line.size())));
      for (std::string word; std::getline(words, word, ',');) {
        if (word == "core") entries[found->second].core = true;
        if (word == "nice") entries[found->second].nice = true;
      }
    }
  }
  return entries;
}

void enlarge(std::vector<Entry>& entries, std::size_t count) {
  const std::size_t real = entries.size();
  std::mt19937 random(1);
  std::uint32_t number = 400'000;
  while (entries.size() < count) {
    const Entry& like = entries[random() % real];
    const Entry& other = entries[random() % real];
    Entry made;
    made.number = number++;
    made.refs = static_cast<std::uint32_t>(random() % 3);
    // Half of one name and half of another: as many words, in as many orders.
    made.name =
        like.name.substr(0, like.name.find(' ', like.name.size() / 2)) +
        other.name.substr(std::min(other.name.find(' ', other.name.size() / 2), other.name.size()));
    const auto from = like.terms.find(',', random() % (like.terms.size() / 3 + 1));
    made.terms = std::to_string(random() % 1000) +
                 (from == std::string::npos ? std::string() : like.terms.substr(from));
    entries.push_back(std::move(made));
  }
}

}  // namespace gatescope::bench
