#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace gatescope::api {

/// Runs of terms that a user types: "1,1,2,3", "1 1 2 3", in brackets, with dots at the end, any
/// signs. As the digits and commas that they are searched by: "1,1,2,3".
struct TermRun {
  std::vector<std::uint8_t> codes;  // digits are 2 to 11, a comma is 1; none at the end
  bool ended = false;               // a comma stood behind the last term: it is whole
  bool single = false;              // one number only
};
/// nullopt: it is no such thing.
std::optional<TermRun> parse_terms(std::string_view text);

/// Where runs of terms are: the places of all terms, sorted by what the sequence goes on with from
/// there. Entries are numbered by the order in which they are added. Immutable once built;
/// thread-safe then. About 9 bytes a term.
class TermIndex {
 public:
  struct Place {
    std::uint32_t entry;
    std::uint32_t term;  // of the entry where the run begins; 5 stands for more, too
  };

  /// "1,-1,2"; what is no digit, sign or comma ends the list. Very long lists are cut.
  void add(std::string_view terms);
  /// The same of an entry that another index has, which need not be built.
  void add(const TermIndex& other, std::uint32_t entry);
  /// Before the first add(): as much as the other one has will come.
  void reserve_as(const TermIndex& other);
  /// After the last add(). Not usable if `stop` became true.
  void build(const std::atomic<bool>& stop);
  /// Where the run is, each entry once, at least `wanted` first entries if there are so many, in
  /// their order. `whole`: its last term is a whole one, not the beginning of one. Takes a bounded
  /// time: a run that is everywhere and hardly ever goes on as asked may be missed further behind.
  std::vector<Place> find(const TermRun& run, bool whole, std::size_t wanted) const;
  std::size_t terms() const { return places_.size(); }
  std::size_t bytes() const;

 private:
  struct Range {
    std::size_t begin, end;  // of places_
    std::size_t size() const { return end - begin; }
  };
  std::uint64_t key_at(std::uint32_t place) const;
  std::uint8_t code_at(std::uint32_t place) const {
    return (codes_[place / 2] >> (place % 2 == 0 ? 4 : 0)) & 15;
  }
  void push(std::uint8_t code);
  Range range_of(const std::uint8_t* codes, std::size_t count) const;
  std::vector<Place> find_everywhere(const std::vector<std::uint8_t>& codes,
                                     std::size_t wanted) const;
  bool stands_at(std::uint32_t place, const std::vector<std::uint8_t>& codes) const;
  Place place_of(std::uint32_t place, std::size_t& entry) const;

  std::vector<std::uint8_t> codes_;    // two a byte, the first one in the high bits
  std::uint32_t count_ = 0;            // of codes
  std::vector<std::uint32_t> starts_;  // of each entry, and the end
  std::vector<std::uint32_t> places_;  // of all terms, sorted by the 16 codes from there
};

}  // namespace gatescope::api
