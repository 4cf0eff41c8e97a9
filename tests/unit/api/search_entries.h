#pragma once

// What the table of search_table.h is searched in: the entries that are expected, some that stand
// in their way in reality, and made-up ones that use the same words.
//
// Names (some shortened) and first terms of kRealEntries are from The On-Line Encyclopedia of
// Integer Sequences, https://oeis.org, (c) The OEIS Foundation Inc., licence CC BY-SA 4.0. `refs`,
// how many entries mention this one, are orders of magnitude only. Numbers above 900,000 are made
// up.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gatescope::api {

struct TestEntry {
  std::uint32_t number;
  std::string name;
  std::string terms;
  std::uint32_t refs = 0;
  bool core = false;
  bool nice = false;
};

/// All of it, in no order that helps.
std::vector<TestEntry> search_test_entries();

}  // namespace gatescope::api
