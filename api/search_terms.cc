#include "api/search_terms.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "proxy/base/text.h"

namespace gatescope::api {

namespace {

constexpr std::uint8_t kEnd = 0, kComma = 1, kZero = 2;
constexpr std::size_t kKey = 16;         // codes in 64 bits
constexpr std::size_t kMaxCodes = 4096;  // of one entry: OEIS shows 260 characters
constexpr std::uint32_t kMaxPlace = 0xFFFF0000;
constexpr std::size_t kPadding = 16;  // bytes behind the codes that key_at() may read
// One of so many terms: what is found that often is found soon by going through the entries.
constexpr std::size_t kEverywhere = 64;
constexpr std::uint32_t kMaxWalk = 500'000;  // codes
constexpr std::size_t kMaxLooks = 200'000;   // places that one search verifies

std::string_view without_frame(std::string_view text) {
  constexpr std::string_view kOpen = "[{(", kClose = "]})";
  text = trim(text);
  if (!text.empty() && kOpen.find(text.front()) != kOpen.npos) text.remove_prefix(1);
  if (!text.empty() && kClose.find(text.back()) != kClose.npos) text.remove_suffix(1);
  text = trim(text);
  for (const std::string_view dots : {"...", "…"})
    if (text.ends_with(dots)) text.remove_suffix(dots.size());
  return text;
}

}  // namespace

std::optional<TermRun> parse_terms(std::string_view text) {
  TermRun run;
  std::size_t terms = 0;
  bool in_term = false, sign = false;
  text = without_frame(text);
  while (!text.empty()) {
    const char c = text.front();
    if (is_digit(c)) {
      if (!in_term && terms++ > 0) run.codes.push_back(kComma);
      in_term = true;
      sign = false;
      run.codes.push_back(static_cast<std::uint8_t>(kZero + (c - '0')));
    } else if (c == '-' || c == '+' || text.starts_with("−")) {
      if (in_term || sign) return std::nullopt;
      sign = true;
      if (c != '-' && c != '+') text.remove_prefix(2);
    } else if (c == ',' || c == ';' || c == ' ' || c == '\t') {
      if (sign) return std::nullopt;
      in_term = false;
    } else {
      return std::nullopt;
    }
    text.remove_prefix(1);
  }
  if (terms == 0 || sign) return std::nullopt;
  run.ended = !in_term;
  run.single = terms == 1;
  return run;
}

void TermIndex::push(std::uint8_t code) {
  if (count_ % 2 == 0)
    codes_.push_back(static_cast<std::uint8_t>(code << 4));
  else
    codes_.back() |= code;
  ++count_;
}

void TermIndex::add(std::string_view terms) {
  starts_.push_back(count_);
  if (count_ > kMaxPlace - kMaxCodes - 2) return;  // two billion digits: cannot be
  bool in_term = false;
  const std::uint32_t limit = count_ + kMaxCodes;
  for (const char c : terms) {
    if (is_digit(c)) {
      in_term = true;
      if (count_ < limit) push(static_cast<std::uint8_t>(kZero + (c - '0')));
    } else if (c == ',') {
      if (in_term) push(kComma);
      in_term = false;
      if (count_ >= limit) break;
    } else if (c != '-' && c != '+' && c != ' ') {
      break;
    }
  }
  if (in_term) push(kComma);
  push(kEnd);
}

void TermIndex::add(const TermIndex& other, std::uint32_t entry) {
  starts_.push_back(count_);
  const std::uint32_t end =
      entry + 1 < other.starts_.size() ? other.starts_[entry + 1] : other.count_;
  for (std::uint32_t place = other.starts_[entry]; place < end; ++place)
    push(other.code_at(place));
}

void TermIndex::reserve_as(const TermIndex& other) {
  codes_.reserve(other.codes_.size() + kPadding);
  starts_.reserve(other.starts_.size() + 1);
}

/// The 16 codes from there, the first one highest.
std::uint64_t TermIndex::key_at(std::uint32_t place) const {
  std::uint64_t word;
  std::memcpy(&word, codes_.data() + place / 2, sizeof word);
  if constexpr (std::endian::native == std::endian::little) word = __builtin_bswap64(word);
  if (place % 2 != 0) word = word << 4 | codes_[place / 2 + 8] >> 4;
  return word;
}

void TermIndex::build(const std::atomic<bool>& stop) {
  starts_.push_back(count_);
  codes_.insert(codes_.end(), kPadding, 0);
  codes_.shrink_to_fit();
  starts_.shrink_to_fit();
  // Distributed by four codes, then each heap sorted by itself: what is compared lies together.
  std::vector<std::uint32_t> ends((1u << 16) + 1, 0);
  const auto each_term = [this](const auto& use) {
    bool before = true;  // a comma or an end
    for (std::uint32_t place = 0; place < count_; ++place) {
      const std::uint8_t code = code_at(place);
      if (before && code >= kZero) use(place);
      before = code < kZero;
    }
  };
  each_term([&](std::uint32_t place) { ++ends[(key_at(place) >> 48) + 1]; });
  for (std::size_t i = 1; i < ends.size(); ++i)
    ends[i] += ends[i - 1];
  places_.resize(ends.back());
  auto next = ends;
  each_term([&](std::uint32_t place) { places_[next[key_at(place) >> 48]++] = place; });
  std::vector<std::pair<std::uint64_t, std::uint32_t>> heap;
  for (std::size_t i = 0; i + 1 < ends.size() && !stop; ++i) {
    heap.clear();
    for (std::uint32_t k = ends[i]; k < ends[i + 1]; ++k)
      heap.emplace_back(key_at(places_[k]), places_[k]);
    std::sort(heap.begin(), heap.end());
    for (std::size_t k = 0; k < heap.size(); ++k)
      places_[ends[i] + k] = heap[k].second;
  }
}

/// The places whose next codes are these, at most 16.
TermIndex::Range TermIndex::range_of(const std::uint8_t* codes, std::size_t count) const {
  std::uint64_t low = 0;
  for (std::size_t i = 0; i < kKey; ++i)
    low = low << 4 | (i < count ? codes[i] : 0);
  const std::uint64_t high = count == kKey ? low : low | (~std::uint64_t{0} >> (4 * count));
  const auto key_of = [this](std::uint32_t place) { return key_at(place); };
  const auto begin = std::ranges::lower_bound(places_, low, {}, key_of);
  const auto end = std::ranges::upper_bound(begin, places_.end(), high, {}, key_of);
  return {static_cast<std::size_t>(begin - places_.begin()),
          static_cast<std::size_t>(end - places_.begin())};
}

bool TermIndex::stands_at(std::uint32_t place, const std::vector<std::uint8_t>& codes) const {
  if (place >= count_ || count_ - place < codes.size()) return false;
  if (place > 0 && code_at(place - 1) >= kZero) return false;
  for (std::size_t i = 0; i < codes.size(); ++i)
    if (code_at(place + static_cast<std::uint32_t>(i)) != codes[i]) return false;
  return true;
}

/// `entry`: of a place not behind this one.
TermIndex::Place TermIndex::place_of(std::uint32_t place, std::size_t& entry) const {
  const auto after = std::upper_bound(starts_.begin() + static_cast<std::ptrdiff_t>(entry),
                                      starts_.end() - 1, place);
  entry = static_cast<std::size_t>(after - starts_.begin()) - 1;
  std::uint32_t term = 0;
  for (std::uint32_t p = starts_[entry]; p < place && term < 5; ++p)
    if (code_at(p) == kComma) ++term;
  return {static_cast<std::uint32_t>(entry), term};
}

/// The first entries, as they come; fewer than wanted if they do not come soon.
std::vector<TermIndex::Place> TermIndex::find_everywhere(const std::vector<std::uint8_t>& codes,
                                                         std::size_t wanted) const {
  std::vector<Place> out;
  std::size_t entry = 0;
  for (std::uint32_t place = 0; place < std::min(count_, kMaxWalk) && out.size() < wanted;
       ++place) {
    if (code_at(place) != codes[0] || !stands_at(place, codes)) continue;
    out.push_back(place_of(place, entry));
    place = starts_[entry + 1] - 1;
  }
  return out;
}

std::vector<TermIndex::Place> TermIndex::find(const TermRun& run, bool whole,
                                              std::size_t wanted) const {
  auto codes = run.codes;
  if (whole || run.ended) codes.push_back(kComma);
  // The rarest of its parts: what begins with a common one may hold another that is not.
  Range range = range_of(codes.data(), std::min(codes.size(), kKey));
  std::uint32_t shift = 0;
  for (std::size_t i = 1; i + kKey <= codes.size() && range.size() > wanted; ++i) {
    if (codes[i - 1] != kComma) continue;
    if (const Range other = range_of(codes.data() + i, kKey); other.size() < range.size()) {
      range = other;
      shift = static_cast<std::uint32_t>(i);
    }
  }
  const bool certain = codes.size() <= kKey;
  if (certain && range.size() > places_.size() / kEverywhere) {
    auto soon = find_everywhere(codes, wanted);
    if (soon.size() >= wanted) return soon;
  }
  // Entries come in the order of their places: only those before `limit` are looked at, and
  // that is moved until there are enough.
  std::vector<std::uint32_t> found;
  std::vector<Place> out;
  const auto target = static_cast<double>(2 * wanted);
  double share = target / static_cast<double>(range.size() + 1);
  std::uint32_t from = 0;
  std::size_t looks = 0;
  std::size_t entry = 0;
  for (;;) {
    const std::uint32_t limit =
        share >= 1 ? count_ : static_cast<std::uint32_t>(share * static_cast<double>(count_));
    found.clear();
    for (std::size_t k = range.begin; k < range.end; ++k) {
      const std::uint32_t place = places_[k];
      if (place < from || place >= limit) continue;
      if (certain) {
        found.push_back(place);
      } else {
        if (++looks > kMaxLooks) break;
        if (place >= shift && stands_at(place - shift, codes)) found.push_back(place - shift);
      }
    }
    std::sort(found.begin(), found.end());
    for (const std::uint32_t place : found) {
      const Place p = place_of(place, entry);
      if (out.empty() || out.back().entry != p.entry) out.push_back(p);
    }
    if (out.size() >= wanted || limit >= count_ || looks > kMaxLooks) return out;
    from = limit;
    share *= 8;
  }
}

std::size_t TermIndex::bytes() const {
  return codes_.capacity() + 4 * (starts_.capacity() + places_.capacity());
}

}  // namespace gatescope::api
