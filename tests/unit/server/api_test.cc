// What the HTTP layer makes of the API's answers: conditions, fields, errors of its own. No
// database is needed for that, and none can be reached.

#include "tests/support/catch.h"
#include "tests/unit/server/site_fixture.h"

using namespace gatescope;
using namespace gatescope::test;

namespace {

constexpr const char* kMain = "numberscope { database host=/nonexistent dbname=x; oeis off; }";

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size())
    ++count;
  return count;
}

bool readable_from_anywhere(const std::string& answer) {
  return count_of(answer, "Access-Control-Allow-Origin") == 1 &&
         field_of_answer(answer, "Access-Control-Allow-Origin") == "*";
}

}  // namespace

TEST_CASE("an answer of the API that the client has is 304, whatever encoding it takes") {
  Site site("server { listen 80; gzip on; gzip_types *; location /api/ { numberscope_api; } }",
            kMain);
  REQUIRE(site.load_error() == "");
  for (const std::string accept : {"", "Accept-Encoding: br\r\n", "Accept-Encoding: gzip\r\n"}) {
    INFO(accept);
    const auto whole = site.get("/api/openapi.json", accept);
    CHECK(status_of_answer(whole) == 200);
    CHECK(count_of(whole, "Content-Encoding") == (accept.empty() ? 0 : 1));
    CHECK(count_of(whole, "Vary: Accept-Encoding") == 1);
    CHECK(readable_from_anywhere(whole));
    const auto tag = field_of_answer(whole, "ETag");
    REQUIRE(tag.size() > 2);
    const auto again = site.get("/api/openapi.json", accept + "If-None-Match: " + tag);
    CHECK(status_of_answer(again) == 304);
    CHECK(field_of_answer(again, "ETag") == tag);
    CHECK(readable_from_anywhere(again));
    CHECK(again.ends_with("\r\n\r\n"));
    CHECK(status_of_answer(site.get("/api/openapi.json", accept + "If-None-Match: \"x\"")) == 200);
  }
}

TEST_CASE("HEAD of the API is GET without a body", "[both]") {
  Site site("server { listen 80; location /api/ { numberscope_api; } }", kMain);
  REQUIRE(site.load_error() == "");
  for (const std::string path : {"get_commit", "", "get_oeis_values/A40/1", "nothing"}) {
    INFO(path);
    const auto whole = site.ask("GET /api/" + path + " HTTP/1.1");
    const auto head = site.ask("HEAD /api/" + path + " HTTP/1.1");
    CHECK(status_of_answer(head) == status_of_answer(whole));
    CHECK(field_of_answer(head, "Content-Length") == field_of_answer(whole, "Content-Length"));
    CHECK(head.ends_with("\r\n\r\n"));
    CHECK(whole.size() > head.size());
  }
}

TEST_CASE("every answer below the API may be read from anywhere, once, whoever made it") {
  Site site(R"(limit_req_zone $server_port zone=z:1m rate=1r/m;
    server { listen 80; add_header Access-Control-Allow-Origin "https://else.example" always;
      client_max_body_size 10;
      location /api/ { numberscope_api; }
      location /api/limited/ { limit_req zone=z; numberscope_api; }
      location /api/closed/ { deny all; numberscope_api; }
      location /api/paged/ { numberscope_api; deny all; error_page 403 /page; }
      location /page { return 200 hello; } })",
            kMain);
  REQUIRE(site.load_error() == "");
  CHECK(readable_from_anywhere(site.get("/api/get_commit")));
  CHECK(readable_from_anywhere(site.get("/api/nothing")));
  const auto later = site.get("/api/get_oeis_values/A000040/1");
  CHECK(status_of_answer(later) == 503);
  CHECK(field_of_answer(later, "Retry-After") == "5");
  CHECK(readable_from_anywhere(later));
  const auto large =
      site.ask("POST /api/get_commit HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n" +
               std::string(100, 'x'));
  CHECK(status_of_answer(large) == 413);
  CHECK(readable_from_anywhere(large));
  site.get("/api/limited/");
  const auto limited = site.get("/api/limited/");
  CHECK(status_of_answer(limited) == 503);
  CHECK(readable_from_anywhere(limited));
  CHECK(readable_from_anywhere(site.get("/api/closed/")));
}

TEST_CASE("a search term with slashes and dots reaches the API as it was sent", "[both]") {
  Site site("server { listen 80; location /api/ { numberscope_api; } location / { return 418; } }",
            kMain);
  REQUIRE(site.load_error() == "");
  for (const std::string term : {"1%2F2", "a//b", ".", "..", "x/../y", "%C5%91", "a%2e%2e"})
    CHECK(status_of_answer(site.get("/api/search_oeis/" + term)) == 503);  // nothing to search in
  CHECK(status_of_answer(site.get("/api/search_oeis/%FF")) == 400);
  CHECK(status_of_answer(site.get("/api/search_oeis/")) == 404);
  CHECK(status_of_answer(site.get("/api/search_oeis/a%00")) == 400);
}
