#include "api/search_terms.h"

#include <algorithm>
#include <random>
#include <string>

#include "proxy/base/text.h"
#include "tests/support/catch.h"

namespace gatescope::api {
namespace {

std::string shown(std::string_view typed) {
  const auto run = parse_terms(typed);
  if (!run) return "none";
  std::string out;
  for (const auto code : run->codes)
    out += code == 1 ? ',' : static_cast<char>('0' + code - 2);
  return out + (run->ended ? "|" : "") + (run->single ? " single" : "");
}

TEST_CASE("search: runs of terms as people type them") {
  CHECK(shown("1,1,2") == "1,1,2");
  CHECK(shown(" 1 1\t2 ") == "1,1,2");  // blanks at the ends mean nothing
  CHECK(shown("1, -1, +2,") == "1,1,2|");
  CHECK(shown("[1;2, 3]") == "1,2,3");
  CHECK(shown("{0,1,...") == "0,1|");
  CHECK(shown("1,2,3…") == "1,2,3");
  CHECK(shown("−1,−2") == "1,2");
  CHECK(shown("40") == "40 single");
  CHECK(shown("007") == "007 single");
  for (const auto typed :
       {"", " ", ",", "a", "1,a", "-", "1,-", "1-2", "--1", "2n", "1.5", "...", "1,2)x", "A40"}) {
    INFO(typed);
    CHECK(shown(typed) == "none");
  }
}

/// What find() must find, the slow way; empty terms are no entries' fault.
std::vector<std::uint32_t> expected(const std::vector<std::string>& entries, std::string_view run,
                                    bool whole) {
  std::vector<std::uint32_t> found;
  const std::string wanted = "," + std::string(run) + (whole ? "," : "");
  for (std::uint32_t i = 0; i < entries.size(); ++i) {
    std::string text = "," + entries[i] + ",";
    std::erase(text, '-');
    if (text.find(wanted) != std::string::npos) found.push_back(i);
  }
  return found;
}

std::vector<std::uint32_t> entries_of(const std::vector<TermIndex::Place>& places) {
  std::vector<std::uint32_t> out;
  for (const auto& place : places)
    out.push_back(place.entry);
  return out;
}

TEST_CASE("search: every run is found where it is, and nowhere else") {
  std::mt19937 random(5);
  std::vector<std::string> entries;
  TermIndex index;
  for (int i = 0; i < 600; ++i) {
    std::string terms;
    const auto range = 1 + random() % (i % 7 == 0 ? 1'000'000'000 : 12);
    for (unsigned k = random() % 30; k > 0; --k)
      terms +=
          (random() % 3 == 0 ? "-" : "") + std::to_string(random() % range) + (k > 1 ? "," : "");
    entries.push_back(terms);
    index.add(terms);
  }
  index.build(false);
  std::size_t hits = 0;
  for (int i = 0; i < 400; ++i) {
    const std::string& from = entries[random() % entries.size()];
    std::string run = from.substr(std::min<std::size_t>(from.size(), random() % 40), random() % 50);
    std::erase(run, '-');
    while (run.starts_with(','))
      run.erase(0, 1);
    while (run.ends_with(','))
      run.pop_back();
    if (run.empty()) continue;
    for (const bool whole : {true, false}) {
      INFO(run << whole);
      const auto found = index.find(*parse_terms(run), whole, 1'000'000);
      const auto wanted = expected(entries, run, whole);
      REQUIRE(entries_of(found) == wanted);
      hits += wanted.size();
      // Few: the first of them
      auto first = entries_of(index.find(*parse_terms(run), whole, 5));
      REQUIRE(first.size() >= std::min<std::size_t>(5, wanted.size()));
      REQUIRE(std::equal(first.begin(), first.end(), wanted.begin()));
    }
  }
  CHECK(hits > 1000);
}

TEST_CASE("search: a run's place in its entry, and a comma that ends it") {
  TermIndex index;
  index.add("1,2,3,4,5,6,7,8");
  index.add("");
  index.add("9,1,2,31");
  index.add("garbage");
  index.build(false);
  const auto all = index.find(*parse_terms("1,2,3"), false, 10);
  REQUIRE(all.size() == 2);
  CHECK(all[0].term == 0);
  CHECK(all[1].entry == 2);
  CHECK(all[1].term == 1);
  CHECK(index.find(*parse_terms("1,2,3"), true, 10).size() == 1);
  CHECK(index.find(*parse_terms("1,2,3,"), false, 10).size() == 1);
  CHECK(index.find(*parse_terms("8"), true, 10)[0].term == 5);  // or more
  CHECK(index.find(*parse_terms("8,9"), false, 10).empty());    // not over the end
}

TEST_CASE("search: long runs that begin like everything are told apart") {
  TermIndex index;
  std::string zeros = "0";
  for (int i = 0; i < 60; ++i)
    zeros += ",0";
  for (int i = 0; i < 500; ++i)
    index.add(zeros);
  index.add(zeros + ",7," + zeros + ",8,3");
  index.build(false);
  CHECK(index.find(*parse_terms(zeros + ",7"), true, 10).size() == 1);
  CHECK(index.find(*parse_terms("0,0,0,0,0,0,0,0,0,0,0,8,3"), true, 10).at(0).entry == 500);
  CHECK(index.find(*parse_terms("0,0,0,0,0,0,0,0,0,0,0,0,4"), true, 10).empty());
  CHECK(index.find(*parse_terms("0,0,0,0,0,0,0,0,0,0,0,0,0"), true, 10).size() >= 10);
}

}  // namespace
}  // namespace gatescope::api
