// What an upstream's answer asks of the proxy: cookies, Refresh, X-Accel-*.

#include "tests/unit/upstream/proxy_fixture.h"

namespace gatescope::upstream {

namespace {

std::string answer(std::string_view fields) {
  return "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n" + std::string(fields) + "\r\nok";
}

/// The client's fields for an upstream's fields.
std::string fields_for(std::string_view rules, std::string_view fields) {
  Site site("location / { proxy_pass http://127.0.0.1:9000; " + std::string(rules) + " }");
  INFO(site.error);
  FakeUpstream upstream(site.loop, 9000);
  upstream.reply = answer(fields);
  auto client = site.send({});
  site.run();
  return client->link.headers;
}

}  // namespace

TEST_CASE("cookies are rewritten as by nginx") {
  struct Row {
    std::string_view rules, cookie, becomes;
  };
  const Row rows[] = {
      {"", "a=b; Path=/x; Domain=.y", "a=b; Path=/x; Domain=.y"},
      {"proxy_cookie_domain www.example.org .example.com;", "v=p=d=; Domain=www.Example.org",
       "v=p=d=; Domain=example.com"},
      {"proxy_cookie_domain .site.test en.org;", "a=b; domain=.Site.TEST", "a=b; domain=.en.org"},
      {"proxy_cookie_domain ~^(.+)\\.com$ $1.org;", "a=b; Domain=www.x.COM",
       "a=b; Domain=www.x.org"},
      {"proxy_cookie_domain a b; proxy_cookie_domain b c;", "x=y; Domain=a", "x=y; Domain=b"},
      {"proxy_cookie_path /path/ /new/;", "a=b;Path=/path/t;HttpOnly",
       "a=b; Path=/new/t; HttpOnly"},
      {"proxy_cookie_path ~^/r/(.+)$ /$1;", "a=b; Path=/R/t", "a=b; Path=/R/t"},
      {"proxy_cookie_path ~*^/r/(.+)$ /$1;", "a=b; Path=/R/t", "a=b; Path=/t"},
      {"proxy_cookie_path /p /q; proxy_cookie_domain d e;", "a=b; Path=/p; Domain=d",
       "a=b; Path=/q; Domain=e"},
      {"proxy_cookie_flags one secure nohttponly samesite=lax;", "one=1; HttpOnly; Path=/",
       "one=1; Path=/; Secure; SameSite=Lax"},
      {"proxy_cookie_flags one secure;", "two=1", "two=1"},
      {"proxy_cookie_flags ~^t secure; proxy_cookie_flags two httponly;", "two=1", "two=1; Secure"},
      {"proxy_cookie_flags a samesite=none;", "a=1; SameSite=Strict", "a=1; SameSite=None"},
      {"proxy_cookie_flags a nosamesite nosecure;", "a=1; Secure; SameSite=Strict", "a=1"},
      {"proxy_cookie_path off;", "a=b ;  Path=/p", "a=b ;  Path=/p"},
  };
  for (const auto& row : rows) {
    INFO(row.rules << " | " << row.cookie);
    CHECK(fields_for(row.rules, "Set-Cookie: " + std::string(row.cookie) + "\r\n") ==
          "{Set-Cookie=" + std::string(row.becomes) + "}");
  }
}

TEST_CASE("Refresh follows proxy_redirect, and of repeated single fields the first goes on") {
  CHECK(fields_for("proxy_redirect http://b/ /;", "Refresh: 7; URL=http://b/x\r\n") ==
        "{Refresh=7; URL=/x}");
  CHECK(fields_for("", "Expires: foo\r\nExpires: bar\r\nX: 1\r\nX: 2\r\n") ==
        "{Expires=foo}{X=1}{X=2}");
}

TEST_CASE("X-Accel-Redirect: another place answers, with the fields that go on") {
  const char* const kSite =
      "location / { proxy_pass http://127.0.0.1:9000; }"
      "location /inside { return 200 \"$uri $args $request_method "
      "$upstream_http_x_accel_redirect\"; }"
      "location @named { return 200 named; }";
  struct Row {
    std::string_view to, body;
  };
  for (const auto& row : {Row{"/inside/a%20b?q", "/inside/a b q GET /inside/a%20b?q"},
                          Row{"/inside/a%3fb.txt", "/inside/a?b.txt  GET /inside/a%3fb.txt"},
                          Row{"/inside/a%3Fb?q?r", "/inside/a?b q?r GET /inside/a%3Fb?q?r"},
                          Row{"@named", "named"}}) {
    INFO(row.to);
    Site site(kSite);
    FakeUpstream upstream(site.loop, 9000);
    upstream.reply = answer("X-Accel-Redirect: " + std::string(row.to) +
                            "\r\nContent-Type: text/blah\r\nSet-Cookie: a=b\r\nExpires: fake\r\n"
                            "Something: other\r\n");
    auto client = site.send({.method = "POST"});
    site.run();
    CHECK(client->link.status == 200);
    CHECK(client->link.body == row.body);
    CHECK(client->link.type == "text/blah");
    CHECK(client->link.headers == "{Set-Cookie=a=b}{Expires=fake}");
  }
}

TEST_CASE("X-Accel-Redirect never leads outside") {
  for (std::string_view to : {"..", "../x", "/a/..", "/a/.%2e/b", "/%00", "/a%zz", "x", ""}) {
    INFO(to);
    Site site("location / { proxy_pass http://127.0.0.1:9000; } location /a { return 200 in; }");
    FakeUpstream upstream(site.loop, 9000);
    upstream.reply = answer("X-Accel-Redirect: " + std::string(to) + "\r\n");
    auto client = site.send({});
    site.run();
    CHECK(client->link.status == 404);
  }
}

TEST_CASE("proxy_ignore_headers: the upstream's wish counts for nothing") {
  CHECK(fields_for("proxy_ignore_headers X-Accel-Redirect; proxy_pass_header X-Accel-Redirect;",
                   "X-Accel-Redirect: /x\r\n") == "{X-Accel-Redirect=/x}");
}

TEST_CASE("proxy_intercept_errors comes before X-Accel-Redirect") {
  for (const std::string_view intercept : {"on", "off"}) {
    CAPTURE(intercept);
    Site site(
        "location / { proxy_pass http://127.0.0.1:9000; error_page 404 @page; "
        "proxy_intercept_errors " +
        std::string(intercept) +
        "; } location @page { return 200 page; } location /inside { return 200 inside; }");
    FakeUpstream upstream(site.loop, 9000);
    upstream.reply = "HTTP/1.1 404 No\r\nContent-Length: 0\r\nX-Accel-Redirect: /inside\r\n\r\n";
    auto client = site.send({});
    site.run();
    CHECK(client->link.body == (intercept == "on" ? "page" : "inside"));
  }
}

TEST_CASE("a redirect to another upstream is told from another try") {
  Site site(
      "location / { proxy_pass http://127.0.0.1:9000; } "
      "location /inside { proxy_pass http://127.0.0.1:9001; }");
  FakeUpstream upstream(site.loop, 9000), inside(site.loop, 9001);
  upstream.reply = answer("X-Accel-Redirect: /inside\r\n");
  inside.reply = answer("");
  auto client = site.send({});
  site.run();
  CHECK(client->value(site.variables, "upstream_status") == "200 : 200");
}

TEST_CASE("$upstream_trailer_ tells what came behind the body") {
  Site site("location / { proxy_pass http://127.0.0.1:9000; }");
  FakeUpstream upstream(site.loop, 9000);
  upstream.reply =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 7\r\n\r\n";
  auto client = site.send({});
  site.run();
  CHECK(client->value(site.variables, "upstream_trailer_x_sum") == "7");
  CHECK(client->value(site.variables, "upstream_trailer_x") == "(none)");
}

TEST_CASE("$upstream_http_ and $upstream_cookie_ tell what came, hidden or not") {
  Site site("location / { proxy_pass http://127.0.0.1:9000; proxy_hide_header X-Secret; }");
  FakeUpstream upstream(site.loop, 9000);
  upstream.reply =
      answer("X-Secret: s\r\nServer: gunicorn\r\nX: 1\r\nX: 2\r\nSet-Cookie: a=b; Path=/\r\n");
  auto client = site.send({});
  site.run();
  CHECK(client->value(site.variables, "upstream_http_x_secret") == "s");
  CHECK(client->value(site.variables, "upstream_http_server") == "gunicorn");
  CHECK(client->value(site.variables, "upstream_http_x") == "1, 2");
  CHECK(client->value(site.variables, "upstream_cookie_a") == "b");
  CHECK(client->value(site.variables, "upstream_http_none") == "(none)");
}

}  // namespace gatescope::upstream
