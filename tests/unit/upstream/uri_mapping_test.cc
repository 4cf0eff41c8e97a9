#include "proxy/upstream/proxy_url.h"
#include "proxy/upstream/request_head.h"
#include "tests/support/catch.h"

namespace gatescope::upstream {

TEST_CASE("map_uri follows nginx's rules") {
  struct Row {
    std::string_view what;
    UriInput in;
    std::string_view expected;
  };
  const Row rows[] = {
      {"no URI part: as sent",
       {.original = "/a%20b/?x=1", .path = "/a b/", .args = "x=1", .location = "/a"},
       "/a%20b/?x=1"},
      {"no URI part, dots as sent",
       {.original = "/a/../b", .path = "/b", .location = "/"},
       "/a/../b"},
      {"no URI part, changed by rewrite",
       {.original = "/old?x", .path = "/new path", .args = "y=2", .changed = true, .location = "/"},
       "/new%20path?y=2"},
      {"URI part replaces the prefix",
       {.original = "/name/x?q",
        .path = "/name/x",
        .args = "q",
        .location = "/name/",
        .proxy_uri = "/remote/"},
       "/remote/x?q"},
      {"URI part '/' strips the prefix",
       {.original = "/api/x", .path = "/api/x", .location = "/api/", .proxy_uri = "/"},
       "/x"},
      {"no slash at the location's end",
       {.original = "/api/x", .path = "/api/x", .location = "/api", .proxy_uri = "/"},
       "//x"},
      {"the rest is escaped again",
       {.original = "/n/a%3Fb%25", .path = "/n/a?b%", .location = "/n/", .proxy_uri = "/r/"},
       "/r/a%3Fb%25"},
      {"what was raw stays raw",
       {.original = "/n/\xc3\xa4", .path = "/n/\xc3\xa4", .location = "/n/", .proxy_uri = "/r/"},
       "/r/\xc3\xa4"},
      {"internal redirects are escaped",
       {.original = "/x",
        .path = "/n/\xc3\xa4",
        .changed = true,
        .internal = true,
        .location = "/n/",
        .proxy_uri = "/r/"},
       "/r/%C3%A4"},
      {"rewritten out of the location",
       {.original = "/n/a",
        .path = "/other",
        .changed = true,
        .location = "/n/",
        .proxy_uri = "/r/"},
       "/other"},
      {"variables: the whole URI",
       {.original = "/n/a?b",
        .path = "/n/a",
        .args = "b",
        .location = "/n/",
        .proxy_uri = "/v?z",
        .from_variables = true},
       "/v?z"},
      {"variables without URI: as sent",
       {.original = "/n/a?b",
        .path = "/n/a",
        .args = "b",
        .location = "/n/",
        .from_variables = true},
       "/n/a?b"},
      {"a line break from variables is escaped",
       {.original = "/",
        .path = "/",
        .location = "/",
        .proxy_uri = "/a\r\nX: 1 b",
        .from_variables = true},
       "/a%0D%0AX:%201%20b"},
  };
  for (const auto& row : rows) {
    INFO(row.what);
    CHECK(map_uri(row.in) == row.expected);
  }
}

TEST_CASE("proxy_pass URLs") {
  struct Row {
    std::string_view text, host, port, uri, header, proxy_port;
  };
  const Row rows[] = {
      {"http://a", "a", "", "", "a", "80"},
      {"http://a:8080", "a", "8080", "", "a:8080", "8080"},
      {"HTTP://a:80/", "a", "80", "/", "a", "80"},
      {"http://[::1]:81/x", "[::1]", "81", "/x", "[::1]:81", "81"},
      {"http://a?x", "a", "", "/?x", "a", "80"},
      {"https://a/x", "a", "", "/x", "a", "443"},
      {"https://a:80", "a", "80", "", "a:80", "80"},
      {"HTTPS://a:443", "a", "443", "", "a", "443"},
      {"http://unix:/run/x.sock", "unix:/run/x.sock", "", "", "localhost", ""},
      {"http://unix:/run/x.sock:/uri/", "unix:/run/x.sock", "", "/uri/", "localhost", ""},
  };
  for (const auto& row : rows) {
    INFO(row.text);
    const auto url = parse_proxy_url(row.text);
    REQUIRE(url);
    CHECK(url->host == row.host);
    CHECK(url->port == row.port);
    CHECK(url->uri == row.uri);
    CHECK(url->host_header() == row.header);
    CHECK(url->proxy_port() == row.proxy_port);
  }
  for (std::string_view bad : {"a", "ftp://a", "http://", "http://a:0", "http://a:x",
                               "http://a:70000", "http://[::1", "http://unix:", "https://"}) {
    INFO(bad);
    CHECK(!parse_proxy_url(bad));
  }
}

}  // namespace gatescope::upstream
