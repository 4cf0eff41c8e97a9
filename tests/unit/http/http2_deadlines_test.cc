// How long an HTTP/2 session waits for what, and how it ends.

#include "tests/unit/http/http2_fixture.h"

using namespace gatescope;
using namespace gatescope::http;

TEST_CASE("HTTP/2: no preface, no request: closed") {
  SessionSettings settings;
  settings.header_timeout = Duration(1000);
  settings.keepalive_timeout = Duration(5000);
  Http2Fixture f(settings);
  const bool greets = GENERATE(false, true);
  if (greets) f.feed(h2::hello());
  f.take_frames();
  f.pass(Duration(999));
  CHECK_FALSE(f.stream.fin_seen());
  f.pass(Duration(2));
  CHECK(f.stream.fin_seen() == !greets);
  f.pass(Duration(4000));
  CHECK(f.stream.fin_seen());
  CHECK(Http2Fixture::ends(f.take_frames()) == "GOAWAY 0:0 ");
  f.pass(Duration(6000));
  CHECK(f.over());
}

TEST_CASE("HTTP/2: an idle connection is kept as long as the last location says") {
  Http2Fixture f;
  f.behaviour.policy.keepalive_timeout = Duration(7000);
  CHECK(f.get().status == 200);
  CHECK(f.idle);
  f.pass(Duration(6900));
  CHECK(f.get().status == 200);
  f.pass(Duration(6900));
  CHECK_FALSE(f.stream.fin_seen());
  f.pass(Duration(200));
  CHECK(f.stream.fin_seen());
  f.settle_both();
  REQUIRE(f.peer.goaways().size() == 1);
  CHECK(f.peer.goaways()[0] == std::pair(3, 0U));
}

TEST_CASE("HTTP/2: a block that stops coming is reset, and then the connection") {
  SessionSettings settings;
  settings.header_timeout = Duration(1000);
  settings.keepalive_timeout = Duration(5000);
  Http2Fixture f(settings);
  const std::string get = h2::get(1);
  f.feed_raw(get.substr(0, 30));
  f.take_frames();
  f.pass(Duration(1001));
  CHECK(Http2Fixture::ends(f.take_frames()) == "RST 1:1 ");
  const bool goes_on = GENERATE(false, true);
  if (goes_on) {
    f.feed(get.substr(30) + h2::get(3, "/y"));
    CHECK(f.summary() == "GET /y {host=a}");
  } else {
    f.pass(Duration(4900));
    CHECK_FALSE(f.stream.fin_seen());
    f.pass(Duration(200));
    CHECK(f.stream.fin_seen());
  }
}

TEST_CASE("HTTP/2: a body that stops coming is 408, and its stream's affair") {
  Http2Fixture f;
  f.behaviour.policy.body_timeout = Duration(1000);
  f.feed_raw(h2::headers(1, h2::request("/p", "POST"), h2::kEndHeaders) + h2::data(1, "he", 0));
  f.pass(Duration(900));
  f.feed(h2::data(1, "ll", 0) + h2::get(3, "/y"));
  f.pass(Duration(900));
  CHECK(f.records[0].body_failed == 0);
  f.pass(Duration(101));
  CHECK(f.records[0].body_failed == 408);
  CHECK(f.records[0].over);
  CHECK(Http2Fixture::ends(f.take_frames()) == "RST 1:1 ");
  CHECK_FALSE(f.stream.fin_seen());
}

TEST_CASE("HTTP/2: a client that shuts its window for too long loses its stream") {
  Http2Fixture f;
  f.peer.hold_windows();
  f.behaviour.policy.send_timeout = Duration(1000);
  f.behaviour.start = [](Record& r) { answer(*r.link, 200, std::string(100'000, 'x')); };
  const auto id = f.peer.get("/");
  f.settle_both();
  f.pass(Duration(900));
  f.peer.open_window(id, 1000);
  f.peer.open_window(0, 1000);
  f.settle_both();
  f.pass(Duration(900));
  CHECK_FALSE(f.last().over);
  f.pass(Duration(101));
  f.settle_both();
  CHECK(f.last().over);
  CHECK(f.peer.answer(id).reset == NGHTTP2_CANCEL);
  CHECK(f.log_lines.has("waiting for its HTTP/2 window"));
  CHECK_FALSE(f.stream.fin_seen());
}

TEST_CASE("HTTP/2: a client that takes nothing from its socket loses the connection") {
  Http2Fixture f;
  f.behaviour.policy.send_timeout = Duration(1000);
  f.settle_both();
  f.stream.set_window(10);
  f.peer.get("/");
  f.feed(f.peer.outgoing());
  CHECK_FALSE(f.over());
  f.pass(Duration(1001));
  CHECK(f.over());
  CHECK(f.log_lines.has("client timed out (110: Connection timed out) while sending response"));
}

TEST_CASE("HTTP/2: the last request of a connection is said so at once") {
  Http2Fixture f;
  int last = 0;
  SECTION("keepalive_requests") {
    f.behaviour.policy.keepalive_requests = 2;
    CHECK(f.get().status == 200);
    CHECK(f.peer.goaways().empty());
    last = 3;
  }
  SECTION("keepalive_timeout 0") {
    f.behaviour.policy.keepalive_timeout = Duration(0);
    last = 1;
  }
  SECTION("keepalive_time") {
    f.behaviour.policy.keepalive_time = Duration(1000);
    CHECK(f.get().status == 200);
    f.pass(Duration(1000));
    last = 3;
  }
  CHECK(f.get().status == 200);
  REQUIRE(f.peer.goaways().size() == 1);
  CHECK(f.peer.goaways()[0] == std::pair(last, 0U));
  CHECK(f.stream.fin_seen());
}

TEST_CASE("HTTP/2: a graceful end loses nothing that is on its way") {
  Http2Fixture f;
  begin_manually(f);
  const auto first = f.peer.get("/a");
  f.settle_both();
  f.session->finish();
  // The next request crosses the first GOAWAY.
  const auto second = f.peer.get("/b");
  const std::string crossing = f.peer.outgoing();
  f.settle();
  f.feed(crossing);
  f.settle_both();
  REQUIRE(f.peer.goaways().size() == 2);
  CHECK(f.peer.goaways()[0] == std::pair(0x7fffffff, 0U));
  CHECK(f.peer.goaways()[1] == std::pair(second, 0U));
  CHECK_FALSE(f.stream.fin_seen());
  answer(*f.records[0].link, 200, "a");
  answer(*f.records[1].link, 200, "b");
  f.settle_both();
  CHECK(f.peer.answer(first).body == "a");
  CHECK(f.peer.answer(second).body == "b");
  CHECK(f.stream.fin_seen());
}

TEST_CASE("HTTP/2: an idle connection may have a request on its way when it is to end") {
  Http2Fixture f;
  f.get();
  const auto crossing = f.peer.get("/late");
  const std::string bytes = f.peer.outgoing();
  f.session->finish();
  f.settle();
  f.feed(bytes);
  f.settle_both();
  CHECK(f.peer.answer(crossing).status == 200);
  // The PING was answered with it, so the last GOAWAY has gone, too.
  CHECK(f.stream.fin_seen());
}

TEST_CASE("HTTP/2: who does not answer the PING is told goodbye after a second") {
  Http2Fixture f;
  f.feed_raw(h2::get(1));
  f.take_frames();
  f.session->finish();
  f.settle();
  CHECK(Http2Fixture::ends(f.take_frames()) == "GOAWAY 2147483647:0 ");
  f.pass(Duration(1001));
  CHECK(Http2Fixture::ends(f.take_frames()) == "GOAWAY 1:0 ");
  CHECK(f.stream.fin_seen());
}
