#include "proxy/http/http1_session.h"

#include "tests/support/catch.h"
#include "tests/unit/http/http1_fixture.h"

using namespace gatescope;
using namespace gatescope::http;
using namespace std::chrono_literals;

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
  SECTION("is sent for a request without a body too, as nginx does") {
    f.feed("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n");
    f.last().link->want_body(true);
    f.settle();
    CHECK(f.take() == "HTTP/1.1 100 Continue\r\n\r\n");
    answer(*f.last().link, 404, "");
    f.settle();
    CHECK(f.take() ==
          "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n"
          "Connection: keep-alive\r\n\r\n");
  }
  SECTION("is sent before a good answer that does not want the body, which is dropped") {
    f.feed(request);
    answer(*f.last().link, 200, "");
    f.settle();
    CHECK(f.take() == "HTTP/1.1 100 Continue\r\n\r\n" + ok(""));
    f.feed("abc" + kGet);
    CHECK(f.records.size() == 2);
  }
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
