// limit_req and limit_conn, asked of a whole server in virtual time.

#include "proxy/base/text.h"
#include "tests/support/catch.h"
#include "tests/unit/server/site_fixture.h"

using namespace gatescope;
using namespace gatescope::test;

TEST_CASE("requests above the rate are delayed, those above the burst refused") {
  Site site(R"(
    log_format f "$uri $status $limit_req_status $request_time";
    limit_req_zone $http_key zone=one:1m rate=1r/s;
    limit_req_zone $uri zone=dry:32k rate=1r/m;
    server { listen 80; server_name localhost; access_log logs/f.log f; root $folder/html;
      location /nodelay { limit_req zone=one burst=1 nodelay; limit_req_status 429; }
      location /delay { limit_req zone=one burst=5; }
      location /some { limit_req zone=one burst=5 delay=2; }
      location /dry { limit_req zone=dry; limit_req_dry_run on; }
      location /free { } })");
  for (const char* name : {"nodelay", "delay", "some", "dry", "free"})
    site.write(std::string("html/") + name, "ok");
  REQUIRE(site.load_error() == "");
  const auto get = [&](const std::string& target, const char* key) {
    return status_of_answer(site.get(target, "Key: " + std::string(key) + "\r\n"));
  };
  CHECK(get("/nodelay", "a") == 200);
  CHECK(get("/nodelay", "a") == 200);
  CHECK(get("/nodelay", "a") == 429);
  CHECK(get("/nodelay", "b") == 200);
  CHECK(status_of_answer(site.get("/nodelay")) == 200);  // no key: not counted
  site.write("logs/f.log", "");
  CHECK(get("/delay", "c") == 200);
  CHECK(get("/delay", "c") == 200);
  CHECK(site.read("logs/f.log").find("/delay 200 PASSED 0.000\n/delay 200 DELAYED 1.0") == 0);
  site.write("logs/f.log", "");
  for (int i = 0; i < 4; ++i)
    CHECK(get("/some", "d") == 200);
  CHECK(site.read("logs/f.log")
            .find("/some 200 PASSED 0.000\n/some 200 PASSED 0.000\n"
                  "/some 200 PASSED 0.000\n/some 200 DELAYED 1.0") == 0);
  site.write("logs/f.log", "");
  get("/dry", "e");
  get("/dry", "e");
  get("/free", "e");
  CHECK(site.read("logs/f.log") ==
        "/dry 200 PASSED 0.000\n/dry 200 REJECTED_DRY_RUN 0.000\n/free 200 - 0.000\n");
  const auto log = site.read("logs/error.log");
  CHECK(log.find("[error]") != std::string::npos);
  CHECK(log.find("limiting requests, excess: 2.000 by zone \"one\"") != std::string::npos);
  CHECK(log.find("limiting requests, dry run, excess: 1.000 by zone \"dry\"") != std::string::npos);
  CHECK(log.find("delaying request, excess: 1.000, by zone \"one\"") != std::string::npos);
}

TEST_CASE("the zone is kept over a reload, and a changed rate counts from then on", "[both]") {
  const std::string server =
      "server { listen 80; server_name localhost; access_log off; location / { limit_req zone=z; "
      "try_files /none =204; } }";
  Site site("limit_req_zone $server_name zone=z:1m rate=1r/m; " + server);
  REQUIRE(site.load_error() == "");
  CHECK(status_of_answer(site.get("/")) == 204);
  CHECK(status_of_answer(site.get("/")) == 503);
  REQUIRE_FALSE(site.reload("limit_req_zone $server_name zone=z:1m rate=1r/m; " + server));
  CHECK(status_of_answer(site.get("/")) == 503);
  REQUIRE_FALSE(site.reload("limit_req_zone $server_name zone=z:1m rate=1000r/s; " + server));
  site.run_for(Duration(100));
  CHECK(status_of_answer(site.get("/")) == 204);
}

TEST_CASE("a place among the connections is given back when the request is over") {
  Site site(R"(
    limit_conn_zone $server_name zone=c:1m;
    limit_req_zone $server_name zone=r:1m rate=1r/s;
    log_format f "$uri $status $limit_conn_status";
    server { listen 80; server_name localhost; access_log logs/f.log f; root $folder/html;
      location / { limit_conn c 1; }
      location /err { limit_conn c 1; error_page 404 /a; } })");
  site.write("html/a", "a");
  REQUIRE(site.load_error() == "");
  for (int i = 0; i < 3; ++i) {
    CHECK(status_of_answer(site.get("/a")) == 200);
    CHECK(status_of_answer(site.get("/err")) == 404);  // counted once, not again for its page
  }
  CHECK(site.read("logs/f.log").find("REJECTED") == std::string::npos);
  CHECK(site.read("logs/f.log").find("/a 200 PASSED") == 0);
}

TEST_CASE("limit_rate: the first second's bytes at once, then so many a second, and all of them") {
  Site site(R"(log_format f "$request_time $body_bytes_sent $limit_rate";
    server { listen 80; server_name localhost; access_log logs/f.log f; root $folder/html;
      location /a { limit_rate 10k; }
      location /after { limit_rate $arg_r; limit_rate_after 20k; alias $folder/html/a; }
      location /set { set $limit_rate 1m; limit_rate 1; alias $folder/html/a; }
      location /if { if ($arg_r) { limit_rate 10k; } alias $folder/html/a; } })");
  std::string body;
  for (int i = 0; i < 30000; ++i)
    body += static_cast<char>('a' + i % 23);
  site.write("html/a", body);
  REQUIRE(site.load_error() == "");
  for (const char* target : {"/a", "/after?r=10k", "/after?r=0", "/set", "/if?r=1"}) {
    INFO(target);
    CHECK(body_of_answer(site.get(target)) == body);
  }
  std::vector<std::string> lines;
  const auto log = site.read("logs/f.log");
  for (const auto line : split(log, '\n'))
    lines.emplace_back(line);
  REQUIRE(lines.size() == 6);
  CHECK(lines[0].starts_with("1.9"));  // 10240, 20480 after a second, the rest 0.93 later
  CHECK(lines[0].ends_with(" 30000 10240"));
  CHECK(lines[1].starts_with("0.0"));
  CHECK(lines[2].starts_with("0.0"));
  CHECK(lines[3].ends_with(" 30000 1048576"));
  CHECK(lines[4].starts_with("1.9"));
}

TEST_CASE("limits that make no sense are refused with the mend") {
  const std::pair<const char*, const char*> rows[] = {
      {"limit_req_zone $uri zone=a:1k rate=1r/s;", "too small"},
      {"limit_req_zone $uri zone=a rate=1r/s;", "as zone=one:1m"},
      {"limit_req_zone $uri zone=a:1m rate=1;", "as rate=10r/s"},
      {"limit_req_zone $uri zone=a:1m; limit_req_zone $host zone=a:1m;",
       "already bound to the key"},
      {"limit_req burst=1;", "must have the \"zone\" parameter"},
      {"limit_req zone=a burst=x;", "invalid burst value"},
      {"server { limit_req zone=a; limit_req zone=a; }", "is duplicate"},
      {"server { location / { limit_req zone=nowhere; } }", "unknown zone \"nowhere\""},
      {"server { limit_conn nowhere 1; }", "unknown zone \"nowhere\""},
      {"limit_rate fast;", "a size, as 100k"},
      {"limit_conn a 0;", "1 to 65535"},
      {"limit_req_status 200;", "400 to 599"},
      {"limit_req_log_level loud;", "warn"},
  };
  for (const auto& [text, expected] : rows) {
    INFO(text);
    Site site(text);
    CHECK(site.load_error().find(expected) != std::string::npos);
    CHECK(site.load_error().find("site.conf:") != std::string::npos);
  }
}
