// What an upstream does wrong, and what the client sees of it, byte for byte: 502, or an answer
// that nobody takes for a whole one.

#include "tests/support/catch.h"
#include "tests/unit/server/backend_fixture.h"
#include "tests/unit/server/site_fixture.h"

using namespace gatescope::test;
using namespace std::string_literals;

namespace {

constexpr const char* kUpstreamFaultsSite = R"(
  server {
    listen 80;
    location / { proxy_pass http://127.0.0.1:9000; proxy_buffer_size 4k; proxy_read_timeout 5s; }
    location /kept { proxy_pass http://127.0.0.1:9000; error_page 502 /sorry; }
    location = /sorry { return 200 "sorry"; }
  })";

struct Fault {
  std::string name, reply;
  bool closes = true;  // the upstream's connection, behind it
};

std::string ok(const std::string& fields, const std::string& body = "") {
  return "HTTP/1.1 200 OK\r\n" + fields + "\r\n" + body;
}

}  // namespace

TEST_CASE("what is no answer is 502, and the client's connection goes on") {
  Site site(kUpstreamFaultsSite);
  REQUIRE(site.load_error() == "");
  Backend backend(site.loop(), 9000);
  const Fault faults[] = {
      {"closed without a word", ""},
      {"garbage", "\x16\x03\x01\x02 garbage"s, false},
      {"another protocol", "SSH-2.0-OpenSSH_9.2\r\n", false},
      {"HTTP/0.9", "<html>hello</html>"},
      {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", false},
      {"cut within the status line", "HTTP/1.1 2"},
      {"cut within the head", "HTTP/1.1 200 OK\r\nContent-Type: text/pl"},
      {"cut before the empty line", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"},
      {"an endless line", "HTTP/1.1 200 OK\r\nX: " + std::string(100'000, 'x'), false},
      {"an endless head",
       "HTTP/1.1 200 OK\r\n" +
           [] {
             std::string fields;
             for (int i = 0; i < 10'000; ++i)
               fields += "X: y\r\n";
             return fields;
           }(),
       false},
      {"interim answers without end",
       [] {
         std::string all;
         for (int i = 0; i < 10'000; ++i)
           all += "HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n";
         return all;
       }(),
       false},
      {"a head that never ends in time", "HTTP/1.1 200 OK\r\nX: y\r\n", false},
      {"an unasked 101",
       "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nbytes", false},
      {"two lengths", ok("Content-Length: 2\r\nContent-Length: 3\r\n", "abc"), false},
      {"a list of lengths", ok("Content-Length: 2, 3\r\n", "abc"), false},
      {"length and chunks", ok("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
       false},
      {"another coding", ok("Transfer-Encoding: gzip\r\n", "x"), false},
      {"chunked twice", ok("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n"), false},
      {"a folded line", ok("X: a\r\n b\r\nContent-Length: 0\r\n"), false},
      {"a NUL in a value", ok("X: a\0b\r\nContent-Length: 0\r\n"s), false},
      {"a response split by a bare CR", ok("X: a\rSet-Cookie: evil\r\nContent-Length: 0\r\n"),
       false},
  };
  for (const auto& fault : faults) {
    INFO(fault.name);
    backend.reply = fault.reply;
    backend.close_after_reply = fault.closes;
    const auto answer = site.ask(
        "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /sorry HTTP/1.1\r\nHost: a\r\nConnection: "
        "close\r\n\r\n");
    const auto first = fault.name == "a head that never ends in time" ? 504 : 502;
    // An interim answer may have gone on before the fault was met.
    const auto final = answer.find("HTTP/1.1 50");
    REQUIRE(final != std::string::npos);
    CHECK(status_of_answer(answer.substr(final)) == first);
    CHECK(answer.find("evil") == std::string::npos);
    CHECK(answer.ends_with("sorry"));  // the same connection answers the next request
    if (first == 502) CHECK(site.get("/kept").ends_with("sorry"));  // error_page answers
  }
}

TEST_CASE(
    "an answer that breaks off is seen to be cut: with a length, in chunks, and to an old client") {
  Site site(kUpstreamFaultsSite);
  REQUIRE(site.load_error() == "");
  Backend backend(site.loop(), 9000);
  const Fault faults[] = {
      {"a short body", ok("Content-Length: 100\r\n", "begun")},
      {"no last chunk", ok("Transfer-Encoding: chunked\r\n", "5\r\nbegun\r\n")},
      {"cut within a chunk", ok("Transfer-Encoding: chunked\r\n", "50\r\nbegun")},
      {"cut within a chunk's size", ok("Transfer-Encoding: chunked\r\n", "5\r\nbegun\r\n1")},
      {"a bad chunk size", ok("Transfer-Encoding: chunked\r\n", "5\r\nbegun\r\nzz\r\n"), false},
      {"a chunk longer than it says",
       ok("Transfer-Encoding: chunked\r\n", "5\r\nbegunXX\r\n0\r\n\r\n"), false},
      {"cut within the trailers",
       ok("Transfer-Encoding: chunked\r\n", "5\r\nbegun\r\n0\r\nX: y\r\n")},
      {"silence within the body", ok("Content-Length: 100\r\n", "begun"), false},
      {"silence within the chunks", ok("Transfer-Encoding: chunked\r\n", "5\r\nbegun\r\n"), false},
  };
  for (const auto& fault : faults) {
    INFO(fault.name);
    backend.reply = fault.reply;
    backend.close_after_reply = fault.closes;
    const auto answer =
        site.ask("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /sorry HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(status_of_answer(answer) == 200);
    CHECK(answer.find("begun") != std::string::npos);
    CHECK(answer.find("sorry") == std::string::npos);  // closed: nothing may follow
    const auto length = field_of_answer(answer, "Content-Length");
    if (length != "(none)") {
      CHECK(std::stoul(length) > body_of_answer(answer).size());
    } else {
      CHECK(field_of_answer(answer, "Transfer-Encoding") == "chunked");
      CHECK_FALSE(answer.ends_with("0\r\n\r\n"));
    }
    CHECK(site.read("logs/error.log").find("upstream") != std::string::npos);
  }
}

TEST_CASE("what an upstream sends behind its answer is nobody's") {
  Site site(kUpstreamFaultsSite);
  REQUIRE(site.load_error() == "");
  Backend backend(site.loop(), 9000);
  backend.reply = ok("Content-Length: 2\r\n", "okHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
  for (int i = 0; i < 3; ++i) {
    const auto answer = site.get("/");
    CHECK(body_of_answer(answer) == "ok");
  }
  CHECK(backend.received().size() == 3);  // such a connection is not used again
}
