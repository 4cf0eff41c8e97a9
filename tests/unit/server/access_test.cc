// allow and deny, passwords, limit_except, the address behind proxies: asked of a whole server.

#include "certs/encoding.h"
#include "proxy/http/user_file.h"
#include "tests/support/catch.h"
#include "tests/unit/server/site_fixture.h"

using namespace gatescope;
using namespace gatescope::test;

namespace {

std::string with_password(const std::string& name_and_password) {
  return "Authorization: Basic " + tls::base64_encode(name_and_password) + "\r\n";
}

}  // namespace

TEST_CASE("find_user takes the line of that very name") {
  const std::string file = "# ann:x\nann:1:comment\nanna:2\r\nbob:\nann:3\nlast:4";
  const std::pair<const char*, const char*> rows[] = {
      {"ann", "1"},        {"anna", "2"},    {"bob", ""},   {"last", "4"},
      {"# ann", "(none)"}, {"an", "(none)"}, {"", "(none)"}};
  for (const auto& [name, expected] : rows) {
    INFO(name);
    CHECK(http::find_user(file, name).value_or("(none)") == expected);
  }
}

TEST_CASE("the first rule that fits counts, a level replaces those around", "[both]") {
  Site site(R"(server { listen 80; server_name localhost; root $folder/html; deny all;
    location /open { allow 127.0.0.1; deny all; }
    location /late { deny 127.0.0.0/8; allow all; }
    location /other { deny 10.0.0.0/8; deny ::/0; deny unix:; }
    location /post { limit_except GET { deny all; } allow all; }
    location / { } })");
  for (const char* name : {"open", "late", "other", "post", "x"})
    site.write(std::string("html/") + name, "ok");
  REQUIRE(site.load_error() == "");
  const std::pair<const char*, int> rows[] = {
      {"/open", 200}, {"/late", 403}, {"/other", 200}, {"/x", 403}, {"/post", 200}};
  for (const auto& [target, status] : rows) {
    INFO(target);
    CHECK(status_of_answer(site.get(target)) == status);
  }
  const auto ask = [&](const std::string& method) {
    return status_of_answer(site.ask(method + " /post HTTP/1.1\r\nHost: localhost\r\n"
                                              "Connection: close\r\n\r\n"));
  };
  CHECK(ask("HEAD") == 200);
  CHECK(ask("DELETE") == 403);
  CHECK(ask("BREW") == 403);
  CHECK(site.read("logs/error.log").find("access forbidden by rule") != std::string::npos);
}

TEST_CASE("a password lets in, the rest is 401 with the realm, or 403 without the file", "[both]") {
  Site site(R"(server { listen 80; server_name localhost; root $folder/html;
    auth_basic "the \"realm\""; auth_basic_user_file users;
    location / { }
    location /off { auth_basic off; }
    location /nofile { auth_basic_user_file none; }
    location /var { auth_basic_user_file $arg_f; }
    location /page { error_page 401 @login; }
    location @login { auth_basic off; return 200 "log in"; }
    location /either { satisfy any; allow 10.0.0.0/8; deny all; }
    location /local { satisfy any; allow 127.0.0.1; deny all; }
    location /both { allow 127.0.0.1; deny all; }
  })");
  for (const char* name : {"a", "off", "nofile", "var", "page", "either", "local", "both"})
    site.write(std::string("html/") + name, "in");
  site.write("users", "plain:{PLAIN}secret\nslow:$1$salt$qJH7.N4xYta3aEG/dfqo/0\n");
  REQUIRE(site.load_error() == "");
  struct Row {
    const char *target, *credentials;
    int status;
  };
  const Row rows[] = {{"/a", "plain:secret", 200},
                      {"/a", "plain:wrong", 401},
                      {"/a", "nobody:secret", 401},
                      {"/a", "slow:password", 200},
                      {"/a", "slow:wrong", 401},
                      {"/off", "", 200},
                      {"/nofile", "plain:secret", 403},
                      {"/var?f=users", "plain:secret", 200},
                      {"/var?f=none", "plain:secret", 403},
                      {"/either", "plain:secret", 200},
                      {"/either", "plain:wrong", 401},
                      {"/local", "plain:wrong", 200},
                      {"/both", "plain:wrong", 401},
                      {"/both", "plain:secret", 200}};
  for (const auto& row : rows) {
    INFO(row.target << " " << row.credentials);
    CHECK(status_of_answer(site.get(row.target, with_password(row.credentials))) == row.status);
  }
  const auto refused = site.get("/a");
  CHECK(status_of_answer(refused) == 401);
  CHECK(field_of_answer(refused, "WWW-Authenticate") == "Basic realm=\"the \\\"realm\\\"\"");
  CHECK(status_of_answer(site.get("/a", "Authorization: Basic ====\r\n")) == 401);
  CHECK(status_of_answer(site.get("/a", "Authorization: Bearer x\r\n")) == 401);
  const auto page = site.get("/page");
  CHECK(status_of_answer(page) == 401);
  CHECK(body_of_answer(page) == "log in");
  CHECK(site.read("logs/error.log").find("user \"slow\": password mismatch") != std::string::npos);
  // A changed file is seen without a reload
  site.write("users", "plain:{PLAIN}another\n");
  site.run_for(Duration(1100));
  CHECK(status_of_answer(site.get("/a", with_password("plain:another"))) == 200);
}

TEST_CASE("auth_delay holds a 401 back, and nothing else", "[both]") {
  Site site(R"(log_format f "$status $request_time";
    server { listen 80; server_name localhost; root $folder/html; access_log logs/f.log f;
      location / { auth_delay 2s; auth_basic x; auth_basic_user_file users; } })");
  site.write("html/a", "in");
  site.write("users", "u:{PLAIN}p\ns:$1$salt$qJH7.N4xYta3aEG/dfqo/0\n");
  REQUIRE(site.load_error() == "");
  for (const char* credentials : {"u:x", "s:x", "u:p"})
    site.get("/a", with_password(credentials));
  const auto log = site.read("logs/f.log");
  CHECK(log.find("401 2.0") == 0);
  CHECK(log.find("\n401 2.") != std::string::npos);
  CHECK(log.find("\n200 0.000\n") != std::string::npos);
}

TEST_CASE("a trusted proxy says who the client is, for rules, variables and logs", "[both]") {
  Site site(R"(log_format f "$remote_addr $remote_port $realip_remote_addr";
    set_real_ip_from 127.0.0.1; set_real_ip_from 10.0.0.0/8; real_ip_header X-Forwarded-For;
    server { listen 80; server_name localhost; access_log logs/f.log f;
      location / { return 200 "$remote_addr"; }
      location /all { real_ip_recursive on; return 200 "$remote_addr"; } }
    server { listen 80; server_name strict; real_ip_recursive on; set_real_ip_from 192.0.2.0/24;
      location / { try_files /none =204; deny 203.0.113.0/24; } })");
  REQUIRE(site.load_error() == "");
  CHECK(body_of_answer(site.get("/", "X-Forwarded-For: 203.0.113.1, 10.0.0.1\r\n")) == "10.0.0.1");
  CHECK(body_of_answer(site.get("/", "X-Forwarded-For: 203.0.113.1:77\r\n")) == "203.0.113.1");
  CHECK(body_of_answer(site.get("/", "X-Forwarded-For: [2001:db8::1]:77\r\n")) == "2001:db8::1");
  CHECK(body_of_answer(site.get("/", "X-Forwarded-For: nonsense\r\n")) == "127.0.0.1");
  CHECK(body_of_answer(site.get("/")) == "127.0.0.1");
  CHECK(site.read("logs/f.log").find("203.0.113.1 77 127.0.0.1\n") != std::string::npos);
  // Another level's proxies replace those around: 127.0.0.1 is not believed there
  const auto strict = [&](const std::string& forwarded) {
    return status_of_answer(site.ask("GET / HTTP/1.1\r\nHost: strict\r\nX-Forwarded-For: " +
                                     forwarded + "\r\nConnection: close\r\n\r\n"));
  };
  CHECK(strict("203.0.113.1") == 204);
}

TEST_CASE("access rules that make no sense are refused with the mend") {
  const std::pair<const char*, const char*> rows[] = {
      {"allow nowhere;", "or `all`, or `unix:`"},
      {"server { location / { limit_except BREW { } } }", "invalid method \"BREW\""},
      {"server { auth_basic x; }", "has no \"auth_basic_user_file\""},
      {"satisfy some;", "any"},
      {"set_real_ip_from 10.0.0.0/99;", "host not found in set_real_ip_from"},
  };
  for (const auto& [text, expected] : rows) {
    INFO(text);
    Site site(text);
    CHECK(site.load_error().find(expected) != std::string::npos);
    CHECK(site.load_error().find("site.conf:") != std::string::npos);
  }
}
