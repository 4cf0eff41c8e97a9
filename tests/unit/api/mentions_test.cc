#include "api/mentions.h"

#include "tests/support/catch.h"

namespace gatescope::api {
namespace {

TEST_CASE("mentions: what counts as an A-number of another entry") {
  using Numbers = std::vector<std::uint32_t>;
  struct Row {
    const char* text;
    Numbers numbers;
  };
  for (const auto& [text, numbers] : std::vector<Row>{
           {"", {}},
           {"A", {}},
           {"Cf. A000045, A000010, A000045.", {10, 45}},
           {"A059452-A059456", {59452, 59456}},
           {"A048720bi(21,i), A326722_row", {48720, 326722}},
           {"(A000010)A000011AA000012", {10, 11, 12}},
           {"A00045 A0000451 A00004511 a000045", {}},  // five, seven, eight digits; lower case
           {"A12345A000007", {7}},
           {"A000040", {}},
           {"A000000 A999999", {0, 999999}},
           {"A00004", {}},
           {"/A000045/b000046.txt", {45}},
       }) {
    CAPTURE(text);
    CHECK(find_mentions(text, SequenceId(40)) == numbers);
  }
}

}  // namespace
}  // namespace gatescope::api
