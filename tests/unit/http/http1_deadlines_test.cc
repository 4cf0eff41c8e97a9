// Time, and how connections end: deadlines, lingering, the client's end.

#include "tests/support/catch.h"
#include "tests/unit/http/http1_fixture.h"

using namespace gatescope;
using namespace gatescope::http;
using namespace std::chrono_literals;

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
  SECTION("is the last when the server stops") {
    f.feed(post("Content-Length: 6\r\n", "abc"));
    f.session->finish();
    f.feed("def");
    CHECK(f.over());
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
  SECTION("keepalive_timeout 0 still lets a first request come") {
    SessionSettings once;
    once.keepalive_timeout = 0ms;
    Fixture g(once);
    g.pass(59000ms);
    g.feed(kGet);
    CHECK(g.take() == ok("/x"));
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

TEST_CASE("idle connections go on after their buffers were released") {
  Fixture f;
  f.feed(post("Content-Length: 3\r\n", "abc"));
  f.pass(2000ms);
  f.feed(post("Transfer-Encoding: chunked\r\n", "1\r\na\r\n0\r\n\r\n"));
  f.pass(2000ms);
  f.feed(kGet);
  CHECK(f.take() == ok("/p") + ok("/p") + ok("/x"));
}

TEST_CASE("a request that came with a slow reader's first is not forgotten") {
  Fixture f;
  f.stream.set_window(1000);
  f.behaviour.start = [](Record& r) {
    answer(*r.link, 200, r.target == "/big" ? std::string(400'000, 'x') : r.target);
  };
  f.feed("GET /big HTTP/1.1\r\nHost: h\r\n\r\n" + kGet);
  f.pass(2000ms);
  CHECK(f.records.size() == 1);
  f.stream.open_window(1'000'000);
  f.pass(0ms);
  CHECK(f.take().ends_with(ok("/x")));
}

TEST_CASE("an exchange is over when its last byte has left, not when the stream took it") {
  Fixture f;
  f.behaviour.start = [](Record& r) { answer(*r.link, 200, std::string(100'000, 'x')); };
  f.feed(kGet);
  CHECK(f.last().over);  // a quick reader
  f.stream.set_window(0);
  f.feed(kGet + kGet);
  f.pass(Duration(5000));
  CHECK_FALSE(f.last().over);
  f.stream.open_window(50'000);
  f.pass(Duration(5000));
  CHECK_FALSE(f.last().over);
  CHECK(f.records.size() == 2);
  f.stream.open_window(1'000'000);
  f.pass(Duration(1000));
  CHECK(f.records.size() == 3);
  CHECK(f.last().over);
  CHECK(f.idle);
}

TEST_CASE("a request that waits behind a slow reader's answer is not forgotten") {
  // The first answer is not over before its body is dropped; buffers of idle connections are given
  // back after a second, and this one is not idle.
  Fixture f;
  f.stream.set_window(0);
  f.behaviour.start = [](Record& r) { answer(*r.link, 200, std::string(300'000, 'x')); };
  f.feed(post("Content-Length: 3\r\n", "abc") + get("/waits"));
  CHECK(f.records.size() == 1);
  for (int i = 0; i < 100; ++i) {  // longer than keepalive_timeout, never as long as send_timeout
    f.pass(Duration(1000));
    f.stream.open_window(10);
  }
  CHECK(f.records.size() == 1);
  f.stream.open_window(10'000'000);
  f.pass(Duration(1000));
  REQUIRE(f.records.size() == 2);
  CHECK(f.last().target == "/waits");
  CHECK(f.last().over);
}

TEST_CASE("keepalive_min_timeout: a graceful stop leaves idle connections open so long") {
  Fixture f;
  f.behaviour.policy.keepalive_min = Duration(5000);
  f.feed(kGet);
  f.pass(Duration(2000));
  f.session->finish();
  f.pass(Duration(2000));
  CHECK_FALSE(f.over());
  f.feed(kGet);  // comes while the server goes
  CHECK(f.take() == ok("/x") + ok("/x"));
  f.pass(Duration(4000));
  CHECK_FALSE(f.over());
  f.pass(Duration(2000));
  CHECK(f.over());
}

TEST_CASE("a head in part that may be HEAD is answered without a body") {
  for (const std::string part : {"H", "HEAD", "HEAD /x HT"}) {
    Fixture f;
    f.behaviour.start = [](Record& r) { answer(*r.link, r.refused, "text"); };
    f.feed(part);
    f.pass(Duration(61'000));
    CHECK(f.last().refused == 408);
    CHECK(f.take().ends_with("\r\n\r\n"));
  }
}
