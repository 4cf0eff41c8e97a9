#include "api/search_index.h"

#include <algorithm>
#include <utility>

#include "api/search_aliases.h"
#include "api/search_best.h"
#include "api/search_ranking.h"

namespace gatescope::api {

namespace {

constexpr std::uint32_t kNoEntry = ~0u;
constexpr std::size_t kMaxName = 4096;  // the rest is not searched nor shown
constexpr std::size_t kBlock = 1 << 20;

float standing_of(const SearchEntry& entry) {
  return standing(entry.number, entry.refs, entry.core, entry.nice, entry.dead);
}
// Runs: so many first entries that have it are compared by where it begins.
constexpr std::size_t kRunsCompared = 400;

}  // namespace

void SearchIndex::Builder::add(const SearchEntry& entry) {
  const auto name = entry.name.substr(0, kMaxName);
  if (names_.empty() || names_.back().size() + name.size() > kBlock)
    names_.emplace_back().reserve(kBlock);
  entries_.push_back({entry.number, standing_of(entry), static_cast<std::uint32_t>(entries_.size()),
                      static_cast<std::uint32_t>(names_.size() - 1),
                      static_cast<std::uint32_t>(names_.back().size()),
                      static_cast<std::uint32_t>(name.size())});
  names_.back() += name;
  terms_.add(entry.terms);
}

std::shared_ptr<const SearchIndex> SearchIndex::Builder::build(const std::atomic<bool>& stop) {
  std::stable_sort(entries_.begin(), entries_.end(),
                   [](const Entry& a, const Entry& b) { return a.number < b.number; });
  // Of equal ones the last
  const auto kept =
      std::unique(entries_.rbegin(), entries_.rend(),
                  [](const Entry& a, const Entry& b) { return a.number == b.number; });
  entries_.erase(entries_.begin(), kept.base());
  std::stable_sort(entries_.begin(), entries_.end(),
                   [](const Entry& a, const Entry& b) { return a.standing > b.standing; });

  std::shared_ptr<SearchIndex> index(new SearchIndex);
  const std::size_t count = entries_.size();
  index->numbers_.reserve(count);
  index->standings_.reserve(count);
  index->name_ends_.reserve(count);
  std::size_t names = 0;
  for (const Entry& entry : entries_)
    names += entry.name_size;
  index->names_.reserve(names);
  index->terms_.reserve_as(terms_);
  for (const Entry& entry : entries_) {
    if (stop) return nullptr;
    const auto name = name_of(entry);
    if (entry.number >= index->entry_of_.size())
      index->entry_of_.resize(entry.number + 1, kNoEntry);
    index->entry_of_[entry.number] = static_cast<std::uint32_t>(index->numbers_.size());
    index->numbers_.push_back(entry.number);
    index->standings_.push_back(entry.standing);
    index->names_ += name;
    index->name_ends_.push_back(static_cast<std::uint32_t>(index->names_.size()));
    index->words_.add(name, aliases_of(entry.number));
    index->terms_.add(terms_, entry.arrived);
  }
  entries_ = {};
  names_ = {};
  terms_ = {};
  index->words_.build();
  if (stop) return nullptr;
  index->terms_.build(stop);
  if (stop) return nullptr;
  return index;
}

std::string_view SearchIndex::name(std::uint32_t entry) const {
  const std::uint32_t begin = entry == 0 ? 0 : name_ends_[entry - 1];
  return std::string_view(names_).substr(begin, name_ends_[entry] - begin);
}

std::vector<FoundSequence> SearchIndex::find(std::string_view term) const {
  const SearchQuery query = SearchQuery::parse(term);
  std::vector<std::uint32_t> found;
  find_ids(query.ids, found);
  if (query.run && found.size() < kMost) find_run(*query.run, found);
  if (!query.words.empty() && found.size() < kMost) find_words(query.words, found);
  found.resize(std::min(found.size(), kMost));
  std::vector<FoundSequence> out;
  out.reserve(found.size());
  for (const std::uint32_t entry : found)
    out.push_back({SequenceId(numbers_[entry]), std::string(name(entry))});
  return out;
}

void SearchIndex::find_ids(const SearchQuery::Ids& ids, std::vector<std::uint32_t>& found) const {
  const auto entry_of = [this](std::uint32_t number) {
    return number < entry_of_.size() ? entry_of_[number] : kNoEntry;
  };
  if (ids.exact && entry_of(*ids.exact) != kNoEntry) found.push_back(entry_of(*ids.exact));
  BestEntries best(kMost);
  const std::uint32_t end = std::min<std::uint32_t>(ids.last + 1, entry_of_.size());
  for (std::uint32_t number = ids.first; number < end; ++number)
    if (const std::uint32_t entry = entry_of_[number]; entry != kNoEntry)
      best.offer(entry, standings_[entry]);
  best.append_to(found);
}

void SearchIndex::find_run(const TermRun& run, std::vector<std::uint32_t>& found) const {
  for (const bool whole : {true, false}) {
    if (!whole && (run.ended || found.size() >= kMost)) break;
    BestEntries best(kMost);
    for (const auto& place : terms_.find(run, whole, kRunsCompared)) {
      if (standings_[place.entry] + kBestRunFit <= best.worst()) break;
      best.offer(place.entry, standings_[place.entry] + fit_of_run(place.term));
    }
    best.append_to(found);
  }
}

std::size_t SearchIndex::bytes() const {
  return names_.capacity() + words_.bytes() + terms_.bytes() +
         4 * (numbers_.capacity() + standings_.capacity() + name_ends_.capacity() +
              entry_of_.capacity());
}

}  // namespace gatescope::api
