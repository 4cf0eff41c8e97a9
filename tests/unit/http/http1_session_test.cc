#include "proxy/http/http1_session.h"

#include "tests/support/catch.h"
#include "tests/unit/http/http1_fixture.h"

using namespace gatescope;
using namespace gatescope::http;
using namespace std::chrono_literals;

namespace {

const std::string kGet = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n";
const std::string kLast = "GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

std::string get(std::string_view target) {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n\r\n";
}
std::string post(std::string_view fields, std::string_view body) {
  return "POST /p HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n" + std::string(body);
}
std::string ok(std::string_view body, std::string_view connection = "keep-alive") {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\nConnection: " + std::string(connection) + "\r\n\r\n" + std::string(body);
}
void begin_manually(Fixture& f) {
  f.behaviour.start = [](Record&) {};
  f.behaviour.body_end = [](Record&) {};
}

}  // namespace

TEST_CASE("pipelined requests are answered in order, in one write") {
  Fixture f;
  const std::size_t before = f.stream.writes();
  f.feed(get("/1") + get("/22") + get("/333"));
  CHECK(f.take() == ok("/1") + ok("/22") + ok("/333"));
  CHECK(f.stream.writes() == before + 1);
  CHECK(f.idle);
  CHECK(f.session->idle());
}

TEST_CASE("a pipelined request waits for the answer before it") {
  Fixture f;
  begin_manually(f);
  f.feed(get("/1") + get("/2"));
  REQUIRE(f.records.size() == 1);
  f.feed(get("/3"));
  CHECK(f.take().empty());
  answer(*f.records[0].link, 200, "one");
  f.settle();
  REQUIRE(f.records.size() == 2);
  CHECK(f.records[0].over);
  CHECK(f.records[0].sent == ok("one").size() + 37);  // 37: the Date line
  CHECK(f.records[0].received == get("/1").size());
  answer(*f.records[1].link, 200, "two");
  f.settle();
  answer(*f.records[2].link, 200, "three");
  f.settle();
  CHECK(f.take() == ok("one") + ok("two") + ok("three"));
  CHECK(f.session->idle());
}

TEST_CASE("what waits behind an exchange is bounded") {
  Fixture f;
  begin_manually(f);
  f.behaviour.policy.keepalive_requests = 10'000;
  f.feed(get("/1"));
  for (int i = 0; i < 2000; ++i)
    f.feed(get("/n"));
  CHECK_FALSE(f.stream.reading());
  CHECK(f.records.size() == 1);
  f.behaviour = Behaviour{};
  f.behaviour.policy.keepalive_requests = 10'000;
  answer(*f.records[0].link, 200, "");
  for (int i = 0; i < 100 && f.records.size() < 2001; ++i)
    f.settle();
  CHECK(f.records.size() == 2001);
  CHECK(f.stream.reading());
}

TEST_CASE("a client that does not read gets no more exchanges") {
  Fixture f;
  f.stream.set_window(0);
  f.behaviour.start = [](Record& r) { answer(*r.link, 200, std::string(100'000, 'x')); };
  for (int i = 0; i < 20; ++i)
    f.feed(kGet);
  CHECK(f.records.size() < 5);
  for (int i = 0; i < 20; ++i) {
    f.stream.open_window(200'000);
    f.settle();
  }
  CHECK(f.records.size() == 20);
}

TEST_CASE("a long body waits for on_writable, and takes turns") {
  Fixture f;
  std::size_t left = 3'000'000;
  const auto write = [&](Record& r) {
    while (left > 0) {
      const std::size_t n = std::min<std::size_t>(left, 50'000);
      left -= n;
      if (r.link->send_body(SharedBytes(std::string(n, 'x'))) == Flow::Wait) return;
    }
    r.link->send_end({});
  };
  f.behaviour.start = [&](Record& r) {
    ResponseHead head;
    head.content_length = left;
    r.link->send_head(head);
    write(r);
  };
  f.behaviour.writable = write;
  SECTION("to a client that reads at once") {
    f.feed(kGet);
    CHECK(f.last().over);
    CHECK(f.last().writable >= 10);
    CHECK(f.take().size() > 3'000'000);
    CHECK(f.session->idle());
  }
  SECTION("to a slow one") {
    f.stream.set_window(0);
    f.feed(kGet);
    CHECK_FALSE(f.last().over);
    const std::size_t at_first = left;
    CHECK(at_first > 2'000'000);
    f.stream.open_window(10'000);
    f.settle();
    CHECK(left == at_first);
    for (int i = 0; i < 60; ++i) {
      f.stream.open_window(100'000);
      f.settle();
    }
    CHECK(f.last().over);
    CHECK(f.take().size() > 3'000'000);
  }
}

TEST_CASE("keep-alive rules") {
  struct Row {
    std::string name, request, connection;
    std::function<void(Behaviour&)> change = [](Behaviour&) {};
  };
  const std::string old = "GET /x HTTP/1.0\r\n";
  const std::vector<Row> rows = {
      {"1.1", kGet, "keep-alive"},
      {"1.1 close", kLast, "close"},
      {"1.1 Close in a list", "GET /x HTTP/1.1\r\nHost: a\r\nConnection: te, Close\r\n\r\n",
       "close"},
      {"1.1 close in a second field",
       "GET /x HTTP/1.1\r\nHost: a\r\nConnection: te\r\nConnection: close\r\n\r\n", "close"},
      {"1.1 closed is another word", "GET /x HTTP/1.1\r\nHost: a\r\nConnection: closed\r\n\r\n",
       "keep-alive"},
      {"1.0", old + "\r\n", "close"},
      {"1.0 keep-alive", old + "Connection: Keep-Alive\r\n\r\n", "keep-alive"},
      {"1.0 both", old + "Connection: keep-alive, close\r\n\r\n", "close"},
      {"no time", kGet, "close", [](Behaviour& b) { b.policy.keepalive_timeout = 0ms; }},
      {"last request", kGet, "close", [](Behaviour& b) { b.policy.keepalive_requests = 1; }},
      {"too old", kGet, "close", [](Behaviour& b) { b.policy.keepalive_time = 0ms; }},
      {"header", kGet, "keep-alive\r\nKeep-Alive: timeout=20",
       [](Behaviour& b) { b.policy.keepalive_header = 20; }},
      {"no header when closing", kLast, "close",
       [](Behaviour& b) { b.policy.keepalive_header = 20; }},
  };
  for (const Row& row : rows) {
    INFO(row.name);
    Fixture f;
    row.change(f.behaviour);
    f.feed(row.request);
    CHECK(f.take() == ok("/x", row.connection));
    CHECK(f.over() == (row.connection == "close"));
    CHECK(f.stream.fin_seen() == f.over());
  }
}

TEST_CASE("keepalive_requests closes behind the last one") {
  Fixture f;
  f.behaviour.policy.keepalive_requests = 3;
  f.feed(kGet);
  f.feed(kGet);
  CHECK_FALSE(f.over());
  f.feed(kGet);
  CHECK(f.over());
  CHECK(f.overs == 1);
}

TEST_CASE("response framing") {
  struct Row {
    std::string name, request, expected;
    std::function<void(ExchangeLink&)> respond;
    bool over = false;
  };
  const std::string head = "HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n", old = "GET /x HTTP/1.0\r\n\r\n";
  const auto respond = [](int status, std::optional<std::uint64_t> length, std::string_view body) {
    return [=](ExchangeLink& l) {
      ResponseHead h;
      h.status = status;
      h.content_length = length;
      l.send_head(h);
      l.send_body(SharedBytes::of_static(body));
      l.send_end({});
    };
  };
  const std::string alive = "Connection: keep-alive\r\n\r\n", closed = "Connection: close\r\n\r\n";
  const std::vector<Row> rows = {
      {"length", kGet, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n" + alive + "abc",
       respond(200, 3, "abc")},
      {"no length", kGet,
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n" + alive + "3\r\nabc\r\n0\r\n\r\n",
       respond(200, {}, "abc")},
      {"no length, empty", kGet,
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n" + alive + "0\r\n\r\n",
       respond(200, {}, "")},
      {"no length, 1.0", old, "HTTP/1.1 200 OK\r\n" + closed + "abc", respond(200, {}, "abc"),
       true},
      {"no length, 1.0 keep-alive", "GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
       "HTTP/1.1 200 OK\r\n" + closed + "abc", respond(200, {}, "abc"), true},
      {"HEAD", head, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n" + alive, respond(200, 3, "abc")},
      {"HEAD without a body written", head, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n" + alive,
       respond(200, 3, "")},
      {"HEAD, no length", head, "HTTP/1.1 200 OK\r\n" + alive, respond(200, {}, "abc")},
      {"204", kGet, "HTTP/1.1 204 No Content\r\n" + alive, respond(204, 0, "abc")},
      {"304", kGet, "HTTP/1.1 304 Not Modified\r\n" + alive, respond(304, {}, "abc")},
      {"too long", kGet, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n" + alive + "abc",
       respond(200, 3, "abcdef")},
      {"too short", kGet, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n" + alive + "ab",
       respond(200, 3, "ab"), true},
      {"unknown status", kGet, "HTTP/1.1 599 \r\nContent-Length: 0\r\n" + alive,
       respond(599, 0, "")},
      {"fields", kGet,
       "HTTP/1.1 302 Found it\r\nServer: gs\r\nContent-Type: t/x\r\nContent-Length: "
       "0\r\nLast-Modified: "
       "Sun, 06 Nov 1994 08:49:37 GMT\r\nLocation: /y\r\nConnection: keep-alive\r\nETag: "
       "\"e\"\r\nA: b\r\n\r\n",
       [](ExchangeLink& l) {
         ExchangePolicy p;
         p.server_field = "gs";
         l.set_policy(p);
         ResponseHead h;
         h.status = 302;
         h.reason = "Found it";
         h.content_type = "t/x";
         h.content_length = 0;
         h.last_modified = 784111777;
         h.location = "/y";
         h.etag = "\"e\"";
         h.headers.add("A", "b");
         l.send_head(h);
         l.send_end({});
       }},
      {"fields that are ours, and splitting", kGet,
       "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\nserver: theirs\r\nA: b  "
       "c: d\r\n\r\n",
       [](ExchangeLink& l) {
         ExchangePolicy p;
         p.server_field = "gs";
         l.set_policy(p);
         ResponseHead h;
         h.content_length = 0;
         for (const auto name : {"Connection", "transfer-encoding", "Content-Length", "Keep-Alive"})
           h.headers.add(name, "7");
         h.headers.add("server", "theirs");
         h.headers.add("A", "b\r\nc: d");
         h.headers.add("B\r\nc", "d");
         h.headers.add("", "d");
         l.send_head(h);
         l.send_end({});
       }},
      {"trailers", kGet,
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n" + alive + "2\r\nab\r\n0\r\nT: u\r\n\r\n",
       [](ExchangeLink& l) {
         HeaderList t;
         t.add("T", "u");
         l.send_head({});
         l.send_body(SharedBytes::of_static("ab"));
         l.send_end(t);
       }},
      {"informational first", kGet,
       "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n" +
           alive,
       [&](ExchangeLink& l) {
         HeaderList h;
         h.add("Link", "x");
         l.send_informational(103, h);
         answer(l, 200, "");
       }},
      {"no informational for 1.0", old, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" + closed,
       [&](ExchangeLink& l) {
         l.send_informational(103, {});
         answer(l, 200, "");
       },
       true},
      {"cut in a chunked body", kGet,
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n" + alive + "2\r\nab\r\n",
       [](ExchangeLink& l) {
         l.send_head({});
         l.send_body(SharedBytes::of_static("ab"));
         l.cut(false);
       },
       true},
      {"cut before anything", kGet, "", [](ExchangeLink& l) { l.cut(false); }, true},
      {"end without a head", kGet, "", [](ExchangeLink& l) { l.send_end({}); }, true},
  };
  for (const Row& row : rows) {
    INFO(row.name);
    Fixture f;
    f.behaviour.start = [&](Record& r) { row.respond(*r.link); };
    f.feed(row.request);
    CHECK(f.take() == row.expected);
    CHECK(f.last().over);
    CHECK(f.over() == row.over);
    CHECK_FALSE(f.stream.will_reset());
  }
}

TEST_CASE("chunked_transfer_encoding off: the connection's end delimits") {
  Fixture f;
  f.behaviour.policy.chunked = false;
  f.behaviour.start = [&](Record& r) {
    r.link->set_policy(f.behaviour.policy);
    r.link->send_head({});
    r.link->send_body(SharedBytes::of_static("abc"));
    r.link->send_end({});
  };
  f.feed(kGet);
  CHECK(f.take() == "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc");
  CHECK(f.over());
}

TEST_CASE("a cut is visible") {
  Fixture f;
  begin_manually(f);
  SECTION("by a reset when asked for") {
    f.feed(kGet);
    f.last().link->cut(true);
  }
  SECTION("by a reset when only the connection's end delimits the body") {
    f.feed("GET / HTTP/1.0\r\n\r\n");
    f.last().link->send_head({});
    f.last().link->send_body(SharedBytes::of_static("abc"));
    f.settle();
    f.last().link->cut(false);
  }
  f.settle();
  CHECK(f.over());
  CHECK(f.stream.will_reset());
  CHECK_FALSE(f.stream.fin_seen());
}

TEST_CASE("the Date field follows the clock") {
  Fixture f;
  f.feed(kGet);
  CHECK(f.stream.take().find("Date: Mon, 23 Nov 2026 22:13:00 GMT\r\n") != std::string::npos);
  f.pass(5000ms);
  f.feed(kGet);
  CHECK(f.stream.take().find("Date: Mon, 23 Nov 2026 22:13:05 GMT\r\n") != std::string::npos);
}

TEST_CASE("request bodies are delivered only while wanted") {
  Fixture f;
  begin_manually(f);
  f.feed(post("Content-Length: 6\r\n", "abc"));
  CHECK(f.last().body.empty());
  CHECK_FALSE(f.stream.reading());
  f.last().link->want_body(true);
  f.settle();
  CHECK(f.last().body == "abc");
  CHECK(f.stream.reading());
  f.last().link->want_body(false);
  f.settle();
  f.feed("d");
  CHECK(f.last().body == "abc");
  f.last().link->want_body(true);
  f.feed("ef" + kGet);
  CHECK(f.last().body == "abcdef");
  CHECK(f.last().body_ended);
  CHECK(f.records.size() == 1);
  answer(*f.last().link, 200, "");
  f.settle();
  CHECK(f.records.size() == 2);
  CHECK(f.records[0].received == post("Content-Length: 6\r\n", "abcdef").size());
}

TEST_CASE("who stops within on_body gets no more") {
  Fixture f;
  begin_manually(f);
  f.behaviour.start = [](Record& r) { r.link->want_body(true); };
  f.behaviour.body = [](Record& r) { r.link->want_body(false); };
  f.feed(post("Transfer-Encoding: chunked\r\n", "1\r\na\r\n1\r\nb\r\n0\r\n\r\n"));
  CHECK(f.last().body == "a");
  f.last().link->want_body(true);
  f.settle();
  CHECK(f.last().body == "ab");
  CHECK_FALSE(f.last().body_ended);
  f.last().link->want_body(true);
  f.settle();
  CHECK(f.last().body_ended);
}

TEST_CASE("a chunked body in odd cuts") {
  const std::string body =
      "5;ext=\"x\"\r\nhello\r\n1\r\n,\r\nA\r\n 0123456\r\n\r\n0\r\nSum: 1\r\n\r\n";
  for (std::size_t cut = 1; cut < body.size(); ++cut)
    for (std::size_t second = cut; second < body.size(); second += 7) {
      INFO(cut << " " << second);
      Fixture f;
      f.feed(post("Transfer-Encoding: chunked\r\n", body.substr(0, cut)));
      f.feed(body.substr(cut, second - cut));
      f.feed(body.substr(second) + kGet);
      REQUIRE(f.records.size() == 2);
      CHECK(f.records[0].body == "hello, 0123456\r\n");
      CHECK(f.records[0].trailers == "Sum=1");
      CHECK(f.records[0].received == post("Transfer-Encoding: chunked\r\n", body).size());
    }
}

TEST_CASE("100-continue") {
  const std::string request = post("Content-Length: 3\r\nExpect: 100-Continue\r\n", "");
  Fixture f;
  begin_manually(f);
  SECTION("is sent at the first wish for the body") {
    f.feed(request);
    CHECK(f.take().empty());
    f.last().link->want_body(true);
    f.settle();
    CHECK(f.take() == "HTTP/1.1 100 Continue\r\n\r\n");
    f.last().link->want_body(false);
    f.last().link->want_body(true);
    f.settle();
    CHECK(f.take().empty());
    f.feed("abc");
    CHECK(f.last().body_ended);
    answer(*f.last().link, 200, "");
    f.settle();
    CHECK(f.take() == ok(""));
  }
  SECTION("is not sent after a final head, and the connection closes") {
    f.feed(request);
    answer(*f.last().link, 413, "");
    f.settle();
    CHECK(
        f.take() ==
        "HTTP/1.1 413 Request Entity Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    CHECK(f.stream.fin_seen());
  }
  SECTION("is unknown to 1.0") {
    f.feed("POST / HTTP/1.0\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
    f.last().link->want_body(true);
    f.settle();
    CHECK(f.take().empty());
  }
  SECTION("is not for a request without a body") {
    f.feed("GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n");
    f.last().link->want_body(true);
    f.settle();
    CHECK(f.take().empty());
  }
}

TEST_CASE("a body that nobody wanted") {
  Fixture f;
  f.behaviour.start = [](Record& r) { answer(*r.link, 200, r.target); };
  SECTION("is dropped, and the connection lives") {
    f.feed(post("Content-Length: 6\r\n", "abc"));
    CHECK(f.take() == ok("/p"));
    f.feed("def" + kGet);
    CHECK(f.take() == ok("/x"));
    CHECK(f.records.size() == 2);
    CHECK(f.records[0].body.empty());
  }
  SECTION("chunked, with trailers") {
    f.feed(post("Transfer-Encoding: chunked\r\n", "3\r\nab"));
    f.feed("c\r\n0\r\nA: b\r\n\r\n" + kGet);
    CHECK(f.take() == ok("/p") + ok("/x"));
  }
  SECTION("but not for longer than lingering_timeout") {
    f.feed(post("Content-Length: 6\r\n", "abc"));
    f.pass(4999ms);
    CHECK_FALSE(f.over());
    f.pass(1ms);
    CHECK(f.over());
  }
  SECTION("nor for longer than lingering_time in all") {
    f.feed(post("Content-Length: 100\r\n", ""));
    for (int i = 0; i < 29; ++i) {
      f.pass(1000ms);
      f.feed("x");
    }
    CHECK_FALSE(f.over());
    f.pass(1000ms);
    CHECK(f.over());
  }
  SECTION("closes with lingering off") {
    f.behaviour.policy.lingering = ExchangePolicy::Lingering::Off;
    f.behaviour.start = [&](Record& r) {
      r.link->set_policy(f.behaviour.policy);
      answer(*r.link, 200, r.target);
    };
    f.feed(post("Content-Length: 6\r\n", "abc"));
    CHECK(f.over());
  }
}

TEST_CASE("lingering: a refused client gets its answer") {
  Fixture f;
  f.feed("GET / HTTP/3.0\r\n\r\n");
  CHECK(f.take() ==
        "HTTP/1.1 505 HTTP Version Not Supported\r\nContent-Length: 0\r\n"
        "Connection: close\r\n\r\n");
  CHECK(f.stream.fin_seen());
  CHECK_FALSE(f.over());
  SECTION("until it ends") {
    f.feed("more and more");
    CHECK(f.records.size() == 1);
    f.end();
    CHECK(f.over());
  }
  SECTION("until it falls silent") {
    f.pass(4000ms);
    f.feed("more");
    f.pass(4999ms);
    CHECK_FALSE(f.over());
    f.pass(1ms);
    CHECK(f.over());
  }
  SECTION("until the time is over") {
    for (int i = 0; i < 30; ++i) {
      f.pass(1000ms);
      f.feed("more");
    }
    CHECK(f.over());
  }
  SECTION("until it resets") {
    f.stream.fail(make_error(ErrorKind::Reset, Origin::Client, "reset"));
    f.settle();
    CHECK(f.over());
  }
  CHECK(f.overs == 1);
}

TEST_CASE("lingering always, and off") {
  Fixture f;
  SECTION("always") {
    f.behaviour.policy.lingering = ExchangePolicy::Lingering::Always;
    f.feed(kLast);
    CHECK(f.stream.fin_seen());
    CHECK_FALSE(f.over());
  }
  SECTION("off") {
    f.behaviour.policy.lingering = ExchangePolicy::Lingering::Off;
    f.feed("GET / HTTP/3.0\r\n\r\n");
    CHECK(f.over());
  }
}

TEST_CASE("deadlines") {
  SessionSettings s;
  s.header_timeout = 10000ms;
  s.keepalive_timeout = 20000ms;
  Fixture f(s);
  SECTION("before the first byte: closed, nothing is answered") {
    f.pass(19999ms);
    CHECK_FALSE(f.over());
    f.pass(1ms);
    CHECK(f.over());
    CHECK(f.records.empty());
    CHECK(f.take().empty());
    CHECK(
        f.log_lines.has("client timed out (110: Connection timed out) while waiting for request"));
  }
  SECTION("the head counts from its first byte") {
    f.feed("GET / HT");
    f.pass(6000ms);
    f.feed("TP/1.1\r\n");
    f.pass(3999ms);
    CHECK(f.records.empty());
    f.pass(1ms);
    REQUIRE(f.records.size() == 1);
    CHECK(f.last().refused == 408);
    CHECK(f.last().line == "GET / HTTP/1.1");
    CHECK(f.last().because == "client timed out (110: Connection timed out)");
    CHECK(f.take() ==
          "HTTP/1.1 408 Request Time-out\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  }
  SECTION("empty lines are no request") {
    f.feed("\r\n");
    f.pass(10000ms);
    CHECK(f.over());
    CHECK(f.records.empty());
  }
  SECTION("between requests, as the location says") {
    f.behaviour.policy.keepalive_timeout = 5000ms;
    f.feed(kGet);
    f.pass(4999ms);
    CHECK_FALSE(f.over());
    f.feed(kGet);
    f.pass(4999ms);
    CHECK_FALSE(f.over());
    f.pass(1ms);
    CHECK(f.over());
    CHECK(f.records.size() == 2);
  }
  SECTION("between two reads of a body") {
    f.behaviour.policy.body_timeout = 3000ms;
    f.feed(post("Content-Length: 6\r\n", "a"));
    f.pass(2999ms);
    f.feed("b");
    f.pass(2999ms);
    CHECK(f.last().body_failed == 0);
    f.pass(1ms);
    CHECK(f.last().body_failed == 408);
    CHECK(f.take() ==
          "HTTP/1.1 408 Request Time-out\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    f.pass(5000ms);
    CHECK(f.over());
  }
  SECTION("none while the body is not wanted, nor while an exchange works") {
    begin_manually(f);
    f.feed(post("Content-Length: 6\r\n", "a"));
    f.pass(Duration(24h));
    CHECK_FALSE(f.over());
    CHECK(f.last().body_failed == 0);
  }
}

TEST_CASE("send_timeout: no progress in writing") {
  for (const bool reset : {false, true}) {
    Fixture f;
    f.stream.set_window(1000);
    f.behaviour.policy.send_timeout = 4000ms;
    f.behaviour.policy.reset_timed_out = reset;
    f.behaviour.start = [&](Record& r) {
      r.link->set_policy(f.behaviour.policy);
      ResponseHead head;
      head.content_length = 1'000'000;
      r.link->send_head(head);
      CHECK(r.link->send_body(SharedBytes(std::string(900'000, 'x'))) == Flow::Wait);
    };
    f.feed(kGet);
    f.pass(3000ms);
    f.stream.open_window(1000);
    f.pass(3000ms);
    CHECK_FALSE(f.last().gone);
    f.pass(4000ms);
    CHECK(f.last().gone);
    CHECK(f.last().over);
    CHECK(f.over());
    CHECK(f.stream.will_reset() == reset);
  }
}

TEST_CASE("a finished response still leaves a slow client's connection only when it is out") {
  Fixture f;
  f.stream.set_window(0);
  f.feed(kLast);
  CHECK(f.last().over);
  f.pass(1000ms);
  CHECK_FALSE(f.over());
  f.stream.open_window(100'000);
  f.pass(1000ms);
  CHECK(f.over());
  CHECK(f.take() == ok("/x", "close"));
}

TEST_CASE("the client's end") {
  Fixture f;
  SECTION("when idle") {
    f.feed(kGet);
    f.end();
    CHECK(f.over());
  }
  SECTION("behind whole requests: they are answered") {
    f.stream.feed(kGet + get("/y"));
    f.end();
    CHECK(f.take() == ok("/x") + ok("/y"));
    CHECK(f.over());
  }
  SECTION("while an exchange works: it is answered") {
    begin_manually(f);
    f.feed(kGet);
    f.end();
    CHECK_FALSE(f.last().gone);
    answer(*f.last().link, 200, "late");
    f.settle();
    CHECK(f.take() == ok("late"));
    CHECK(f.over());
  }
  SECTION("... unless the link was told that it is an abort") {
    begin_manually(f);
    f.feed(kGet);
    f.last().link->abort_on_client_end(true);
    f.end();
    CHECK(f.last().gone);
    CHECK(f.last().over);
    CHECK(f.over());
  }
  SECTION("within a head") {
    f.feed("GET / HT");
    f.end();
    REQUIRE(f.records.size() == 1);
    CHECK(f.last().refused == 400);
    CHECK(f.last().because == "client prematurely closed connection");
    CHECK(f.over());
  }
  SECTION("within a body") {
    f.feed(post("Content-Length: 6\r\n", "abc"));
    f.end();
    CHECK(f.last().body_failed == 400);
    CHECK(f.over());
  }
  SECTION("by a reset") {
    begin_manually(f);
    f.feed(kGet);
    f.stream.fail(make_error(ErrorKind::Reset, Origin::Client, "reset"));
    f.settle();
    CHECK(f.last().gone);
    CHECK(f.last().over);
    CHECK(f.over());
  }
  SECTION("by a reset, and the exchange calls on") {
    begin_manually(f);
    f.behaviour.gone = [](Record& r) {
      answer(*r.link, 200, "too late");
      r.link->cut(true);
      r.link->want_body(true);
      CHECK(r.link->take_tunnel() == nullptr);
    };
    f.feed(kGet);
    f.stream.fail(make_error(ErrorKind::Reset, Origin::Client, "reset"));
    f.settle();
    CHECK(f.over());
    CHECK(f.take().empty());
  }
  CHECK(f.overs == 1);
}

TEST_CASE("finish") {
  Fixture f;
  SECTION("closes an idle connection") {
    f.feed(kGet);
    f.session->finish();
    f.settle();
    CHECK(f.over());
  }
  SECTION("lets a running exchange be the last") {
    begin_manually(f);
    f.feed(kGet + get("/y"));
    f.session->finish();
    f.settle();
    CHECK_FALSE(f.over());
    answer(*f.last().link, 200, "last");
    f.settle();
    CHECK(f.take() == ok("last", "close"));
    CHECK(f.records.size() == 1);
    f.end();
    CHECK(f.over());
  }
  SECTION("a head that has begun is still answered") {
    f.feed("GET /x HTTP");
    f.session->finish();
    f.settle();
    CHECK_FALSE(f.over());
    f.feed("/1.1\r\nHost: a\r\n\r\n");
    CHECK(f.take() == ok("/x", "close"));
    CHECK(f.over());
  }
}

TEST_CASE("a session that is destroyed ends its exchange") {
  Fixture f;
  begin_manually(f);
  f.feed(kGet);
  f.session.reset();
  CHECK(f.last().over);
  f.settle();
  CHECK(f.overs == 0);
}

namespace {

struct TunnelEnd final : ByteTunnel::Events {
  void on_tunnel_data(std::span<const std::byte> data) override { got += as_text(data); }
  void on_tunnel_end() override { ended = true; }
  void on_tunnel_writable() override { ++writable; }
  void on_tunnel_failed(const Error&) override { failed = true; }
  std::string got;
  bool ended = false, failed = false;
  int writable = 0;
};

}  // namespace

TEST_CASE("a tunnel behind 101") {
  TunnelEnd end;
  std::unique_ptr<ByteTunnel> tunnel;
  Fixture f;
  f.behaviour.start = [&](Record& r) {
    ResponseHead head;
    head.status = 101;
    head.headers.add("Upgrade", "echo");
    r.link->send_head(head);
    tunnel = r.link->take_tunnel();
    REQUIRE(tunnel);
    tunnel->set_events(&end);
  };
  f.feed("GET /x HTTP/1.1\r\nHost: a\r\nUpgrade: echo\r\nConnection: upgrade\r\n\r\nearly");
  CHECK(f.take() ==
        "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n");
  f.feed(" later");
  CHECK(end.got.empty());
  tunnel->start_reading();
  f.settle();
  CHECK(end.got == "early later");
  f.feed("!");
  CHECK(end.got == "early later!");
  tunnel->write(SharedBytes::of_static("hello "));
  tunnel->write(SharedBytes::of_static("you"));
  f.settle();
  CHECK(f.take() == "hello you");
  CHECK_FALSE(f.last().over);
  f.pass(Duration(24h));
  CHECK_FALSE(f.over());
  SECTION("destroyed: the exchange is over, the rest leaves, the connection closes") {
    tunnel->write(SharedBytes::of_static("bye"));
    tunnel.reset();
    f.settle();
    CHECK(f.last().over);
    CHECK(f.take() == "bye");
    CHECK(f.stream.fin_seen());
    CHECK(f.over());
  }
  SECTION("the client's end, and ours") {
    f.end();
    CHECK(end.ended);
    tunnel->write(SharedBytes::of_static("bye"));
    tunnel->shut_down();
    f.settle();
    CHECK(f.take() == "bye");
    CHECK(f.stream.fin_seen());
    tunnel.reset();
    f.settle();
    CHECK(f.over());
  }
  SECTION("a reset") {
    f.stream.fail(make_error(ErrorKind::Reset, Origin::Client, "reset"));
    CHECK(end.failed);
    tunnel.reset();
    f.settle();
    CHECK(f.over());
  }
  SECTION("back-pressure") {
    f.stream.set_window(0);
    CHECK(tunnel->write(SharedBytes(std::string(600'000, 'x'))) == Flow::Wait);
    f.settle();
    CHECK(end.writable == 0);
    f.stream.open_window(600'000);
    f.settle();
    CHECK(end.writable == 1);
    tunnel.reset();
    f.settle();
  }
  SECTION("the session dies first") {
    f.session.reset();
    f.settle();
    tunnel->write(SharedBytes::of_static("nobody"));
    tunnel.reset();
  }
}

TEST_CASE("no tunnel without 101") {
  Fixture f;
  begin_manually(f);
  f.feed(kGet);
  CHECK(f.last().link->take_tunnel() == nullptr);
  f.last().link->send_head({});
  CHECK(f.last().link->take_tunnel() == nullptr);
  f.last().link->send_end({});
  f.settle();
  CHECK(f.session->idle());
}

TEST_CASE("idle connections go on after their buffers were released") {
  Fixture f;
  f.feed(post("Content-Length: 3\r\n", "abc"));
  f.pass(2000ms);
  f.feed(post("Transfer-Encoding: chunked\r\n", "1\r\na\r\n0\r\n\r\n"));
  f.pass(2000ms);
  f.feed(kGet);
  CHECK(f.take() == ok("/p") + ok("/p") + ok("/x"));
}
