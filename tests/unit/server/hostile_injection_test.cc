// What a client sends must not end a field, a line of a log, or a request that is made from it.

#include "proxy/base/text.h"
#include "tests/support/catch.h"
#include "tests/unit/server/hostile_fixture.h"

using namespace gatescope;
using namespace gatescope::test;

namespace {

constexpr const char* kHostileInjectionSite = R"(
  log_format bare escape=none '$uri|$arg_x|$http_x|';
  server {
    listen 80;
    root html;
    access_log logs/access.log;
    access_log logs/bare.log bare;
    location / { }
    location ~ ^/return/((?s).*)$ { return 302 /to/$1; }
    location ~ ^/away/((?s).*)$ { return 301 http://b/$1; }
    location ~ ^/raw/((?s).*)$ { return 302 http://b/$uri?$args; }
    location ~ ^/text/((?s).*)$ { default_type $arg_x; return 200 $1; }
    location ~ ^/header/((?s).*)$ { add_header X-Path $1 always; add_header X-Arg "$arg_x" always;
                                add_header X-Field "$http_x" always; return 200 ok; }
    location ~ ^/rewrite/((?s).*)$ { rewrite ^/rewrite/((?s).*)$ /to/$1 redirect; }
    location ~ ^/permanent/((?s).*)$ { rewrite ^/permanent/((?s).*)$ http://b/$1 permanent; }
    location ~ ^/error/((?s).*)$ { error_page 404 http://b/$1; return 404; }
    location ~ ^/page/((?s).*)$ { error_page 404 /header/$1; return 404; }
    location ~ ^/set/((?s).*)$ { set $x $1; add_header X-Set $x; return 200 ok; }
    location ~ ^/up/((?s).*)$ { proxy_set_header X-Path $1; proxy_request_buffering $buffering;
                            proxy_pass http://127.0.0.1:9000; }
    location ~ ^/uphost/((?s).*)$ { proxy_set_header Host $1; proxy_pass http://127.0.0.1:9000; }
    location ~ ^/upuri/((?s).*)$ { proxy_pass http://127.0.0.1:9000/$1; }
    location /upprefix/ { proxy_pass http://127.0.0.1:9000/; }
    location ~ ^/upbody/((?s).*)$ { proxy_set_body $1; proxy_pass http://127.0.0.1:9000; }
    location ~ ^/upmethod/((?s).*)$ { proxy_method $1; proxy_pass http://127.0.0.1:9000; }
    location /dir { }
  })";

std::string get(const std::string& target, const std::string& fields = "") {
  return "GET " + target + " HTTP/1.1\r\nHost: a\r\n" + fields + "Connection: close\r\n\r\n";
}

}  // namespace

TEST_CASE("hostile injection: no variable ends a field or a request", "[both]") {
  // With these in a path or an argument, a server that decodes and does not look would send a field
  // or a request of the client's making. "\n" alone is a line end for many readers.
  const std::string tricks[] = {
      "%0d%0aEvil:%20yes",
      "%0aEvil:%20yes",
      "%0dEvil:%20yes",
      "%0d%0a%0d%0aHTTP/1.1%20200%20OK%0d%0aEvil:%20yes",
      "%20HTTP/1.1%0d%0aEvil:%20yes%0d%0a%0d%0aGET%20/evil",
      "%e5%98%8a%e5%98%8dEvil:%20yes",
      "%c0%8d%c0%8aEvil:%20yes",
      "a%0d%0a%20Evil:%20yes",
  };
  const std::string places[] = {"/return/",   "/away/",      "/raw/",   "/text/",     "/header/",
                                "/rewrite/",  "/permanent/", "/error/", "/page/",     "/set/",
                                "/up/",       "/uphost/",    "/upuri/", "/upprefix/", "/upbody/",
                                "/upmethod/", "/dir"};
  for (const std::string buffering : {"on", "off"}) {
    std::string text = kHostileInjectionSite;
    text.replace(text.find("$buffering"), 10, buffering);
    Site site(text);
    REQUIRE(site.load_error() == "");
    site.write("html/dir/index.html", "");
    Backend backend(site.loop(), 9000);
    std::size_t asked = 0;
    for (const auto& place : places)
      for (const auto& trick : tricks)
        for (const bool bytewise : {false, true}) {
          INFO(place << trick);
          backend.clear();
          const auto request = get(place + trick + "?x=" + trick, "X: " + trick + "\r\n");
          const auto answer = bytewise ? site.ask_bytewise(request) : site.ask(request);
          site.run_for(Duration(200));
          ++asked;
          CHECK(statuses_of(answer).size() == 3);  // one answer
          const auto head = answer.substr(0, answer.find("\r\n\r\n"));
          for (const auto line : split(head, '\n'))
            CHECK_FALSE(starts_with_ignoring_case(trim(line), "evil"));
          CHECK(head.find("\r\r") == std::string::npos);
          for (std::size_t at = 0; (at = head.find('\r', at)) != std::string::npos; ++at)
            CHECK(head.substr(at, 2) == "\r\n");
          for (const auto& bytes : backend.received())
            for (const auto& leniency : all_leniencies()) {
              const int found = count_requests(bytes, leniency);
              if (found > 1) CHECK(found == 1);
              const auto sent = bytes.substr(0, bytes.find("\r\n\r\n"));
              if (sent.find("\nEvil") != std::string::npos) CHECK(sent == "");
            }
        }
    // Each request is one line of each log, whatever stands in it
    const auto access = site.read("logs/access.log"), errors = site.read("logs/error.log");
    CHECK(split(access, '\n').size() == asked + 1);  // and nothing behind the last
    for (const auto line : split(errors, '\n'))
      if (!line.empty() && !is_digit(line.front())) CHECK(line == "");
  }
}

TEST_CASE("hostile injection: answers of a backend", "[both]") {
  using namespace std::string_literals;
  Site site(R"(server { listen 80; location / { proxy_pass http://127.0.0.1:9000; } })");
  Backend backend(site.loop(), 9000);
  struct Row {
    std::string name, reply, statuses;
  };
  const Row rows[] = {
      {"good", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "200"},
      {"bare LF", "HTTP/1.1 200 OK\nContent-Length: 2\n\nok", "502"},
      {"bare CR in a value", "HTTP/1.1 200 OK\r\nX: a\rEvil: yes\r\nContent-Length: 2\r\n\r\nok",
       "502"},
      {"fold", "HTTP/1.1 200 OK\r\nX: a\r\n Evil: yes\r\nContent-Length: 2\r\n\r\nok", "502"},
      {"NUL", "HTTP/1.1 200 OK\r\nX: a\0\r\nContent-Length: 2\r\n\r\nok"s, "502"},
      {"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok", "502"},
      {"length and chunks",
       "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
       "502"},
      {"another coding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "502"},
      {"length with a sign", "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok", "502"},
      {"no HTTP", "hello\r\n\r\n", "502"},
      {"status of two digits", "HTTP/1.1 20 OK\r\nContent-Length: 2\r\n\r\nok", "502"},
      {"blank before the colon", "HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok", "502"},
      {"101 that nobody asked for", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
       "502"},
      {"a second answer behind the first is dropped",
       "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nEvil: yes\r\n\r\n", "200"},
      {"a body to 304", "HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\nevil", "304"},
  };
  for (const auto& row : rows) {
    INFO(row.name);
    backend.reply = row.reply;
    const auto answer = site.ask(get("/"));
    CHECK(statuses_of(answer) == row.statuses);
    CHECK(answer.find("Evil") == std::string::npos);
    backend.reply = "HTTP/1.1 204 No Content\r\n\r\n";
    CHECK(statuses_of(site.ask(get("/"))) == "204");  // nothing of the last one is left
  }
}
