// error_page in all its forms, internal redirects and where they end, and the limits of a request
// with nginx's statuses.

#include "tests/support/catch.h"
#include "tests/unit/server/backend_fixture.h"
#include "tests/unit/server/hostile_fixture.h"
#include "tests/unit/server/site_fixture.h"

using namespace gatescope::test;

TEST_CASE("error_page: codes, answers, names, variables, other sites, recursion, levels",
          "[both]") {
  Site site(R"(server { listen 80; root html;
    error_page 404 403 /outer.html;
    location = /outer.html { return 200 "outer $status $uri $request_uri $request_method"; }
    location /inherits { return 404; }
    location /replaces { error_page 403 /inner; return 404; }
    location /several { error_page 410 411 412 =299 /text; return 411; }
    location /same { error_page 404 = /text; return 404; }
    location /set { error_page 404 =201 /text; return 404; }
    location /text { return 207 "text $args"; }
    location /args { error_page 404 /text?a=$arg_x; return 404; }
    location /variable { error_page 404 $arg_to; return 404; }
    location /named { error_page 404 = @named; return 404; }
    location @named { return 202 "named $uri $request_method"; }
    location /no-such-name { error_page 404 @nobody; return 404; }
    location /away { error_page 404 http://other/$uri; return 404; }
    location /away301 { error_page 404 =301 http://other/; return 404; }
    location /away308 { error_page 404 =308 http://other/; return 404; }
    location /away200 { error_page 404 =200 http://other/; return 404; }
    location /relative { error_page 404 no-slash; return 404; }
    location /redirects { error_page 404 /moved; return 404; }
    location /moved { return 302 /elsewhere; }
    location /once { error_page 404 /fails; return 404; }
    location /fails { error_page 500 /text; return 500; }
    location /again { recursive_error_pages on; error_page 404 /fails-again; return 404; }
    location /fails-again { recursive_error_pages on; error_page 500 =202 /text; return 500; }
    location /loop { recursive_error_pages on; error_page 404 500 /loop; return 404; }
    location /named-loop { recursive_error_pages on; error_page 404 500 @loop; return 404; }
    location @loop { recursive_error_pages on; error_page 404 500 @loop; return 404; }
    location /rewrites { rewrite ^ /rewrites last; }
    location /intercepts { proxy_pass http://127.0.0.1:9000; proxy_intercept_errors on;
                           error_page 404 = /text; error_page 502 /outer.html; }
    location /passes { proxy_pass http://127.0.0.1:9000; error_page 404 = /text; }
    location /closes { return 444; }
  })");
  REQUIRE(site.load_error() == "");
  Backend backend(site.loop(), 9000);
  backend.reply = "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nback";
  struct Row {
    std::string target;
    int status;
    std::string body = {}, location = {};
  };
  const Row rows[] = {
      {"/missing", 404, "outer 404 /outer.html /missing GET"},
      {"/inherits", 404, "outer 404 /outer.html /inherits GET"},
      {"/replaces", 404},
      {"/several", 299, "text "},
      {"/same", 207, "text "},
      {"/set", 201, "text "},
      {"/args?x=1", 404, "text a=1"},
      {"/variable?to=/text", 404, "text "},
      {"/variable?to=@named", 404, "named /variable GET"},
      {"/variable?to=http://other/", 302, "", "http://other/"},
      {"/named", 202, "named /named GET"},
      {"/no-such-name", 500},
      {"/away", 302, "", "http://other//away"},
      {"/away301", 301, "", "http://other/"},
      {"/away308", 308, "", "http://other/"},
      {"/away200", 302, "", "http://other/"},
      {"/redirects", 302, "", "http://localhost/elsewhere"},
      {"/once", 500},
      {"/again", 202, "text "},
      {"/loop", 500},
      {"/named-loop", 500},
      {"/rewrites", 500},
      {"/intercepts", 207, "text "},
      {"/passes", 404, "back"},
      {"/closes", 0},
  };
  for (const auto& row : rows) {
    INFO(row.target);
    const auto answer = site.get(row.target);
    CHECK(status_of_answer(answer) == row.status);
    if (!row.body.empty()) CHECK(body_of_answer(answer) == row.body);
    if (!row.location.empty()) CHECK(field_of_answer(answer, "Location") == row.location);
  }
  const auto head = [&](const std::string& method, const std::string& target) {
    return site.ask(method + " " + target + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  };
  CHECK(body_of_answer(head("POST", "/inherits")).ends_with(" GET"));    // by a path: GET
  CHECK(body_of_answer(head("POST", "/named")) == "named /named POST");  // by a name: as it was
  CHECK(body_of_answer(head("HEAD", "/inherits")).empty());
  const auto log = site.read("logs/error.log");
  for (const std::string words :
       {"rewrite or internal redirection cycle while internally redirecting to \"/loop\"",
        "rewrite or internal redirection cycle while redirect to named location \"@loop\"",
        "rewrite or internal redirection cycle while processing \"/rewrites\"",
        "could not find named location \"@nobody\""})
    CHECK(log.find(words) != std::string::npos);
}

TEST_CASE("an error page out of a file that nobody keeps says what it is, in the log too",
          "[both]") {
  Site site(R"(log_format f "$status $sent_http_content_type $sent_http_etag";
    types { text/html html; } open_file_cache off;
    server { listen 80; access_log logs/a.log f; root $folder/html; error_page 404 /404.html; })");
  REQUIRE(site.load_error() == "");
  site.write("html/404.html", "nothing here");
  const auto answer = site.get("/missing");
  CHECK(status_of_answer(answer) == 404);
  CHECK(field_of_answer(answer, "Content-Type") == "text/html");
  const auto tag = field_of_answer(answer, "ETag");
  CHECK(tag == field_of_answer(site.get("/404.html"), "ETag"));
  CHECK(body_of_answer(answer) == "nothing here");
  CHECK(site.read("logs/a.log")
            .starts_with("404 text/html \\x22" + tag.substr(1, tag.size() - 2) + "\\x22\n"));
}

TEST_CASE("a folder with a question mark in its name has an index as any other", "[both]") {
  Site site("server { listen 80; root $folder/html; }");
  REQUIRE(site.load_error() == "");
  site.write("html/q?d/index.html", "here");
  CHECK(body_of_answer(site.get("/q%3Fd/")) == "here");
  CHECK(body_of_answer(site.get("/q%3Fd/?x=1")) == "here");
}

TEST_CASE("limits of a request, each with its status, each answered by an error page too") {
  constexpr const char* kLimits = R"(
    client_header_timeout 2s; client_body_timeout 3s; large_client_header_buffers 2 1k;
    max_headers 10; client_max_body_size 100; keepalive_requests 3; )";
  constexpr const char* kServer = R"(
    location / { return 200 ok; }
    location /up { proxy_pass http://127.0.0.1:9000; }
    location /file { root html; })";
  const std::string big(2000, 'x');
  std::string many;
  for (int i = 0; i < 20; ++i)
    many += "X: y\r\n";
  struct Row {
    std::string name, raw, plain, paged;  // statuses without and with error pages
  };
  const std::string host = "Host: a\r\nConnection: close\r\n";
  const Row rows[] = {
      {"bad field", "GET / HTTP/1.1\r\n" + host + "X : y\r\n\r\n", "400", "400"},
      {"no method", "/ HTTP/1.1\r\n\r\n", "400", "400"},
      {"not allowed", "POST /file HTTP/1.1\r\n" + host + "\r\n", "405", "405"},
      {"head not in time", "GET / HTTP/1.1\r\nHost:", "408", "408"},
      {"body not in time", "POST /up HTTP/1.1\r\n" + host + "Content-Length: 10\r\n\r\nhalf", "408",
       "408"},
      {"body too large", "POST /up HTTP/1.1\r\n" + host + "Content-Length: 101\r\n\r\n", "413",
       "413"},
      {"target too long", "GET /" + big + " HTTP/1.1\r\n" + host + "\r\n", "414", "414"},
      {"unknown expectation", "GET / HTTP/1.1\r\n" + host + "Expect: tea\r\n\r\n", "417", "417"},
      {"field too long", "GET / HTTP/1.1\r\n" + host + "X: " + big + "\r\n\r\n", "400", "494"},
      {"too many fields", "GET / HTTP/1.1\r\n" + host + many + "\r\n", "400", "400"},
      {"unknown coding", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: gzip\r\n\r\n", "501",
       "501"},
      {"unknown version", "GET / HTTP/1.7\r\n" + host + "\r\n", "505", "505"},
      {"good", "GET / HTTP/1.1\r\n" + host + "\r\n", "200", "200"},
  };
  Site plain(std::string(kLimits) + "server { listen 80; " + kServer + " }");
  Site paged(std::string(kLimits) +
             "server { listen 80; error_page 400 405 408 413 414 417 494 501 505 /page; "
             "location = /page { return 200 \"page $status\"; } " +
             kServer + " }");
  REQUIRE(plain.load_error() == "");
  REQUIRE(paged.load_error() == "");
  plain.write("html/file", "");
  paged.write("html/file", "");
  for (const auto& row : rows)
    for (const bool bytewise : {false, true}) {
      INFO(row.name << (bytewise ? ", byte by byte" : ""));
      CHECK(statuses_of(bytewise ? plain.ask_bytewise(row.raw) : plain.ask(row.raw)) == row.plain);
      const auto answer = bytewise ? paged.ask_bytewise(row.raw) : paged.ask(row.raw);
      CHECK(statuses_of(answer) == row.paged);
      if (row.paged != "200") CHECK(body_of_answer(answer) == "page " + row.paged);
    }
}

TEST_CASE("connections are kept as long as is said, and for whom") {
  Site site(R"(server { listen 80; keepalive_timeout 10s 9s; keepalive_requests 3;
    location / { return 200 ok; }
    location /none { keepalive_disable none; return 200 ok; }
    location /safari { keepalive_disable safari; return 200 ok; }
    location /zero { keepalive_timeout 0; return 200 ok; }
    location /broken { return 500; }
  })");
  REQUIRE(site.load_error() == "");
  const auto ask = [&](const std::string& method, const std::string& target,
                       const std::string& agent) {
    const auto answer = site.ask(method + " " + target +
                                 " HTTP/1.1\r\nHost: a\r\nUser-Agent: " + agent + "\r\n\r\n");
    return field_of_answer(answer, "Connection") + " " + field_of_answer(answer, "Keep-Alive");
  };
  const std::string kept = "keep-alive timeout=9", closed = "close (none)";
  CHECK(ask("GET", "/", "curl") == kept);
  CHECK(ask("GET", "/zero", "curl") == closed);
  CHECK(ask("GET", "/broken", "curl") == closed);
  CHECK(ask("POST", "/", "Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1)") == closed);
  CHECK(ask("POST", "/", "Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1; SV1)") == kept);
  CHECK(ask("POST", "/", "Mozilla/4.0 (compatible; MSIE 5.5; Windows 98)") == closed);
  CHECK(ask("POST", "/", "Mozilla/4.0 (compatible; MSIE 6.0) Opera 8.0") == kept);
  CHECK(ask("POST", "/", "Mozilla/4.0 (compatible; MSIE 7.0)") == kept);
  CHECK(ask("GET", "/", "Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1)") == kept);
  CHECK(ask("POST", "/none", "Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1)") == kept);
  CHECK(ask("GET", "/safari", "Mozilla/5.0 (Macintosh; Intel Mac OS X) Safari/605") == closed);
  CHECK(ask("GET", "/safari", "Mozilla/5.0 (Macintosh; Intel Mac OS X) Chrome/1 Safari/605") ==
        kept);
  CHECK(ask("GET", "/safari", "Mozilla/5.0 (X11; Linux) Safari/605") == kept);
  std::string five;
  for (int i = 0; i < 5; ++i)
    five += "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  CHECK(statuses_of(site.ask(five)) == "200 200 200");
}

TEST_CASE("a page that explains an error has no age, whatever file it is", "[both]") {
  Site site(R"(server { listen 80; root html;
    error_page 404 /page.html;
    location /ok { error_page 404 =200 /page.html; return 404; }
    location = /page.html { etag off; } })");
  REQUIRE(site.load_error() == "");
  site.write("html/page.html", "sorry");
  const auto missing = site.get("/missing");
  CHECK(missing.find(" 404 ") != std::string::npos);
  CHECK(field_of_answer(missing, "Last-Modified") == "(none)");
  CHECK(field_of_answer(site.get("/ok"), "Last-Modified") != "(none)");
  CHECK(field_of_answer(site.get("/page.html"), "Last-Modified") != "(none)");
}
