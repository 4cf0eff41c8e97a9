// Targets and hosts: what names a resource and what tries to name another one (RFC 9112 3.2, RFC
// 9110 4.2 and 7.2, RFC 3986), and paths that want to leave the folder.

#include "tests/support/catch.h"
#include "tests/unit/server/hostile_fixture.h"

using namespace gatescope::test;
using namespace std::string_literals;

namespace {

constexpr const char* kFiles = R"(
  server {
    listen 80;
    root html;
    location / { }
    location /alias/ { alias html/; }
    location = /exact { alias html/index.html; }
    location ~ ^/re/(.*)$ { alias html/$1; }
    location /try/ { try_files $uri $uri/ /index.html; }
    location /private/ { internal; root .; }
    location /api/ { proxy_request_buffering $buffering; proxy_pass http://127.0.0.1:9000/; }
  })";

std::string plain_get(const std::string& target) {
  return "GET " + target + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
}
Hostile row(const std::string& target, const std::string& statuses, int forwarded = 0) {
  return {target, plain_get(target), statuses, forwarded, "SECRET"};
}
Hostile host(const std::string& value, const std::string& statuses) {
  return {"Host: " + value, "GET / HTTP/1.1\r\nHost: " + value + "\r\nConnection: close\r\n\r\n",
          statuses};
}

}  // namespace

TEST_CASE("hostile targets: traversal", "[both]") {
  check_hostile(kFiles, {
                            row("/", "200"),
                            row("/a/file.txt", "200"),
                            row("/a/../index.html", "200"),
                            row("/a/./file.txt", "200"),
                            row("/%61/file.txt", "200"),
                            row("/../secret.txt", "400"),
                            row("/..", "400"),
                            row("/../", "400"),
                            row("/a/../../secret.txt", "400"),
                            row("/a/..//../secret.txt", "400"),
                            row("/%2e%2e/secret.txt", "400"),
                            row("/%2E./secret.txt", "400"),
                            row("/.%2e/secret.txt", "400"),
                            row("/..%2fsecret.txt", "400"),
                            row("/%2e%2e%2fsecret.txt", "400"),
                            row("/a/..%2f..%2fsecret.txt", "400"),
                            row("//../secret.txt", "400"),
                            row("/./../secret.txt", "400"),
                            row("/a/%2e%2e/%2e%2e/secret.txt", "400"),
                            row("/%252e%252e/secret.txt", "404"),
                            row("/..%252fsecret.txt", "404"),
                            row("/..%5csecret.txt", "404"),
                            row("/..\\secret.txt", "404"),
                            row("/..;/secret.txt", "404"),
                            row("/..;x=y/secret.txt", "404"),
                            row("/.../secret.txt", "404"),
                            row("/....//secret.txt", "404"),
                            row("/..%c0%afsecret.txt", "404"),
                            row("/%c0%ae%c0%ae/secret.txt", "404"),
                            row("/%e0%80%ae%e0%80%ae/secret.txt", "404"),
                            row("/\xc0\xae\xc0\xae/secret.txt", "404"),
                            row("/%u002e%u002e/secret.txt", "400"),
                            row("/..%00/secret.txt", "400"),
                            row("/index.html%00.jpg", "400"),
                            row("/%00", "400"),
                            row("/%", "400"),
                            row("/%2", "400"),
                            row("/%gg", "400"),
                            row("/%2g", "400"),
                            row("/.hidden", "404"),
                            row("/a/../.hidden", "404"),
                            row("/%2ehidden", "404"),
                            row("/.git/config", "404"),
                            row("/index.html/", "404"),
                            row("/index.html/../../secret.txt", "400"),
                            row("/alias/../secret.txt", "404"),
                            row("/alias../secret.txt", "404"),
                            row("/alias/..%2fsecret.txt", "404"),
                            row("/exact/../secret.txt", "404"),
                            row("/re/../secret.txt", "404"),
                            row("/re/..%2f..%2fsecret.txt", "400"),
                            row("/re/%2e%2e%2fsecret.txt", "404"),
                            row("/re/%252e%252e%252fsecret.txt", "404"),
                            row("/try/..%2f..%2fsecret.txt", "400"),
                            row("/try/../../secret.txt", "400"),
                            row("/private/secret.txt", "404"),
                            row("/a/../private/secret.txt", "404"),
                            row("//private/secret.txt", "404"),
                            row("/a/%2e%2e/private/secret.txt", "404"),
                            row("/api/x", "200", 1),
                            row("/api/../secret.txt", "404"),
                            row("/api/%2e%2e/%2e%2e/secret.txt", "400"),
                            row("/api/..%2f..%2fx", "400"),
                        });
}

TEST_CASE("hostile targets: forms") {
  check_hostile(
      kFiles,
      {
          row("http://a/", "200"),
          row("HTTP://a/index.html", "200"),
          row("http://a", "200"),
          row("http://a?x", "200"),
          row("http://a/../secret.txt", "400"),
          row("http:///index.html", "400"),
          row("http://", "400"),
          row("http:/index.html", "400"),
          row("http://a b/", "400"),
          row("http://user@a/", "400"),
          row("http://a:x/", "400"),
          row("http://a:99999/", "400"),
          row("file:///etc/passwd", "400"),
          row("ftp://a/", "400"),
          row("javascript:alert(1)", "400"),
          row("//evil/index.html", "404"),
          row("\\\\evil\\share", "400"),
          row("index.html", "400"),
          row("?x", "400"),
          row("#x", "400"),
          row("*", "400"),
          row("a:80", "400"),
          row("/index.html?x=/../../secret.txt", "200"),
          row("/index.html#/../secret.txt", "200"),
          row("/index.html?%00", "200"),
          row("/index.html?%zz", "200"),
          row("/a%20b", "404"),
          row("/a\x01", "400"),
          row("/a\x7f", "400"),
          row("/a\tb", "400"),
          row("/a\0b"s, "400"),
          row("/api/%0d%0aX:%20y", "200", 1),
          row("/api/%20HTTP/1.1%0d%0aHost:%20evil%0d%0a%0d%0aGET%20/evil", "200", 1),
          row("/api/?a=%0d%0aX:%20y", "200", 1),
          row("/api/a%23b%3fc", "200", 1),
          {"OPTIONS *", "OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "400"},
          {"absolute form against Host: the target counts",
           "GET http://a/ HTTP/1.1\r\nHost: evil\r\nConnection: close\r\n\r\n", "200", 0, "evil"},
          {"absolute form with a bad Host",
           "GET http://a/ HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n", "400"},
          {"absolute form without Host", "GET http://a/ HTTP/1.1\r\nConnection: close\r\n\r\n",
           "400"},
      });
}

TEST_CASE("hostile targets: Host") {
  check_hostile(
      kFiles,
      {
          host("a", "200"),
          host("A.Example:8080", "200"),
          host("a.", "200"),
          host("127.0.0.1", "200"),
          host("[::1]:80", "200"),
          host("xn--bcher-kva.example", "200"),
          host("a_b", "200"),
          host("a:", "200"),
          host("a b", "400"),
          host("a\tb", "400"),
          host("a, b", "400"),
          host("a/b", "400"),
          host("a/../b", "400"),
          host("a\\b", "400"),
          host("a?b", "400"),
          host("a#b", "400"),
          host("user@a", "400"),
          host("user:pass@a", "400"),
          host("http://a", "400"),
          host("a:b", "400"),
          host("a:80:80", "400"),
          host("a:-1", "400"),
          host("a:65536", "400"),
          host("a:080000", "400"),
          host(":80", "400"),
          host("..", "400"),
          host("a..b", "400"),
          host("::1", "400"),
          host("[::1", "400"),
          host("[]", "400"),
          host("[::1]x", "400"),
          host("[::1]:x", "400"),
          host("[a b]", "400"),
          host("a\0b"s, "400"),
          host("a\x7f", "400"),
          host("<script>", "400"),
          host("a\"b", "400"),
          host("a{b}", "400"),
          host("a|b", "400"),
          host("a^b", "400"),
          host("a`b", "400"),
          host("a%zz", "400"),
          host("a%0d%0a", "400"),
          {"no Host in 1.1", "GET / HTTP/1.1\r\nConnection: close\r\n\r\n", "400"},
          {"two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n", "400"},
          {"two equal Hosts", "GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\nConnection: close\r\n\r\n",
           "400"},
          {"two Hosts, one folded", "GET / HTTP/1.1\r\nHost: a\r\n\tb\r\nConnection: close\r\n\r\n",
           "400"},
          {"two Hosts in 1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", "400"},
      });
}
