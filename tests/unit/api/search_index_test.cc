#include "api/search_index.h"

#include <string>

#include "tests/support/catch.h"
#include "tests/unit/api/search_entries.h"
#include "tests/unit/api/search_table.h"

namespace gatescope::api {
namespace {

std::shared_ptr<const SearchIndex> index_of(const std::vector<TestEntry>& entries) {
  SearchIndex::Builder builder;
  for (const auto& e : entries)
    builder.add({e.number, e.name, e.terms, e.refs, e.core, e.nice});
  return builder.build(false);
}
const SearchIndex& classic() {
  static const auto index = index_of(search_test_entries());
  return *index;
}
/// "40 45 10"
std::string numbers(const SearchIndex& index, std::string_view term) {
  std::string out;
  for (const auto& found : index.find(term))
    out += (out.empty() ? "" : " ") + std::to_string(found.id.number());
  return out;
}
std::uint32_t first(std::string_view term) {
  const auto found = classic().find(term);
  return found.empty() ? 0 : found[0].id.number();
}

template <class Table>
int expected_first(const Table& table) {
  int right = 0;
  for (const auto& query : table) {
    const bool is_first = first(query.term) == query.number;
    if (!is_first)
      UNSCOPED_INFO("not first: " << query.term << ": " << numbers(classic(), query.term));
    right += is_first ? 1 : 0;
  }
  return right;
}

TEST_CASE("search: the half of the table to tune with") {
  CHECK(expected_first(kTuning) >= 29);
}

// Looked at once, when the ranking was done: 23 of 30 in 155,706 real names whose mentions were not
// known. Here, as it was then.
TEST_CASE("search: the half of the table to judge") {
  CHECK(expected_first(kJudging) >= 29);
}

TEST_CASE("search: each key press of what people type leads there") {
  for (const auto term : {"p", "pr", "pri", "prim", "prime", "primes", "prime n", "prime nu",
                          "prime numbers", "the prime numbers"})
    CHECK(first(term) == 40);
  for (const auto term : {"f", "fi", "fib", "fibo", "fibon", "fibona", "fibonac", "fibonacc",
                          "fibonacci", "fibonacci n", "fibonacci seq", "fibonacci sequence"})
    CHECK(first(term) == 45);
  for (const auto term : {"eul", "euler", "euler to", "euler totient", "Euler's totient function"})
    CHECK(first(term) == 10);
  for (const auto term : {"fibonaci", "fibonnaci", "fibnoacci", "fibobacci n", "fibonaci numbers"})
    CHECK(first(term) == 45);
}

TEST_CASE("search: ids, whole and begun") {
  const auto index = index_of({{.number = 4, .name = "Zero."},
                               {.number = 40, .name = "Forty, not A000045.", .refs = 9},
                               {.number = 45, .name = "Fibonacci, see A000040.", .refs = 99},
                               {.number = 400'000, .name = "Late.", .terms = "1,40,2"},
                               {.number = 400'123, .name = "Later.", .refs = 5}});
  CHECK(numbers(*index, "A000040") == "40 45");  // and who mentions it
  CHECK(numbers(*index, "a000040") == "40 45");
  CHECK(numbers(*index, " a40 ") == "40 400123 400000");
  CHECK(numbers(*index, "40") == "40 400000");  // and whose term it is
  CHECK(numbers(*index, "000040") == "40");
  CHECK(numbers(*index, "A0000") == "45 40 4");
  CHECK(numbers(*index, "A00004") == "45 40");
  CHECK(numbers(*index, "A4001") == "400123");
  CHECK(numbers(*index, "A000041") == "");
  CHECK(numbers(*index, "A9999999") == "");
  CHECK(index->find("A000040")[0].name == "Forty, not A000045.");
}

TEST_CASE("search: the whole last term comes before one that only begins so") {
  const auto index =
      index_of({{.number = 1, .name = "x", .terms = "5,1,2,34", .refs = 100},
                {.number = 2, .name = "y", .terms = "1,-2,3"},
                {.number = 3, .name = "z", .terms = "9,9,9,9,9,9,1,2,3,4", .refs = 1}});
  CHECK(numbers(*index, "1,2,3") == "2 3 1");
  CHECK(numbers(*index, "1, 2, 3,") == "2 3");
  CHECK(numbers(*index, "1 2 34") == "1");
  CHECK(numbers(*index, "2,1") == "");
}

TEST_CASE("search: anything may be typed") {
  for (const auto term : {"", " ", "/", "//", "%", "\xFF\xFE", "(", "'", "&&&", "\t\r\n", "-", "+",
                          ",", "\xF0\x9F\x98\x80"}) {
    INFO(term);
    CHECK(classic().find(term).empty());
  }
  CHECK(first("prime/numbers") == 40);
  CHECK(first("möbius") == 8683);
  CHECK(first("Moebius") == 8683);
  CHECK(first("RECAMÁN") == 5132);
  std::string many;
  for (int i = 0; i < 100; ++i)
    many += "n ";
  CHECK(classic().find(many).size() <= 10);
  CHECK(classic().find(std::string(200, '1')).empty());
  CHECK(classic().find(std::string(200, 'x')).empty());
  CHECK(first("fibonacci qqqqq") == 45);  // nobody has both: better than nothing
}

TEST_CASE("search: a name found by every word of it, in any order") {
  CHECK(first("conjecture goldbach") == 2375);
  CHECK(first("equivalent gray decimal") == 3188);
}

TEST_CASE("search: of two entries with one number the later counts, none at all is fine") {
  const auto index =
      index_of({{.number = 7, .name = "old words"}, {.number = 7, .name = "new words"}});
  CHECK(index->entries() == 1);
  CHECK(numbers(*index, "new") == "7");
  CHECK(numbers(*index, "old") == "");
  const auto empty = index_of({});
  for (const auto term : {"a", "A0", "1,2", "fibonacci numbers", "40"})
    CHECK(empty->find(term).empty());
}

TEST_CASE("search: common words and beginnings, of which bitmaps are kept, find the same") {
  // More entries than a list is collected from at each search
  std::vector<TestEntry> entries;
  for (std::uint32_t i = 1; i <= 35'000; ++i) {
    entries.push_back({.number = i,
                       .name = i % 2 == 0 ? "Common evening" : "Common event",
                       .terms = "1," + std::to_string(i)});
  }
  entries.push_back({.number = 50'000, .name = "Common rarity", .terms = "2"});
  entries.push_back({.number = 50'001, .name = "Even commoner", .terms = "2"});
  const auto index = index_of(entries);
  CHECK(numbers(*index, "common rar") == "50000");
  CHECK(numbers(*index, "common") == "1 2 3 4 5 6 7 8 9 10");
  CHECK(numbers(*index, "event") == "1 3 5 7 9 11 13 15 17 19");
  CHECK(numbers(*index, "common evening") == "2 4 6 8 10 12 14 16 18 20");
  CHECK(numbers(*index, "commoner even") == "50001");
  CHECK(numbers(*index, "1,34999") == "34999");
}

}  // namespace
}  // namespace gatescope::api
