// What a response becomes on the wire, and whether the connection lives on.

#include "tests/support/catch.h"
#include "tests/unit/http/http1_fixture.h"

using namespace gatescope;
using namespace gatescope::http;
using namespace std::chrono_literals;

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
