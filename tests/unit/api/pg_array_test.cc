#include "api/pg_array.h"

#include "tests/support/catch.h"

using namespace gatescope::api;

TEST_CASE("arrays as PostgreSQL writes them") {
  const auto terms = parse_pg_array(R"({2,-3,"a,b","say \"x\"","back\\slash","NULL","",5})");
  REQUIRE(terms);
  REQUIRE(terms->size() == 8);
  CHECK((*terms)[1] == "-3");
  CHECK((*terms)[2] == "a,b");
  CHECK((*terms)[3] == "say \"x\"");
  CHECK((*terms)[4] == "back\\slash");
  CHECK((*terms)[5] == "NULL");
  CHECK((*terms)[6].empty());
  CHECK(parse_pg_array(format_pg_array(*terms)) == terms);
  CHECK(parse_pg_array("{}")->empty());
  CHECK(parse_pg_array("[0:1]={7,8}")->size() == 2);
}

TEST_CASE("lists with nulls, nested and broken ones are none") {
  for (const char* text : {"", "{", "2,3", "{NULL}", "{1,null,2}", "{1,,2}", "{1,}", "{{1},{2}}",
                           R"({"a})", R"({"a"b})", "[0:1]{1}"}) {
    INFO(text);
    CHECK(!parse_pg_array(text));
  }
}
