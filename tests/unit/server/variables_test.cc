// Variables, map, geo, rewrite and `if`, asked of a whole server.

#include <cmath>

#include "tests/support/catch.h"
#include "tests/unit/server/backend_fixture.h"
#include "tests/unit/server/site_fixture.h"

using namespace gatescope;
using namespace gatescope::test;

TEST_CASE("a map is found once per request unless it is volatile", "[both]") {
  Site site(R"(
    map $uri $kept { default other; /a first; }
    map $uri $fresh { volatile; default other; /a first; }
    server { listen 80; server_name localhost;
      location /a { set $then "$kept $fresh"; rewrite ^ /b last; }
      location /b { return 200 "$then, $kept $fresh"; }
      location /id { set $first $request_id; if ($request_id != $first) { return 500; }
                     return 200 $request_id; }
    })");
  REQUIRE(site.load_error() == "");
  CHECK(body_of_answer(site.get("/a")) == "first first, first other");
  const auto id = body_of_answer(site.get("/id"));
  CHECK(id.size() == 32);
  CHECK(body_of_answer(site.get("/id")) != id);
}

TEST_CASE("maps that need each other end, and the log says so") {
  Site site(R"(
    map $second $first { default "1$second"; }
    map $first $second { default "2$first"; }
    server { listen 80; server_name localhost; return 200 "got $first"; })");
  REQUIRE(site.load_error() == "");
  CHECK(status_of_answer(site.get("/")) == 200);
  CHECK(site.read("logs/error.log").find("cycle while evaluating variable") != std::string::npos);
}

TEST_CASE("values of maps have captures and names of the key that matched", "[both]") {
  Site site(R"(
    map $arg_a $b { ~^(\w)-(?<rest>\w+)$ "$1+$rest"; default none; }
    geo $arg_ip $place { default world; 192.0.2.0/24 test; 2001:db8::/32 six; volatile; }
    server { listen 80; server_name localhost; return 200 "$b $place $REST"; })");
  REQUIRE(site.load_error() == "");
  CHECK(body_of_answer(site.get("/?a=x-yz&ip=192.0.2.9")) == "x+yz test yz");
  CHECK(body_of_answer(site.get("/?a=xyz&ip=2001:db8::1")) == "none six ");
  CHECK(body_of_answer(site.get("/?ip=nonsense")) == "none world ");
}

TEST_CASE("names that cannot be set, are unknown, or wrong in a map are refused with their place") {
  const std::pair<const char*, const char*> rows[] = {
      {"server { set $uri x; }", "the duplicate \"uri\" variable"},
      {"server { set $http_host x; }", "the duplicate \"http_host\" variable"},
      {"map $uri $request_id { }", "the duplicate \"request_id\" variable"},
      {"map $uri $args { }", "the duplicate \"args\" variable"},
      {"server { return 200 $greetin; set $greeting x; }", "did you mean \"$greeting\"?"},
      {"map $uri x { }", "invalid variable name \"x\""},
      {"map $uri $x { a b c; }", "invalid number of the map parameters"},
      {"map $uri $x { a 1; A 2; }", "conflicting parameter \"A\""},
      {"map $uri $x { default 1; default 2; }", "duplicate default map parameter"},
      {"geo $x { 10.0.0.0/40 1; }", "invalid network \"10.0.0.0/40\""},
      {"geo $x { 10.0.0.0/8 1; ranges; }", "must be the first"},
      {"geo $x { ranges; 10.0.0.0-10.0.0.9 1; 10.0.0.5-10.0.0.12 2; }", "overlaps"},
      {"server { location / { if ($uri) { keepalive_timeout 1; } } }",
       "choose its value by a map, or say it in a location of its own"},
  };
  for (const auto& [text, expected] : rows) {
    INFO(text);
    Site site(text);
    CHECK(site.load_error().find(expected) != std::string::npos);
    CHECK(site.load_error().find("site.conf:") != std::string::npos);
  }
}

TEST_CASE("what may be set: prefix variables, $args, $limit_rate", "[both]") {
  Site site(R"(server { listen 80; server_name localhost;
    location /prefix { set $http_x mine; return 200 $http_x; }
    location /other { return 200 $http_x; }
    location /args { set $args new=1; return 200 "$args $query_string $arg_new$is_args"; }
    location /rate { set $limit_rate $arg_r; return 200 $limit_rate; }
    location /cookie { return 200 "[$cookie_b]"; }
  })");
  REQUIRE(site.load_error() == "");
  CHECK(body_of_answer(site.get("/prefix", "X: theirs\r\n")) == "mine");
  CHECK(body_of_answer(site.get("/other", "X: theirs\r\nX: too\r\n")) == "theirs, too");
  CHECK(body_of_answer(site.get("/args?old=1")) == "new=1 new=1 1?");
  CHECK(body_of_answer(site.get("/rate?r=2k")) == "2048");
  CHECK(body_of_answer(site.get("/rate?r=x")) == "0");
  CHECK(site.read("logs/error.log").find("invalid $limit_rate \"x\"") != std::string::npos);
  const std::pair<const char*, const char*> cookies[] = {
      {"b=1", "[1]"},      {"a=1; b=2", "[2]"}, {"a=b=3; B = 4 ; c=5", "[4 ]"},
      {"a=1, b=6", "[6]"}, {"ab=1", "[]"},      {"b", "[]"},
      {"xb=1;b=", "[]"},   {"b=x=y", "[x=y]"}};
  for (const auto& [field, expected] : cookies) {
    INFO(field);
    CHECK(body_of_answer(site.get("/cookie", std::string("Cookie: ") + field + "\r\n")) ==
          expected);
  }
}

TEST_CASE("rewrite puts arguments, escapes and redirects together as nginx does", "[both]") {
  Site site(R"(server { listen 80; server_name localhost;
    location /keep { rewrite ^/keep(.*) /show$1; }
    location /more { rewrite ^/more(.*) /show$1?x=$1; }
    location /drop { rewrite ^/drop(.*) /show$1?; }
    location /swap { rewrite ^/swap(.*) /show?y=$1? last; }
    location /away { rewrite ^/away(.*) http://a.example$1 permanent; }
    location /self { rewrite ^/self(.*) $scheme://$host$1?z=1; }
    location /split { rewrite ^ http://a.example/$arg_to? redirect; }
    location /brk { rewrite ^ /show break; return 200 never; }
    location /then { rewrite ^ /gone; return 200 "here $uri"; }
    location /zero { rewrite ^ $arg_none last; }
    location /miss { if ($uri ~ (m)) { set $m $1; } if ($uri ~ (zzz)) { } return 200 "[$1$m]"; }
    location /code { return 306; }
    location /type.html { return 200 x; }
    location /show { return 200 "$uri?$args"; }
  })");
  REQUIRE(site.load_error() == "");
  const std::pair<const char*, const char*> bodies[] = {{"/keep/a?b=c", "/show/a?b=c"},
                                                        {"/more/a?b=c", "/show/a?x=/a&b=c"},
                                                        {"/more/%25?b", "/show/%?x=/%25&b"},
                                                        {"/drop/a?b=c", "/show/a?"},
                                                        {"/swap/a?b=c", "/show?y=/a"},
                                                        {"/then", "here /gone"},
                                                        {"/miss", "[m]"}};
  for (const auto& [target, expected] : bodies) {
    INFO(target);
    CHECK(body_of_answer(site.get(target)) == expected);
  }
  const std::pair<const char*, const char*> locations[] = {
      {"/away/x?q=1", "http://a.example/x?q=1"},
      {"/away/a%20b", "http://a.example/a%20b"},
      {"/self/x?q=1", "http://localhost/x?z=1&q=1"},
      {"/split?to=%2Fx%3Fy%0d%0aSet-Cookie:a", "http://a.example//x?y%0d%0aSet-Cookie:a"}};
  for (const auto& [target, expected] : locations) {
    INFO(target);
    CHECK(field_of_answer(site.get(target), "Location") == expected);
  }
  CHECK(status_of_answer(site.get("/away")) == 301);
  CHECK(status_of_answer(site.get("/zero")) == 500);
  CHECK(status_of_answer(site.get("/brk")) == 404);
  CHECK(status_of_answer(site.get("/code")) == 306);
  CHECK(field_of_answer(site.get("/type.html"), "Content-Type") == "text/html");
}

TEST_CASE("the settings of the last if that holds count", "[both]") {
  Site site(R"(server { listen 80; server_name localhost; root $folder/html;
    location / {
      add_header X-Where outside;
      if ($arg_a) { add_header X-Where a; root $folder/a; }
      if ($arg_b) { add_header X-Where b; error_page 404 = @b; }
      if ($arg_c) { set $unused 1; }
    }
    location @b { return 200 "b's page"; }
  })");
  site.write("html/f", "html");
  site.write("a/f", "a");
  REQUIRE(site.load_error() == "");
  const auto answer = [&](const char* target) {
    const auto whole = site.get(target);
    return field_of_answer(whole, "X-Where") + ":" + body_of_answer(whole);
  };
  CHECK(answer("/f") == "outside:html");
  CHECK(answer("/f?a=1") == "a:a");
  CHECK(answer("/f?b=1") == "b:html");
  CHECK(answer("/f?a=1&b=1") == "b:html");
  CHECK(answer("/f?a=1&c=1") == "outside:html");  // the empty `if` inherits from the location
  CHECK(answer("/none?b=1") == "(none):b's page");
}

TEST_CASE("rewrite_log and uninitialized_variable_warn say what happens") {
  Site site(R"(server { listen 80; server_name localhost; rewrite_log on;
    location /a { rewrite ^/a(.*) /b$1?x=1; }
    location /b { if ($uri ~ z) { } return 200 ok; }
    location /warn { return 200 "[$never]"; }
    location /quiet { uninitialized_variable_warn off; return 200 "[$ever]"; }
    location /set { set $never 1; set $ever 1; }
  })");
  REQUIRE(site.load_error() == "");
  site.get("/a/c");
  CHECK(body_of_answer(site.get("/warn")) == "[]");
  CHECK(body_of_answer(site.get("/quiet")) == "[]");
  const auto log = site.read("logs/error.log");
  for (const char* line :
       {"\"^/a(.*)\" matches \"/a/c\"", "rewritten data: \"/b/c\", args: \"x=1\"",
        "\"z\" does not match \"/b/c\"", "using uninitialized \"never\" variable"}) {
    INFO(line);
    CHECK(log.find(line) != std::string::npos);
  }
  CHECK(log.find("\"ever\"") == std::string::npos);
}

TEST_CASE("$status is that of the answer whose head is being made, also through a map", "[both]") {
  Site site(R"(
    map $status $caching { default "no-store"; ~^2 "public"; }
    map $status $lifetime { default off; 200 1h; }
    log_format f "$status $caching";
    server { listen 80; server_name localhost; access_log logs/f.log f; root html;
      add_header Cache-Control $caching always;
      add_header X-Status $status always;
      location /a.txt { }
      location /moved { return 301 /a.txt; }
      location /made { return 201 x; }
      location /page { error_page 404 =202 /a.txt; return 404; }
      location /aged/ { add_header X-Status $status always; alias $folder/html/; expires $lifetime; } })");
  REQUIRE(site.load_error() == "");
  site.write("html/a.txt", "text");
  const struct {
    const char *target, *status, *caching;
  } rows[] = {{"/a.txt", "200", "public"},
              {"/none", "404", "no-store"},
              {"/moved", "301", "no-store"},
              {"/made", "201", "public"},
              {"/page", "202", "public"}};
  for (const auto& row : rows) {
    INFO(row.target);
    const auto answer = site.get(row.target);
    CHECK(field_of_answer(answer, "X-Status") == row.status);
    CHECK(field_of_answer(answer, "Cache-Control") == row.caching);
    CHECK(site.read("logs/f.log") == std::string(row.status) + " " + row.caching + "\n");
    site.write("logs/f.log", "");
  }
  CHECK(field_of_answer(site.get("/aged/a.txt"), "Cache-Control") == "max-age=3600");
  CHECK(field_of_answer(site.get("/aged/none"), "Cache-Control") == "(none)");
}

TEST_CASE("a path that begins with two slashes does not lead to another host", "[both]") {
  Site site(R"(server { listen 80; server_name localhost;
    location ~ evil { return 302 $request_uri/; }
    location /to { return 301 $arg_to; } })");
  REQUIRE(site.load_error() == "");
  CHECK(field_of_answer(site.get("//evil.test"), "Location") == "http://localhost//evil.test/");
  CHECK(field_of_answer(site.get("/to?to=//evil.test"), "Location") ==
        "http://localhost//evil.test");
}

TEST_CASE("$gzip_ratio and $brotli_ratio: how much smaller a body became here, as nginx rounds it",
          "[both]") {
  Site site(R"(
    log_format f "$gzip_ratio $brotli_ratio $upstream_cache_status";
    server { listen 80; server_name localhost; access_log logs/f.log f; root html;
      gzip on; gzip_types text/plain text/css; brotli on; brotli_types text/css;
      location /said { default_type text/plain; return 200 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"; } })");
  REQUIRE(site.load_error() == "");
  site.write("html/a.txt", std::string(5000, 'a'));
  site.write("html/a.css", std::string(5000, 'a'));
  const auto ratio = [&](const std::string& target, const std::string& coding) {
    site.write("logs/f.log", "");
    const auto answer = site.get(target, "Accept-Encoding: " + coding + "\r\n");
    const double sent = static_cast<double>(body_of_answer(answer).size());
    return std::pair(site.read("logs/f.log"), sent);
  };
  const auto is_near = [](const std::string& said, double expected) {
    return std::abs(std::stod(said) - expected) <= 0.006;
  };
  for (int i = 0; i < 2; ++i) {  // compressed, and out of what is kept
    const auto [said, sent] = ratio("/a.txt", "gzip");
    INFO(said);
    REQUIRE(said.ends_with(" - -\n"));
    CHECK(is_near(said, 5000 / sent));
  }
  const auto [brotli, sent] = ratio("/a.css", "br");
  REQUIRE(brotli.starts_with("- "));
  CHECK(is_near(brotli.substr(2), 5000 / sent));
  CHECK(ratio("/a.txt", "identity").first == "- - -\n");
  const auto [streamed, size] = ratio("/said", "gzip");
  INFO(streamed);
  REQUIRE(streamed.ends_with(" - -\n"));
  CHECK(std::stod(streamed) > 1);
}

TEST_CASE("$sent_http_location is what was sent, also where an upstream said it") {
  Site site(R"(
    log_format f "$sent_http_location";
    server { listen 80; server_name localhost; access_log logs/f.log f;
      location / { proxy_pass http://127.0.0.1:9000; } })");
  REQUIRE(site.load_error() == "");
  Backend backend(site.loop(), 9000);
  backend.reply = "HTTP/1.1 302 Found\r\nLocation: /rel\r\nContent-Length: 0\r\n\r\n";
  site.get("/");
  CHECK(site.read("logs/f.log") == "/rel\n");
}
