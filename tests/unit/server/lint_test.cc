// What the check says of configurations that load: each rule, and when it is silent.

#include "conf/lint.h"

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "certs/certificate_lint.h"
#include "certs/dev_certificate.h"
#include "proxy/http/http_lint.h"
#include "proxy/upstream/upstream_lint.h"
#include "static/files_lint.h"
#include "tests/support/catch.h"

namespace gatescope::server {

namespace {

class OneText final : public conf::FileReader {
 public:
  explicit OneText(std::string text) : text_(std::move(text)) {}
  Result<std::string> read(const std::string&) override { return text_; }
  Result<std::vector<std::string>> expand(const std::string& pattern) override {
    return std::vector{pattern};
  }

 private:
  std::string text_;
};

/// "LINE: text" for each warning.
std::string linted(const std::string& text, WallTime now = {},
                   const std::string& folder = "/nowhere/") {
  OneText files(text);
  auto document = conf::parse_file("/c", {.conf_prefix = folder, .extra = {}}, files);
  REQUIRE(document);
  conf::Lint lint(**document, folder, folder, now);
  http::lint_http(lint);
  files::lint_files(lint);
  upstream::lint_upstream(lint);
  tls::lint_certificates(lint);
  std::string said;
  for (const auto& warning : lint.warnings())
    said += std::to_string(warning.place.line) + ": " + warning.text + "\n";
  return said;
}

/// In a server, with what would be said of every configuration said already.
std::string of_server(const std::string& text) {
  return linted("http { server_tokens off; server { server_name a.test; listen 127.0.0.1:80; " +
                text + " } }");
}

bool says(const std::string& said, std::string_view part) {
  return said.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("lint: a quiet configuration is quiet") {
  CHECK(of_server(
            "root /; add_header A 1; location / { } location ~ x { allow 127.0.0.1; deny all; } "
            "location /b { return 301 https://a.test$request_uri; }") == "");
}

TEST_CASE("lint: fields that an inner level loses are named with their place") {
  const auto said = linted(
      "http { server_tokens off; server {\n"
      "add_header Strict-Transport-Security x always;\n"
      "location / {\n"
      "add_header X-Other y;\n"
      "} } }");
  CHECK(said.starts_with("4: \"add_header\" here replaces those of the level around it"));
  CHECK(says(said, "\"add_header Strict-Transport-Security\" of /c:2:1 is lost"));
  CHECK(of_server("add_header A 1; location / { add_header B 1; add_header a 2; }") == "");
  CHECK(says(of_server("proxy_set_header Host a; location / { proxy_set_header X y; }"),
             "\"proxy_set_header Host\""));
  // Two levels up, with nothing between
  CHECK(says(of_server("add_header A 1; location / { location /a { add_header B 1; } }"), "A"));
}

TEST_CASE("lint: redirects that a client can bend") {
  CHECK(says(of_server("return 301 https://a.test$uri;"), "$request_uri is what came"));
  CHECK(says(of_server("location / { return 302 /x${document_uri}; }"), "decoded"));
  CHECK(says(of_server("rewrite ^ https://a.test$uri permanent;"), "decoded"));
  CHECK(of_server("return 200 $uri;") == "");
  CHECK(of_server("return 301 https://$host$request_uri;") == "");
  CHECK(says(linted("http { server_tokens off; server { listen 80; return 301 "
                    "https://$host$request_uri; } }"),
             "a server without a name redirects to $host"));
  // As certbot writes it
  CHECK(linted("http { server_tokens off; server { listen 80; if ($host = a.test) { return 301 "
               "https://$host$request_uri; } } }") == "");
}

TEST_CASE("lint: rules that let everybody in") {
  CHECK(says(of_server("location / { allow 192.0.2.7; }"), "\"deny all;\""));
  CHECK(of_server("location / { allow all; }") == "");
  CHECK(of_server("location / { limit_except GET { allow 192.0.2.7; } }") == "");
}

TEST_CASE("lint: the version that everybody is told, at each level") {
  CHECK(linted("http {\n}") == "");
  CHECK(linted("http { server_tokens off; }") == "");
  CHECK(says(linted("http {\nserver_tokens build;\n}"),
             "2: \"server_tokens\" tells everybody the version"));
  CHECK(says(linted("http { server_tokens off; server { listen 80; server_name a;\n"
                    "server_tokens on; } }"),
             "2: \"server_tokens\" tells everybody the version"));
  CHECK(linted("events { }") == "");
}

TEST_CASE("lint: locations that nothing reaches") {
  CHECK(says(of_server("return 404; location /a { }"),
             "nothing reaches this location: \"return\" at /c:1:"));
  CHECK(of_server("location /a { return 404; }") == "");
  // A location's return is its own
  CHECK(of_server("location /a { return 301 /x; location /a/b { return 204; } }") == "");
  CHECK(says(of_server("location ~ \\.js$ { } location ~ \\.js$ { }"),
             "is the same and comes first"));
  CHECK(of_server("location ~ \\.js$ { } location ~* \\.js$ { }") == "");
}

TEST_CASE("lint: HTTP in clear for a name that has TLS") {
  const std::string tls = "server { listen 443 ssl; server_name a.test; } ";
  const auto with = [&](const std::string& clear) {
    return linted("http { server_tokens off; " + tls + clear + " }");
  };
  CHECK(says(with("server { listen 80; server_name A.test; }"),
             "\"A.test\" has TLS and is served in clear"));
  CHECK(says(
      linted(
          "http { server_tokens off; server { listen 80; listen 443 ssl; server_name a.test; } }"),
      "served in clear"));
  CHECK(with("server { listen 80; server_name a.test; return 301 https://$host$request_uri; }") ==
        "");
  CHECK(
      with(
          "server { listen 80; server_name a.test; location / { return 301 https://a.test/; } }") ==
      "");
  CHECK(with("server { listen 127.0.0.1:80; server_name a.test; }") == "");
  CHECK(with("server { listen 80; server_name b.test; }") == "");
}

TEST_CASE("lint: roots that do not exist, and scripts without a type") {
  CHECK(says(of_server("root site;"), "\"/nowhere/site\" does not exist"));
  CHECK(of_server("root /$host;") == "");
  CHECK(says(of_server("location /a/ { alias /nowhere/a/; }"), "\"/nowhere/a/\""));
  CHECK(
      says(of_server("types { text/html html; text/javascript js; }"), "no type for .mjs, .wasm"));
  CHECK(of_server("types { text/html html; text/javascript js mjs; application/wasm wasm; }") ==
        "");
  CHECK(of_server("types { application/octet-stream bin; }") == "");
}

TEST_CASE("lint: a server behind that the client chooses") {
  CHECK(says(of_server("location / { proxy_pass http://$host; }"),
             "\"proxy_pass\" to $host lets a client"));
  CHECK(says(of_server("location / { proxy_pass http://$http_host$request_uri; }"), "$http_host"));
  CHECK(says(of_server("location / { proxy_pass http://app$uri; }"), "decoded path") == false);
  CHECK(says(of_server("location / { proxy_pass http://app/x$uri; }"), "decoded path"));
  CHECK(of_server("location / { proxy_pass http://app; }") == "");
}

TEST_CASE("lint: certificates that end soon, and names that they are not for") {
  char folder[] = "/tmp/gatescope-lint-XXXXXX";
  REQUIRE(::mkdtemp(folder) != nullptr);
  const SystemClock clock;
  const auto made = tls::ensure_dev_certificate(folder, {"a.test", "*.b.test"}, clock);
  REQUIRE(made);
  const auto with = [&](const std::string& names, std::chrono::hours later) {
    return linted("http { server_tokens off; server { listen 127.0.0.1:443 ssl; server_name " +
                      names + "; ssl_certificate " + made->certificate.filename().string() +
                      "; } }",
                  clock.wall() + later, std::string(folder) + "/");
  };
  using std::chrono::hours;
  CHECK(with("a.test x.b.test _ ~^z$ *.c.test", hours(0)) == "");
  CHECK(says(with("a.test b.test", hours(0)), "no certificate of this server is for \"b.test\""));
  CHECK(says(with("x.y.b.test", hours(0)), "x.y.b.test"));
  const auto left = std::chrono::duration_cast<hours>(made->ends - clock.wall());
  CHECK(says(with("a.test", left - hours(24 * 20)), "in less than 30 days"));
  CHECK(says(with("a.test", left + hours(24)), "has ended at"));
  CHECK(says(with("a.test", -hours(24 * 7)), "is not good before"));
  std::filesystem::remove_all(folder);
}

TEST_CASE("lint: of two certificates of a server the one that ends is named by its own line") {
  struct LaterClock final : Clock {
    MonoTime now() const override { return SystemClock().now(); }
    WallTime wall() const override { return SystemClock().wall() + std::chrono::hours(24 * 200); }
  };
  char folder[] = "/tmp/gatescope-lint-XXXXXX";
  REQUIRE(::mkdtemp(folder) != nullptr);
  const auto soon = tls::ensure_dev_certificate(folder, {"soon.test"}, SystemClock());
  const auto later = tls::ensure_dev_certificate(folder, {"later.test"}, LaterClock());
  REQUIRE(soon);
  REQUIRE(later);
  const auto said = linted(
      "http { server_tokens off; server { listen 127.0.0.1:443 ssl; server_name soon.test;\n"
      "ssl_certificate later.test.pem;\nssl_certificate soon.test.pem;\nlocation / { } } }",
      soon->ends - std::chrono::hours(24 * 20), std::string(folder) + "/");
  CHECK(said.starts_with("3: the certificate for soon.test ends at "));
  CHECK(std::ranges::count(said, '\n') == 1);
  std::filesystem::remove_all(folder);
}

}  // namespace gatescope::server
