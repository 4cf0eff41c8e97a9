#include "tests/unit/api/search_table.h"

#include <algorithm>
#include <set>
#include <string>

#include "tests/support/catch.h"
#include "tests/unit/api/search_entries.h"

namespace gatescope::api {
namespace {

TEST_CASE("search table: 60 different queries, and every expected entry is there to be found") {
  const auto entries = search_test_entries();
  std::set<std::string_view> terms;
  for (const auto* half : {&kTuning, &kJudging}) {
    for (const auto& query : *half) {
      INFO(query.term);
      CHECK(terms.insert(query.term).second);
      CHECK(std::any_of(entries.begin(), entries.end(),
                        [&](const TestEntry& e) { return e.number == query.number; }));
    }
  }
  CHECK(terms.size() == 60);
}

}  // namespace
}  // namespace gatescope::api
