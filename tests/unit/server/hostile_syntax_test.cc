// Request lines, line ends and fields that are none: RFC 9112 2 to 5 and RFC 9110 5 against what
// servers are known to let pass.

#include "tests/support/catch.h"
#include "tests/unit/server/hostile_fixture.h"

using namespace gatescope::test;
using namespace std::string_literals;

namespace {

constexpr const char* kHostileSyntaxSite = R"(
  large_client_header_buffers 2 1k;
  max_headers 20;
  client_header_timeout 3s;
  server {
    listen 80;
    location / { proxy_request_buffering $buffering; proxy_pass http://127.0.0.1:9000; }
    location /local { return 200 "local"; }
  })";

const std::string kRest = "\r\nHost: a\r\nConnection: close\r\n\r\n";

std::string field(const std::string& line) {
  return "GET / HTTP/1.1\r\nHost: a\r\n" + line + "\r\nConnection: close\r\n\r\n";
}

}  // namespace

TEST_CASE("hostile syntax: request lines") {
  check_hostile(
      kHostileSyntaxSite,
      {
          {"good", "GET / HTTP/1.1" + kRest, "200", 1},
          {"empty lines before", "\r\n\r\nGET / HTTP/1.1" + kRest, "200", 1},
          {"bare LF before", "\n\nGET / HTTP/1.1" + kRest, "400"},
          {"blank before", " GET / HTTP/1.1" + kRest, "400"},
          {"byte order mark", "\xef\xbb\xbfGET / HTTP/1.1" + kRest, "400"},
          {"NUL before", "\0GET / HTTP/1.1"s + kRest, "400"},
          {"NUL in the method", "G\0T / HTTP/1.1"s + kRest, "400"},
          {"HTTP/0.9", "GET /\r\n", "400"},
          {"HTTP/0.9 with fields", "GET /" + kRest, "400"},
          {"no target", "GET HTTP/1.1" + kRest, "400"},
          {"two blanks for the target", "GET  HTTP/1.1" + kRest, "400"},
          {"two blanks", "GET  / HTTP/1.1" + kRest, "400"},
          {"two blanks before the version", "GET /  HTTP/1.1" + kRest, "400"},
          {"tab", "GET\t/\tHTTP/1.1" + kRest, "400"},
          {"form feed", "GET\x0c/ HTTP/1.1" + kRest, "400"},
          {"blank behind the version", "GET / HTTP/1.1 " + kRest, "400"},
          {"words behind the version", "GET / HTTP/1.1 HTTP/1.0" + kRest, "400"},
          {"a second request line in it", "GET / HTTP/1.1\rGET /evil HTTP/1.1" + kRest, "400"},
          {"blank in the target", "GET /a b HTTP/1.1" + kRest, "400"},
          {"version in the target", "GET / HTTP/1.1 /evil HTTP/1.1" + kRest, "400"},
          {"lower case version", "GET / http/1.1" + kRest, "400"},
          {"HTTPS", "GET / HTTPS/1.1" + kRest, "400"},
          {"no version number", "GET / HTTP/" + kRest, "400"},
          {"blank in the version", "GET / HTTP/ 1.1" + kRest, "400"},
          {"comma for the dot", "GET / HTTP/1,1" + kRest, "400"},
          {"zero before", "GET / HTTP/01.1" + kRest, "400|505"},
          {"zero behind", "GET / HTTP/1.10" + kRest, "400|505"},
          {"minus", "GET / HTTP/-1.1" + kRest, "400"},
          {"1.2", "GET / HTTP/1.2" + kRest, "505"},
          {"2.0", "GET / HTTP/2.0" + kRest, "505"},
          {"0.9 in words", "GET / HTTP/0.9" + kRest, "505"},
          {"preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "400"},
          {"huge version", "GET / HTTP/" + std::string(200, '1') + ".1" + kRest, "400|505"},
          {"method in lower case, which some backends take for GET", "get / HTTP/1.1" + kRest,
           "400"},
          {"method with brackets", "GE(T / HTTP/1.1" + kRest, "400"},
          {"method with a colon", "GET: / HTTP/1.1" + kRest, "400"},
          {"method of 2000 letters", std::string(2000, 'G') + " / HTTP/1.1" + kRest, "414"},
          {"target of 2000 letters", "GET /" + std::string(2000, 'a') + " HTTP/1.1" + kRest, "414"},
          {"CONNECT", "CONNECT a:443 HTTP/1.1" + kRest, "405"},
          {"CONNECT without port", "CONNECT a HTTP/1.1" + kRest, "400"},
          {"CONNECT with a path", "CONNECT / HTTP/1.1" + kRest, "400"},
          {"TRACE", "TRACE / HTTP/1.1" + kRest, "405"},
          {"TLS hello", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc"s, "400"},
          {"SSH", "SSH-2.0-OpenSSH_9.2\r\n", "400"},
          {"only CR", "\r\r\r\r\r\n", "400"},
          {"a head that never ends", "GET / HTTP/1.1\r\nHost: a\r\n", "408"},
          {"1.0 without Host", "GET / HTTP/1.0\r\n\r\n", "200", 1},
          {"1.0 is not kept", "GET / HTTP/1.0\r\nHost: a\r\n\r\nGET /evil HTTP/1.1" + kRest, "200",
           1, "evil"},
      });
}

TEST_CASE("hostile syntax: line ends and fields") {
  std::string many = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (int i = 0; i < 20; ++i)
    many += "X: y\r\n";
  check_hostile(
      kHostileSyntaxSite,
      {
          {"good", field("X: y"), "200", 1},
          {"empty value", field("X:"), "200", 1},
          {"colons in the value", field("X: a:b::c"), "200", 1},
          {"high bytes in the value", field("X: \xe4\xf6\xfc"), "200", 1},
          {"bare LF after the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n", "400"},
          {"bare LF after a field", field("X: y\nZ: z"), "400"},
          {"bare LF as the end", "GET / HTTP/1.1\r\nHost: a\r\n\n", "400"},
          {"LF LF as the end", "GET / HTTP/1.1\r\nHost: a\n\n", "400"},
          {"CR LF CR as the end", "GET / HTTP/1.1\r\nHost: a\r\n\rGET /evil HTTP/1.1" + kRest,
           "400"},
          {"CR CR LF", field("X: y\r"), "400"},
          {"bare CR in a value", field("X: y\rZ: z"), "400"},
          {"bare CR in a name", field("X\rZ: z"), "400"},
          {"bare CR as a field", field("\r"), "400"},
          {"NUL in a value", field("X: y\0z"s), "400"},
          {"NUL in a name", field("X\0Z: y"s), "400"},
          {"bell in a value", field("X: \x07"), "400"},
          {"escape in a value", field("X: \x1b[2J"), "400"},
          {"DEL in a value", field("X: \x7f"), "400"},
          {"fold", field("X: y\r\n z"), "400"},
          {"fold with a tab", field("X: y\r\n\tz"), "400"},
          {"fold before the first field", "GET / HTTP/1.1\r\n X: y" + kRest, "400"},
          {"a line of blanks", field("   "), "400"},
          {"no colon", field("X"), "400"},
          {"no name", field(": y"), "400"},
          {"no name, a known one behind", field(":Host: b"), "400"},
          {"blank before the colon", field("X : y"), "400"},
          {"tab before the colon", field("X\t: y"), "400"},
          {"blank in the name", field("X Y: z"), "400"},
          {"a request line as a field", field("GET /evil HTTP/1.1"), "400"},
          {"brackets in the name are dropped", field("X(y): z"), "200", 1, "X(y)"},
          {"quotes in the name are dropped", field("\"X\": z"), "200", 1, "\"X\""},
          {"high bytes in the name are dropped", field("X\xe4: z"), "200", 1, "X\xe4"},
          {"slash in the name is dropped", field("a/b: z"), "200", 1, "a/b"},
          {"underscore is dropped", field("X_Forwarded_For: evil"), "200", 1, "evil"},
          {"a field of 2000 letters", field("X: " + std::string(2000, 'y')), "400"},
          {"fields of 2100 letters in sum",
           field("X: " + std::string(900, 'y') + "\r\nY: " + std::string(900, 'y') +
                 "\r\nZ: " + std::string(300, 'z')),
           "400"},
          {"21 fields", many + "\r\n", "400"},
          {"unknown expectation", field("Expect: tea"), "417"},
          {"100-continue", field("Expect: 100-continue"), "100 200", 1, "Expect"},
          {"two expectations", field("Expect: 100-continue, tea"), "417"},
          {"fields of one hop are not passed on",
           field("Keep-Alive: evil\r\nProxy-Connection: evil\r\nTE: evil\r\nTrailer: evil"), "200",
           1, "evil"},
          {"fields named in Connection are not passed on",
           "GET / HTTP/1.1\r\nHost: a\r\nX-Evil: evil\r\nConnection: close, X-Evil\r\n\r\n", "200",
           1, "evil"},
          {"Connection with a bad name", field("Connection: \"x\", \\, Host"), "200", 1},
          {"upgrade to h2c is not passed on",
           "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"
           "Connection: close, Upgrade, HTTP2-Settings\r\n\r\n",
           "200", 1, "h2c"},
          {"nothing is read behind a refused request",
           "GET / HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\nGET /evil HTTP/1.1" + kRest, "400"},
          {"nothing is read behind close", field("X: y") + "GET /evil HTTP/1.1" + kRest, "200", 1,
           "evil"},
          {"pipelined",
           "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /local HTTP/1.1\r\nHost: a\r\n\r\n"
           "GET /x HTTP/1.1" +
               kRest,
           "200 200 200", 2},
      });
}
