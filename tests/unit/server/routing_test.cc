// What the configuration says about paths and names, asked of a whole server.

#include "tests/support/catch.h"
#include "tests/unit/server/site_fixture.h"

using namespace gatescope;
using namespace gatescope::test;

namespace {

struct Row {
  std::string target;
  int status;
  std::string body;
};

void check(Site& site, const std::vector<Row>& rows) {
  REQUIRE(site.load_error() == "");
  for (const auto& row : rows) {
    INFO(row.target);
    const auto answer = site.get(row.target);
    CHECK(status_of_answer(answer) == row.status);
    if (row.status == 200) CHECK(body_of_answer(answer) == row.body);
  }
}

}  // namespace

TEST_CASE("locations are chosen as nginx chooses them", "[both]") {
  Site site(R"(server { listen 80; server_name localhost;
    location = /exact { return 200 exact; }
    location / { return 200 root; }
    location /images/ { return 200 images; }
    location ^~ /static/ { return 200 static; }
    location ~ \.(png|gif)$ { return 200 "regex $1"; }
    location ~* \.JPG$ { return 200 nocase; }
    location ~ ^/user/(?<who>\w+)$ { return 200 "hello $who"; }
    location /outer/ { return 200 outer; location /outer/inner/ { return 200 inner; }
                       location ~ /outer/.*x$ { return 200 "inner regex"; } }
  })");
  check(site, {{"/exact", 200, "exact"},
               {"/exact/", 200, "root"},
               {"/images/a.txt", 200, "images"},
               {"/images/a.png", 200, "regex png"},
               {"/static/a.png", 200, "static"},
               {"/a.jpg", 200, "nocase"},
               {"/user/ada", 200, "hello ada"},
               {"/outer/a", 200, "outer"},
               {"/outer/inner/a", 200, "inner"},
               {"/outer/ax", 200, "inner regex"},
               {"//exact", 200, "exact"},
               {"/x/../exact", 200, "exact"},
               {"/%65xact", 200, "exact"},
               {"/exact?a=b", 200, "exact"},
               {"/exact#part", 200, "exact"},
               {"/../exact", 400, ""},
               {"/%00", 400, ""},
               {"/%zz", 400, ""}});
}

TEST_CASE("servers are chosen by name: exact, wildcards, expressions, the default") {
  Site site(R"(
    server { listen 80 default_server; server_name _; return 200 default; }
    server { listen 80; server_name a.example www.b.example; return 200 "exact $server_name"; }
    server { listen 80; server_name *.b.example; return 200 leading; }
    server { listen 80; server_name .c.example; return 200 both; }
    server { listen 80; server_name d.*; return 200 trailing; }
    server { listen 80; server_name ~^(?<sub>\w+)\.e\.example$; return 200 "regex $sub"; }
    server { listen 80; server_name ""; return 200 nameless; })");
  REQUIRE(site.load_error() == "");
  const std::pair<std::string, std::string> rows[] = {
      {"a.example", "exact a.example"},  {"WWW.B.example", "exact a.example"},
      {"x.b.example", "leading"},        {"c.example", "both"},
      {"y.c.example", "both"},           {"d.org", "trailing"},
      {"sub.e.example", "regex sub"},    {"else.example", "default"},
      {"a.example.", "exact a.example"}, {"a.example:8080", "exact a.example"}};
  for (const auto& [host, body] : rows) {
    INFO(host);
    CHECK(body_of_answer(site.ask("GET / HTTP/1.1\r\nHost: " + host +
                                  "\r\nConnection: close\r\n\r\n")) == body);
  }
  CHECK(body_of_answer(site.ask("GET / HTTP/1.0\r\n\r\n")) == "nameless");
  CHECK(body_of_answer(site.ask(
            "GET http://c.example/x HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n")) ==
        "both");
  for (const std::string bad : {"a b", "a/b", "..a", "[::1", "a:x", "a:99999", "a@b"}) {
    INFO(bad);
    CHECK(status_of_answer(
              site.ask("GET / HTTP/1.1\r\nHost: " + bad + "\r\nConnection: close\r\n\r\n")) == 400);
  }
}

TEST_CASE("return, set, rewrite and if do what nginx does", "[both]") {
  Site site(R"(server { listen 80; server_name localhost;
    set $greeting hello;
    if ($http_x_old) { return 301 https://$host/new$request_uri; }
    location /text { return 200 "$greeting $arg_who"; }
    location /nothing { return 204; }
    location /gone { return 410; }
    location /moved { return 302 /text; }
    location /rewrite/ { rewrite ^/rewrite/(.*)$ /text?who=$1 last; }
    location /there/ { rewrite ^/there/(.*) /text?x=1 redirect; }
    location /quoted/ { rewrite ^/quoted/(.*)$ /args?who=$1 last; }
    location /args { return 200 $args; }
    location /away/ { rewrite ^/away/(.*) http://a/?x=$1 redirect; }
    location /json { return 503 '{"status":$status}'; }
    location /loop { rewrite ^ /loop last; }
    location /if { set $x no; if ($arg_a = yes) { set $x yes; } if ($arg_a ~ ^(y)) { return 200 "matched $1 $x"; }
                   return 200 $x; }
    location /brk { break; return 200 never; }
  })");
  check(site, {{"/text?who=world", 200, "hello world"},
               {"/nothing", 204, ""},
               {"/gone", 410, ""},
               {"/rewrite/ada", 200, "hello ada"},
               {"/quoted/%22%3C%3E%5C%5E%60%7B%7C%7D", 200, "who=%22%3C%3E%5C%5E%60%7B%7C%7D"},
               {"/json", 503, "{\"status\":503}"},
               {"/loop", 500, ""},
               {"/if?a=yes", 200, "matched y yes"},
               {"/if?a=no", 200, "no"}});
  CHECK(field_of_answer(site.get("/moved"), "Location") == "http://localhost/text");
  CHECK(field_of_answer(site.get("/there/x"), "Location") == "http://localhost/text?x=1");
  CHECK(field_of_answer(site.get("/away/%3Ca%22"), "Location") == "http://a/?x=%3Ca%22");
  CHECK(field_of_answer(site.get("/a?b", "X-Old: 1\r\n"), "Location") ==
        "https://localhost/new/a?b");
  CHECK(site.read("logs/error.log").find("rewrite or internal redirection cycle") !=
        std::string::npos);
}

TEST_CASE("error_page in its forms", "[both]") {
  Site site(R"(server { listen 80; server_name localhost; root $folder/html;
    error_page 404 /404.html;
    location /overwrite { error_page 410 =200 /ok.html; return 410; }
    location /taken { error_page 403 = /teapot; return 403; }
    location /named { error_page 503 @down; return 503; }
    location /away { error_page 502 https://status.example/; return 502; }
    location /twice { error_page 500 /also-missing; return 500; }
    location = /404.html { internal; }
    location = /teapot { return 418 short; }
    location @down { return 503 "down: $uri"; }
  })");
  site.write("html/404.html", "page of ours");
  site.write("html/ok.html", "fine");
  REQUIRE(site.load_error() == "");
  auto answer = site.get("/missing");
  CHECK(status_of_answer(answer) == 404);
  CHECK(body_of_answer(answer) == "page of ours");
  CHECK(status_of_answer(site.get("/404.html")) ==
        404);  // internal: 404 for a client, with that very page
  answer = site.get("/overwrite");
  CHECK(status_of_answer(answer) == 200);
  CHECK(body_of_answer(answer) == "fine");
  CHECK(status_of_answer(site.get("/taken")) == 418);
  CHECK(body_of_answer(site.get("/named")) == "down: /named");
  CHECK(status_of_answer(site.get("/named")) == 503);
  CHECK(field_of_answer(site.get("/away"), "Location") == "https://status.example/");
  CHECK(status_of_answer(site.get("/away")) == 302);
  CHECK(status_of_answer(site.get("/twice")) == 404);
}

TEST_CASE("try_files, index, alias and the redirect of folders", "[both]") {
  Site site(R"(server { listen 80; server_name localhost; root $folder/html;
    location / { try_files $uri $uri/ /index.html =404; }
    location /strict/ { try_files $uri =404; }
    location /app/ { try_files $uri @app; }
    location @app { return 200 "app $uri"; }
    location /files/ { alias $folder/elsewhere/; }
    location /plain/ { }
  })");
  site.write("html/index.html", "index");
  site.write("html/a.txt", "a");
  site.write("html/sub/index.html", "sub index");
  site.write("html/plain/x.txt", "x");
  site.write("html/.secret", "no");
  site.write("elsewhere/b.txt", "b");
  check(site, {{"/", 200, "index"},
               {"/a.txt", 200, "a"},
               {"/sub/", 200, "sub index"},
               {"/no/such/route", 200, "index"},
               {"/strict/none", 404, ""},
               {"/app/x", 200, "app /app/x"},
               {"/files/b.txt", 200, "b"},
               {"/files../site.conf", 200, "index"},
               {"/plain/x.txt", 200, "x"},
               {"/plain/", 403, ""},
               {"/plain/none", 404, ""}});
  // $uri/ finds the folder; the file handler then sends the client to its name with a slash
  CHECK(field_of_answer(site.get("/plain"), "Location") == "http://localhost/plain/");
  CHECK(body_of_answer(site.get("/.secret")) == "index");  // a dotfile is as good as missing
}

TEST_CASE("add_header follows the status, and a handler's own field is not doubled", "[both]") {
  Site site(R"(server { listen 80; server_name localhost;
    add_header X-Level server;
    location /a { return 200 a; }
    location /b { add_header X-Own $request_method; add_header X-Always yes always; return 404; }
    location /split { add_header X-Arg $arg_x; return 200 ok; }
  })");
  REQUIRE(site.load_error() == "");
  CHECK(field_of_answer(site.get("/a"), "X-Level") == "server");
  const auto b = site.get("/b");
  CHECK(field_of_answer(b, "X-Level") == "(none)");  // an inner level replaces the whole array
  CHECK(field_of_answer(b, "X-Own") == "(none)");
  CHECK(field_of_answer(b, "X-Always") == "yes");
  CHECK(field_of_answer(site.get("/split?x=1%0d%0aSet-Cookie:a"), "Set-Cookie") == "(none)");
}

TEST_CASE("limits: body size, methods, an internal location", "[both]") {
  Site site(R"(server { listen 80; server_name localhost; root $folder/html;
    client_max_body_size 10;
    location /hidden { internal; return 200 no; }
    location /show { try_files /nothing /hidden; }
    location / { }
  })");
  site.write("html/a.txt", "a");
  REQUIRE(site.load_error() == "");
  const auto post = [&](const std::string& fields, const std::string& body) {
    return status_of_answer(
        site.ask("POST /a.txt HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + fields +
                 "\r\n" + body));
  };
  CHECK(post("Content-Length: 11\r\n", "01234567890") == 413);
  CHECK(post("Content-Length: 3\r\n", "abc") == 405);
  CHECK(status_of_answer(site.get("/hidden")) == 404);
  CHECK(status_of_answer(site.get("/show")) == 200);
  CHECK(status_of_answer(
            site.ask("BREW / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")) == 405);
}
