#include "api/factor_sequence.h"

#include "tests/support/catch.h"
#include "tests/unit/api/factor_world.h"

using namespace gatescope;
using namespace gatescope::api;

namespace {

FactorSequence sequence_of(const std::vector<std::string>& numbers,
                           std::shared_ptr<const Terms> stored = nullptr) {
  return FactorSequence({SequenceId(45), shared_terms(numbers), std::move(stored)});
}

const std::string kLimit(kLargestFactored);

}  // namespace

TEST_CASE("what is stored is known, no_fac_yet is open, and a prefix is continued") {
  auto s = sequence_of({"4", "6", "8", "9"}, shared_terms({"[2,2]", "no_fac_yet", "no_fac"}));
  CHECK(!s.has_news());
  CHECK(s.settled_until() == 1);
  CHECK(shown(*s.factors()) == "[2,2] | no_fac_yet | no_fac | no_fac_yet");
  CHECK(s.take_quick(4) == 1U);
  CHECK(s.take_quick(4) == 3U);
  CHECK(!s.take_quick(4));
  s.settle(3, "[3,2]");
  CHECK(s.settled_until() == 1);
  s.settle(1, "[2,1;3,1]");
  CHECK(s.settled_until() == 4);
  CHECK(s.complete());
  CHECK(s.has_news());
  CHECK(shown(*s.factors()) == "[2,2] | [2,1;3,1] | no_fac | [3,2]");
}

TEST_CASE("above 2^512 nothing is factored, up to it everything is") {
  auto above = kLimit;
  above.back() = '7';
  auto s = sequence_of({kLimit, "-" + kLimit, above, "-" + above, "1" + kLimit, "000" + kLimit});
  CHECK(s.has_news());
  CHECK(shown(*s.factors()) == "no_fac_yet | no_fac_yet | no_fac | no_fac | no_fac | no_fac_yet");
}

TEST_CASE("quick numbers come in order, hard ones by size and in passes") {
  auto s = sequence_of({long_number(60), "10", long_number(45), long_number(30), "-7",
                        long_number(41), long_number(25)});
  CHECK(s.take_quick(7) == 1U);
  CHECK(s.take_quick(7) == 4U);
  CHECK(s.take_quick(7) == 6U);
  CHECK(s.take_quick(7) == 3U);
  CHECK(!s.take_quick(7));
  CHECK(s.take_hard(7, 0) == 5U);
  CHECK(s.take_hard(7, 0) == 2U);
  s.put_off(5);
  CHECK(s.take_hard(7, 0) == 0U);
  CHECK(!s.take_hard(7, 0));
  CHECK(s.take_hard(7, 1) == 5U);
  s.put_back(0);
  CHECK(s.take_hard(7, 0) == 0U);
  s.put_off(5);
  CHECK(!s.take_hard(7, 1));
  CHECK(s.take_hard(7, 2) == 5U);
  s.put_off(5);  // out of passes
  CHECK(!s.take_hard(7, 2));
  for (const std::uint32_t i : {0U, 1U, 2U, 3U, 4U, 6U})
    s.settle(i, "[x]");
  CHECK(s.finished());
  CHECK(!s.complete());
}

TEST_CASE("only the terms before a limit are taken") {
  auto s = sequence_of({"2", long_number(50), "4", long_number(45), "6"});
  CHECK(s.take_quick(1) == 0U);
  CHECK(!s.take_quick(2));
  CHECK(!s.take_hard(1, 0));
  CHECK(s.take_hard(2, 0) == 1U);
  CHECK(s.take_quick(3) == 2U);
  CHECK(s.take_quick(5) == 4U);
  CHECK(s.take_hard(5, 0) == 3U);
}

TEST_CASE("the same answer is one object until something is new") {
  auto s = sequence_of({"2", "3"});
  const auto before = s.factors();
  CHECK(s.factors() == before);
  CHECK(s.take_quick(2) == 0U);
  s.settle(0, "[2,1]");
  CHECK(s.factors() != before);
  CHECK(shown(*before) == "no_fac_yet | no_fac_yet");
}
