#include "api/search_term.h"

#include "proxy/http/target.h"
#include "tests/support/catch.h"

namespace gatescope::api {
namespace {

/// "-": no search; "!": refused; else the term.
std::string term_of(const std::string& target, std::string_view endpoint = "/api/search_oeis",
                    std::string_view rewritten = {}) {
  Arena arena;
  http::Request request;
  const auto routed = http::normalise_target(target, true, arena);
  if (!routed) return "400";
  request.original_uri = routed->original;
  request.path = rewritten.empty() ? routed->path : rewritten;
  const auto term = search_term(request, endpoint, arena);
  if (!term) return "-";
  return term->bad_because.empty() ? term->text : "!";
}

TEST_CASE("the term is what was sent, decoded once") {
  const struct {
    const char *target, *term;
  } kCases[] = {
      {"/api/search_oeis/prime", "prime"},
      {"/api/search_oeis/prime%20numbers", "prime numbers"},
      {"/api/search_oeis/1%2F2", "1/2"},
      {"/api/search_oeis/1/2", "1/2"},
      {"/api/search_oeis/a//b", "a//b"},
      {"/api/search_oeis//", "/"},
      {"/api/search_oeis/.", "."},
      {"/api/search_oeis/./x", "./x"},
      {"/api/search_oeis/x/../y", "x/../y"},
      {"/api/search_oeis/..", ".."},  // the path is /api/
      {"/api/search_oeis/%2e%2E/x", "../x"},
      {"/api/search_oeis/a%252Fb", "a%2Fb"},
      {"/api/search_oeis/a+b", "a+b"},
      {"/api/search_oeis/1,1,2,3", "1,1,2,3"},
      {"/api/search_oeis/a%3Fb%23c", "a?b#c"},
      {"/api/search_oeis/a?b=c", "a"},
      {"/api/search_oeis/search_oeis/x", "search_oeis/x"},
      {"/api/search_oeis/x/", "x/"},
      {"/api/search_oeis/%C5%91", "\xC5\x91"},
      {"/api/search_oeis/\xC5\x91", "\xC5\x91"},
      {"/api/search_oeis/%F0%9D%94%B8", "\xF0\x9D\x94\xB8"},
      {"//api/search_oeis/x", "x"},
      {"/%61pi/se%61rch_oeis/x", "x"},
      {"/api/./search_oeis/x%2F%2Fy", "x//y"},
      {"/y/../api/search_oeis/.x", ".x"},
      {"http://host/api/search_oeis/a//b", "a//b"},
      {"/api/search_oeis/%20", " "},
      // No search
      {"/api/search_oeis", "-"},
      {"/api/search_oeis/", "-"},
      {"/api/search_oeisx/y", "-"},
      {"/api/get_commit", "-"},
      {"/api/get_oeis_values/search_oeis/3", "-"},
      // Refused
      {"/api/search_oeis/%FF", "!"},
      {"/api/search_oeis/a%C5", "!"},
      {"/api/search_oeis/%C0%AF", "!"},
      {"/api/search_oeis/\xFF", "!"},
      {"/api/search_oeis/a%00b", "400"},  // by the HTTP layer
  };
  for (const auto& c : kCases) {
    INFO(c.target);
    CHECK(term_of(c.target) == c.term);
  }
}

TEST_CASE("200 characters are a term, not bytes, 201 are too many") {
  std::string characters;
  for (int i = 0; i < 200; ++i)
    characters += "%C5%91";
  CHECK(term_of("/api/search_oeis/" + characters).size() == 400);
  CHECK(term_of("/api/search_oeis/" + characters + "x") == "!");
}

TEST_CASE("below another prefix, and where the path was rewritten") {
  CHECK(term_of("/search_oeis/a//b", "/search_oeis") == "a//b");
  CHECK(term_of("/n/v1/search_oeis/a//b", "/n/v1/search_oeis") == "a//b");
  CHECK(term_of("/find/x", "/api/search_oeis", "/api/search_oeis/x y") == "x y");
  CHECK(term_of("/api/search_oeis/x", "/api/search_oeis", "/api/get_commit") == "-");
  CHECK(term_of("/find/x", "/api/search_oeis", std::string_view("/api/search_oeis/a\0b", 20)) ==
        "!");
}

}  // namespace
}  // namespace gatescope::api
