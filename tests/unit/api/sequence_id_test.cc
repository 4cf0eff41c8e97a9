#include "api/sequence_id.h"

#include "tests/support/catch.h"

using namespace gatescope::api;

TEST_CASE("ids are an A and six digits, a small a is taken for it") {
  CHECK(SequenceId::parse("A000040")->text() == "A000040");
  CHECK(SequenceId::parse("a000040")->text() == "A000040");
  CHECK(SequenceId::parse("A999999")->number() == SequenceId::kLargest);
  CHECK(SequenceId::parse("A000000")->digits() == "000000");
  for (const char* text : {"", "A40", "A0000040", "B000040", "A00004x", "A+00040", "A 00040",
                           "A00004\xD9", "A0004\xD9\xA0", "0000040", "AA00040"}) {
    INFO(text);
    CHECK(!SequenceId::parse(text));
  }
}

TEST_CASE("what is no id is refused in the old service's words") {
  const struct {
    const char *text, *refusal;
  } kCases[] = {
      {"A40", "Error: ID A40 is not 7 characters long"},
      {"", "Error: ID  is not 7 characters long"},
      {"A0000040", "Error: ID A0000040 is not 7 characters long"},
      {"B000040", "Error: ID B000040 not of form Annnnnn"},
      {"b000040", "Error: Neither b000040 nor B000040 of form Annnnnn"},
      {"a00004x", "Error: Neither a00004x nor A00004x of form Annnnnn"},
      {"1000040", "Error: ID 1000040 not of form Annnnnn"},
      // Characters are counted, not bytes
      {"A00004\xC3\xA9", "Error: ID A00004\xC3\xA9 not of form Annnnnn"},
      // ... and what is not UTF-8 does not get into a text that says it is
      {"A00004\xFF", "Error: ID A00004\xEF\xBF\xBD not of form Annnnnn"},
  };
  for (const auto& c : kCases)
    CHECK(refusal_of_id(c.text) == c.refusal);
}

TEST_CASE("the placeholder is the old service's") {
  CHECK(placeholder_name(SequenceId(40)) == "A000040 [name not yet loaded]");
}
