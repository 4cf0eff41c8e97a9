#include "api/oeis_record.h"

#include <string>

#include "tests/support/catch.h"

namespace gatescope::api {
namespace {

TEST_CASE("a search answer in the forms that it has had") {
  const std::string primes =
      R"({"number":40,"name":"The primes.","xref":["Cf. A1.","Also \u003cA2\u003e."]})";
  const std::string other = R"({"number":400001,"name":"Other."})";
  for (const std::string& json :
       {"[" + primes + "," + other + "]",
        R"({"greeting":"x","count":2,"start":0,"results":[)" + primes + "," + other + "]}"}) {
    const auto found = parse_search(json);
    REQUIRE(found);
    REQUIRE(found->size() == 2);
    CHECK((*found)[0].id == SequenceId(40));
    CHECK((*found)[0].name == "The primes.");
    CHECK((*found)[0].xrefs == "Cf. A1.\nAlso <A2>.");
    CHECK((*found)[1].id == SequenceId(400001));
    CHECK((*found)[1].xrefs.empty());
  }
  for (const char* nothing : {"null", "[]", " null\n", R"({"count":0,"results":null})",
                              R"({"count":4711,"results":null})"}) {
    const auto found = parse_search(nothing);
    REQUIRE(found);
    CHECK(found->empty());
  }
  // Not "no results": these are failures.
  for (const char* wrong : {"", "<b>Could not parse search query: empty query</b>", "{}", "7",
                            R"({"results":7})", "[{"}) {
    const auto found = parse_search(wrong);
    REQUIRE(!found);
    CHECK(found.error().kind == ErrorKind::Invalid);
  }
  CHECK(parse_search(R"([7,{"number":-1,"name":"x"},{"number":1000000,"name":"x"},{"number":1}])")
            ->empty());
}

TEST_CASE("the name in the forms that a search answer has had") {
  const SequenceId id(40);
  const std::string record = R"({"number":40,"name":"The primes \u221e.","data":"2,3"})";
  const std::string other = R"({"number":41,"name":"Other."})";
  CHECK(name_in_search(id, "[" + other + "," + record + "]") == "The primes \xE2\x88\x9E.");
  CHECK(name_in_search(id, R"({"count":1,"results":[)" + record + "]}") ==
        "The primes \xE2\x88\x9E.");
  CHECK(name_in_search(id, record) == "The primes \xE2\x88\x9E.");
  for (const std::string& json :
       {std::string("null"), std::string("[]"), std::string(R"({"count":99,"results":null})"),
        std::string("{}"), "[" + other + "]", std::string("<html>"), std::string(),
        std::string(R"([{"number":"40","name":"x"},{"number":40},7,null,{"number":40,"name":""}])"),
        std::string(100'000, '[')}) {
    CHECK(!name_in_search(id, json));
  }
}

}  // namespace
}  // namespace gatescope::api
