#include "proxy/http/header.h"

#include "proxy/http/message.h"
#include "tests/support/catch.h"

using namespace gatescope::http;

namespace {
std::string fields_of(const HeaderList& list) {
  std::string text;
  for (const auto& [name, value] : list)
    text += std::string(name) + "=" + std::string(value) + ";";
  return text;
}
HeaderList three() {
  HeaderList list;
  list.add("A", "1");
  list.add("b", "2");
  list.add("a", "3");
  return list;
}
}  // namespace

TEST_CASE("fields are found without case, the first one") {
  const HeaderList list = three();
  CHECK(list.find("a") == "1");
  CHECK(list.find("B") == "2");
  CHECK_FALSE(list.find("c"));
  CHECK(list.count("A") == 2);
  CHECK(list.count("c") == 0);
}

TEST_CASE("set replaces the first and drops the others") {
  HeaderList list = three();
  list.set("a", "4");
  CHECK(fields_of(list) == "a=4;b=2;");
  list.set("c", "5");
  CHECK(fields_of(list) == "a=4;b=2;c=5;");
}

TEST_CASE("remove takes all of a name") {
  HeaderList list = three();
  list.remove("A");
  CHECK(fields_of(list) == "b=2;");
  list.remove("x");
  CHECK(fields_of(list) == "b=2;");
}

TEST_CASE("tokens of list fields") {
  HeaderList list;
  list.add("Connection", "te , Close,");
  list.add("connection", "upgrade");
  CHECK(list.has_token("Connection", "close"));
  CHECK(list.has_token("Connection", "TE"));
  CHECK(list.has_token("Connection", "upgrade"));
  CHECK_FALSE(list.has_token("Connection", "clos"));
  CHECK_FALSE(list.has_token("Connection", "te , close"));
  CHECK_FALSE(list.has_token("Other", "te"));
  CHECK_FALSE(list_has_token("", "te"));
}

TEST_CASE("words of statuses and versions are nginx's") {
  CHECK(reason_of(200) == "OK");
  CHECK(reason_of(302) == "Moved Temporarily");
  CHECK(reason_of(405) == "Not Allowed");
  CHECK(reason_of(503) == "Service Temporarily Unavailable");
  CHECK(reason_of(299).empty());
  CHECK(name_of(Version::Http10) == "HTTP/1.0");
  CHECK(name_of(Version::Http2) == "HTTP/2.0");
}
