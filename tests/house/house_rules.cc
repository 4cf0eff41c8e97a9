#include "tests/house/house_rules.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <optional>

namespace gatescope::house {
namespace {

constexpr std::size_t kMaxLines = 800;  // past 450 a file is a question, past this a finding
// In two pieces: this file is checked too.
constexpr std::string_view kNotNow =
    "TODO"
    "(now)";

// Catch2 would take a name that begins so for an option, an exclusion, a pattern or a tag, and run
// nothing or something else: under ctest such a test passes without having run.
constexpr std::string_view kNoNameBeginsWith = "-~*[";
// And for CMake, whose lists it separates, such a name is two tests, neither of which exists.
constexpr char kInNoName = ';';

struct Layer {
  std::string_view folder;  // the longest that fits decides
  std::string_view name;
  int level;  // an include goes to a lower level or stays in the same library
};

// A program of its own, because libpari is under the GPL: nobody includes it, and it includes what
// it shares with the server and nothing else.
constexpr std::string_view kProgram = "api/factor/";
constexpr std::string_view kShared = "api/factor_number.h";

constexpr Layer kLayers[] = {
    {"proxy/base/", "base", 0},
    {"conf/", "conf", 1},
    {"proxy/net/", "net", 2},
    {"certs/", "tls", 3},
    {"proxy/http/", "http", 4},
    {"static/", "files", 5},
    {"proxy/upstream/", "upstream", 5},
    {"api/", "api", 5},
    {"certs/acme/", "acme", 5},
    {"proxy/ops/", "ops", 5},
    {"proxy/", "server", 6},
    {"proxy/commands/", "commands", 7},
    {"proxy/main.cc", "main", 8},
    {kProgram, "gatescope-factor", 9},
};

const Layer* layer_of(std::string_view path) {
  const Layer* best = nullptr;
  for (const Layer& layer : kLayers)
    if (path.starts_with(layer.folder) && (!best || layer.folder.size() > best->folder.size()))
      best = &layer;
  return best;
}

struct ForeignLibrary {
  std::string_view header;  // begins with
  std::string_view folder;  // of the only includers
  bool below;               // subfolders too
};

constexpr ForeignLibrary kForeign[] = {
    {"uv.h", "proxy/net/", true},
    {"uv/", "proxy/net/", true},
    {"curl/", "proxy/net/", true},
    {"openssl/", "certs/", true},
    {"llhttp.h", "proxy/http/", true},
    {"nghttp2/", "proxy/http/", true},
    {"zlib.h", "proxy/http/", true},
    {"brotli/", "proxy/http/", true},
    {"zstd", "proxy/http/", true},
    {"pqxx/", "api/", true},
    {"libpq", "api/", true},
    {"gmp", "api/", true},
    {"nlohmann/", "api/", true},
    {"nlohmann/", "certs/acme/", true},
    {"nlohmann/", "proxy/ops/", true},
    {"pari/", "api/factor/", true},
    {"pcre2.h", "conf/", true},
    {"archive", "proxy/ops/", false},
    {"CLI/", "proxy/commands/", false},
    {"systemd/", "proxy/", false},
    {"crypt.h", "certs/", true},
    {"ares", "proxy/net/", true},
};

struct Include {
  std::size_t line;
  std::string name;
  bool quoted;
};

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::string_view without_leading_blanks(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  return text;
}

std::optional<Include> include_of(std::string_view line, std::size_t number) {
  line = without_leading_blanks(line);
  if (!line.starts_with('#')) return std::nullopt;
  line = without_leading_blanks(line.substr(1));
  if (!line.starts_with("include")) return std::nullopt;
  line = without_leading_blanks(line.substr(7));
  if (line.empty() || (line.front() != '"' && line.front() != '<')) return std::nullopt;
  const bool quoted = line.front() == '"';
  const auto end = line.find(quoted ? '"' : '>', 1);
  if (end == std::string_view::npos) return std::nullopt;
  return Include{number, std::string(line.substr(1, end - 1)), quoted};
}

std::vector<Include> includes_of(const SourceFile& file) {
  std::vector<Include> found;
  std::size_t number = 0;
  for (const auto line : lines_of(file.text))
    if (auto include = include_of(line, ++number)) found.push_back(std::move(*include));
  return found;
}

std::string at(const SourceFile& file, std::size_t line, std::string_view what) {
  return file.path + ":" + std::to_string(line) + ": " + std::string(what);
}

bool is_test(std::string_view path) {
  return path.starts_with("tests/");
}

/// What the include breaks; empty: nothing.
std::string verdict(const SourceFile& file, const Include& include) {
  const Layer* from = layer_of(file.path);
  if (file.path.starts_with(kProgram) && !include.name.starts_with(kProgram) &&
      include.name != kShared && !include.name.starts_with("tests/")) {
    return "a program of its own includes \"" + include.name + "\"";
  }
  if (include.name.starts_with("tests/")) return "includes \"" + include.name + "\", a test's file";
  const Layer* to = layer_of(include.name);
  if (!to) return "includes \"" + include.name + "\" not by its path from the top of the tree";
  if (!from || from->name == to->name || from->level > to->level) return "";
  return std::string(from->name) + " includes " +
         (from->level == to->level ? "sideways" : "upwards") + ": \"" + include.name +
         "\" belongs to " + std::string(to->name);
}

bool has_test_name_that_is_not_run(std::string_view line) {
  constexpr std::string_view kMacro = "TEST_CASE(\"";
  return line.starts_with(kMacro) && line.size() > kMacro.size() &&
         kNoNameBeginsWith.find(line[kMacro.size()]) != std::string_view::npos;
}

/// What stands between TEST_CASE( and the line that opens its body; empty: none begins there.
std::string test_signature(const std::vector<std::string_view>& lines, std::size_t at) {
  if (!lines[at].starts_with("TEST_CASE(")) return "";
  std::string signature;
  for (; at < lines.size(); ++at) {
    signature += lines[at];
    if (lines[at].ends_with("{")) break;
  }
  return signature;
}

}  // namespace

std::vector<SourceFile> read_tree(const std::filesystem::path& top) {
  namespace fs = std::filesystem;
  std::vector<SourceFile> files;
  for (const char* folder : {"api", "certs", "conf", "proxy", "static", "tests"}) {
    if (!fs::is_directory(top / folder)) continue;
    for (fs::recursive_directory_iterator at(top / folder), end; at != end; ++at) {
      if (at->is_directory() && at->path().filename() == "node_modules")
        at.disable_recursion_pending();
      const auto extension = at->path().extension();
      if (!at->is_regular_file() || (extension != ".h" && extension != ".cc")) continue;
      std::ifstream in(at->path(), std::ios::binary);
      files.push_back({at->path().lexically_relative(top).generic_string(),
                       std::string(std::istreambuf_iterator<char>(in), {})});
    }
  }
  std::sort(files.begin(), files.end(),
            [](const auto& a, const auto& b) { return a.path < b.path; });
  return files;
}

std::vector<std::string> check_layers(const std::vector<SourceFile>& files) {
  std::vector<std::string> found;
  for (const auto& file : files) {
    if (is_test(file.path)) continue;
    if (!layer_of(file.path)) found.push_back(at(file, 1, "lies in no layer's folder"));
    for (const auto& include : includes_of(file)) {
      if (!include.quoted) continue;
      if (const auto what = verdict(file, include); !what.empty())
        found.push_back(at(file, include.line, what));
    }
  }
  return found;
}

std::vector<std::string> check_foreign_libraries(const std::vector<SourceFile>& files) {
  std::vector<std::string> found;
  for (const auto& file : files) {
    if (is_test(file.path)) continue;  // a test may look at the server with any library's eyes
    for (const auto& include : includes_of(file)) {
      std::string folders;  // where it may be included
      bool inside = layer_of(include.name) != nullptr;
      for (const auto& library : kForeign) {
        if (inside || !include.name.starts_with(library.header)) continue;
        folders += (folders.empty() ? "" : " and ") + std::string(library.folder);
        inside = file.path.starts_with(library.folder) &&
                 (library.below || file.path.find('/', library.folder.size()) == std::string::npos);
      }
      if (!inside && !folders.empty())
        found.push_back(at(file, include.line,
                           "<" + include.name + "> may be included in " + folders + " only"));
    }
  }
  return found;
}

std::vector<std::string> check_text(const std::vector<SourceFile>& files) {
  std::vector<std::string> found;
  for (const auto& file : files) {
    const auto lines = lines_of(file.text);
    if (lines.size() > kMaxLines)
      found.push_back(at(file, lines.size(), std::to_string(lines.size()) + " lines: split it"));
    if (file.path.ends_with(".h") &&
        std::find(lines.begin(), lines.end(), "#pragma once") == lines.end())
      found.push_back(at(file, 1, "no #pragma once"));
    for (std::size_t i = 0; i < lines.size(); ++i) {
      if (lines[i].find('\t') != std::string_view::npos) found.push_back(at(file, i + 1, "a tab"));
      if (has_test_name_that_is_not_run(lines[i]))
        found.push_back(
            at(file, i + 1,
               "a test's name may not begin with any of " + std::string(kNoNameBeginsWith)));
      if (test_signature(lines, i).find(kInNoName) != std::string::npos)
        found.push_back(at(file, i + 1, "a test's name may not hold a semicolon"));
      if (lines[i].find(kNotNow) != std::string_view::npos)
        found.push_back(at(file, i + 1, std::string(kNotNow)));
    }
  }
  return found;
}

}  // namespace gatescope::house
