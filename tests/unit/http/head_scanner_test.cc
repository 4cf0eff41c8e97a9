#include "proxy/http/head_scanner.h"

#include "tests/support/catch.h"

using namespace gatescope;
using namespace gatescope::http;
using Verdict = HeadScanner::Verdict;

TEST_CASE("a head ends where it ends, whatever follows") {
  NullLog log;
  HeadScanner scanner({}, log);
  const std::string head = "\r\nPUT /a HTTP/1.1\r\nHost: b\r\nContent-Length: 5\r\n\r\n";
  std::string input;
  for (std::size_t i = 0; i + 1 < head.size(); ++i) {
    input += head[i];
    REQUIRE(scanner.scan(input) == Verdict::More);
    CHECK(scanner.begun() == (i >= 2));
  }
  input += "\nhello\r\n\r\n";
  REQUIRE(scanner.scan(input) == Verdict::Complete);
  CHECK(scanner.size() == head.size());
  Arena arena;
  const RequestHead taken = scanner.take(input, arena);
  input.assign(input.size(), '?');  // the head has been copied
  CHECK(taken.line == "PUT /a HTTP/1.1");
  CHECK(taken.method == "PUT");
  CHECK(taken.target == "/a");
  CHECK(taken.content_length == 5u);
  CHECK(taken.has_body);
  CHECK(taken.wants_keep_alive);
  CHECK(taken.bytes == head.size());
  CHECK(taken.headers.find("host") == "b");

  scanner.reset();
  const std::string next = "GET / HTTP/1.0\r\n\r\n";
  REQUIRE(scanner.scan(next) == Verdict::Complete);
  const RequestHead second = scanner.take(next, arena);
  CHECK(second.version == Version::Http10);
  CHECK_FALSE(second.content_length);
  CHECK_FALSE(second.has_body);
  CHECK_FALSE(second.wants_keep_alive);
  CHECK(second.headers.empty());
}

TEST_CASE("a refused head keeps what was read of it, for the log") {
  NullLog log;
  HeadScanner scanner({}, log);
  Arena arena;
  SECTION("a bad field") {
    const std::string input = "GET /a HTTP/1.1\r\nUser-Agent: c\r\nbad\r\n\r\n";
    REQUIRE(scanner.scan(input) == Verdict::Refused);
    const RequestHead head = scanner.take(input, arena);
    CHECK(head.refused == 400);
    CHECK(head.refused_because == "client sent invalid header line: \"bad\"");
    CHECK(head.line == "GET /a HTTP/1.1");
    CHECK(head.headers.find("User-Agent") == "c");
    CHECK_FALSE(head.wants_keep_alive);
  }
  SECTION("a bad request line") {
    const std::string input = "\r\nGET  /a HTTP/1.1\r\nUser-Agent: c\r\n\r\n";
    REQUIRE(scanner.scan(input) == Verdict::Refused);
    CHECK(scanner.take(input, arena).line == "GET  /a HTTP/1.1");
  }
  SECTION("from outside") {
    const std::string input = "GET /a HT";
    REQUIRE(scanner.scan(input) == Verdict::More);
    scanner.refuse(408, "late");
    const RequestHead head = scanner.take(input, arena);
    CHECK(head.refused == 408);
    CHECK(head.line == "GET /a HT");
    CHECK(head.bytes == input.size());
  }
}

TEST_CASE("split_field_line") {
  FieldLine field;
  CHECK(split_field_line("A: b ", false, field) == FieldVerdict::Valid);
  CHECK(field.name == "A");
  CHECK(field.value == "b");
  CHECK(split_field_line("a_b: c", false, field) == FieldVerdict::InvalidName);
  CHECK(split_field_line("a_b: c", true, field) == FieldVerdict::Valid);
  CHECK(split_field_line("content_length: 3", false, field) == FieldVerdict::InvalidName);
  CHECK(split_field_line("content_length: 3", true, field) == FieldVerdict::Malformed);
  CHECK(split_field_line("", true, field) == FieldVerdict::Malformed);
}
