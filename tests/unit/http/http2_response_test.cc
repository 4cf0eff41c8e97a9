// What becomes of an answer over HTTP/2: heads, bodies, ends, windows, and how many writes it
// takes.

#include "tests/unit/http/http2_fixture.h"

using namespace gatescope;
using namespace gatescope::http;

namespace {

std::string fields_of(const test::Http2Answer& answer) {
  std::string text;
  for (const auto& [name, value] : answer.fields)
    if (name != "date") text += (text.empty() ? "" : ", ") + name + "=" + value;
  return text;
}

/// Answers by hand: what start leaves undone is done with the last record's link.
struct ManualFixture : Http2Fixture {
  explicit ManualFixture(const SessionSettings& settings = {}) : Http2Fixture(settings) {
    begin_manually(*this);
  }
  std::int32_t ask(const std::string& method = "GET", bool more = false) {
    const auto id = peer.request(
        {{":method", method}, {":scheme", "http"}, {":authority", "a"}, {":path", "/x"}}, more);
    settle_both();
    return id;
  }
};

ResponseHead head_of(int status, std::optional<std::uint64_t> length = {}) {
  ResponseHead head;
  head.status = status;
  head.content_length = length;
  return head;
}

}  // namespace

TEST_CASE("HTTP/2: a head has lower case names and none of HTTP/1's connection") {
  ManualFixture f;
  const auto id = f.ask();
  ResponseHead head = head_of(200, 2);
  head.content_type = "text/plain";
  head.etag = "\"e\"";
  head.last_modified = 0;
  for (const auto name : {"Connection", "Keep-Alive", "Proxy-Connection", "Transfer-Encoding",
                          "Upgrade", "Content-Length", "No Token"})
    head.headers.add(name, "x");
  head.headers.add("X-Upper", " a\r\nb ");
  f.last().link->send_head(head);
  f.last().link->send_body(SharedBytes::copy_of("ok"));
  f.last().link->send_end({});
  f.settle_both();
  const auto& answer = f.peer.answer(id);
  CHECK(fields_of(answer) ==
        "content-type=text/plain, content-length=2, last-modified=Thu, 01 Jan 1970 00:00:00 GMT, "
        "etag=\"e\", x-upper=a  b");
  CHECK(answer.field("date") == "Mon, 23 Nov 2026 22:13:00 GMT");
  CHECK(answer.body == "ok");
  CHECK(answer.ended);
  CHECK(f.peer.error().empty());
}

TEST_CASE("HTTP/2: answers without a body end with their head") {
  ManualFixture f;
  const bool head_request = GENERATE(false, true);
  const auto id = f.ask(head_request ? "HEAD" : "GET");
  f.last().link->send_head(head_request ? head_of(200, 5) : head_of(304));
  f.settle_both();
  CHECK(f.peer.answer(id).ended);
  CHECK_FALSE(f.last().over);  // the exchange has not said so yet
  f.last().link->send_body(SharedBytes::copy_of("hello"));
  f.last().link->send_end({});
  f.settle_both();
  CHECK(f.last().over);
  CHECK(f.peer.answer(id).body.empty());
  CHECK(f.peer.answer(id).field("content-length") == (head_request ? "5" : "(none)"));
}

TEST_CASE("HTTP/2: informational heads and trailers") {
  ManualFixture f;
  const auto id = f.ask();
  HeaderList hints, trailers;
  hints.add("Link", "</a.css>; rel=preload");
  f.last().link->send_informational(103, hints);
  f.last().link->send_head(head_of(200));
  f.last().link->send_body(SharedBytes::copy_of("body"));
  trailers.add("X-Sum", "4");
  f.last().link->send_end(trailers);
  f.settle_both();
  const auto& answer = f.peer.answer(id);
  CHECK(answer.informational == std::vector<int>{103});
  CHECK(answer.status == 200);
  CHECK(answer.body == "body");
  REQUIRE(answer.trailers.size() == 1);
  CHECK(answer.trailers[0].first == "x-sum");
  CHECK(answer.ended);
  CHECK(f.peer.error().empty());
}

TEST_CASE("HTTP/2: what is not whole is reset, never ended") {
  ManualFixture f;
  const auto id = f.ask();
  f.last().link->send_head(head_of(200, 10));
  f.last().link->send_body(SharedBytes::copy_of("hello"));
  const bool cut = GENERATE(false, true);
  cut ? f.last().link->cut(false) : f.last().link->send_end({});
  f.settle_both();
  CHECK(f.peer.answer(id).body == "hello");
  CHECK_FALSE(f.peer.answer(id).ended);
  CHECK(f.peer.answer(id).reset == NGHTTP2_INTERNAL_ERROR);
  CHECK(f.last().over);
  CHECK(f.get("/y").status == 0);  // the connection goes on; nobody answers this one
  CHECK(f.records.size() == 2);
  CHECK(f.log_lines.has("shorter than its Content-Length") == !cut);
}

TEST_CASE("HTTP/2: all answers of a turn leave in one write") {
  Http2Fixture f;
  f.settle_both();
  for (int i = 0; i < 20; ++i)
    f.peer.get("/" + std::to_string(i));
  const std::size_t before = f.stream.writes();
  f.feed(f.peer.outgoing());
  CHECK(f.stream.writes() == before + 1);
  f.settle_both();
  CHECK(f.peer.answer(39).body == "/19");
  CHECK(f.records.size() == 20);
}

TEST_CASE("HTTP/2: a body follows the windows, and its source is asked again") {
  ManualFixture f;
  f.peer.hold_windows();
  const auto id = f.ask();
  const std::string piece(20'000, 'x');
  std::size_t sent = 0;
  const auto write = [&](Record& r) {
    while (sent < 400'000) {
      sent += piece.size();
      if (r.link->send_body(SharedBytes::copy_of(piece)) == Flow::Wait) return;
    }
    r.link->send_end({});
  };
  f.behaviour.writable = write;
  f.last().link->send_head(head_of(200, 400'000));
  write(f.last());
  f.settle_both();
  CHECK(f.peer.answer(id).body.size() == 65'535);
  CHECK(sent <= 65'535 + 2 * 65'536);
  f.peer.open_window(0, 1'000'000);
  f.settle_both();
  CHECK(f.peer.answer(id).body.size() == 65'535);
  f.peer.open_window(id, 1'000'000);
  f.settle_both();
  CHECK(f.peer.answer(id).body.size() == 400'000);
  CHECK(f.peer.answer(id).ended);
  CHECK(f.last().over);
}

TEST_CASE("HTTP/2: many answers to a client that does not read hold little memory") {
  ManualFixture f;
  f.peer.hold_windows();
  std::size_t accepted = 0;
  f.behaviour.start = [&](Record& r) {
    r.link->send_head(head_of(200));
    const std::string piece(4096, 'x');
    for (Flow flow = Flow::GoOn; flow == Flow::GoOn; accepted += piece.size())
      flow = r.link->send_body(SharedBytes::copy_of(piece));
  };
  for (int i = 0; i < 100; ++i)
    f.peer.get("/");
  f.settle_both();
  CHECK(f.records.size() == 100);
  CHECK(accepted < 2'000'000);
}

TEST_CASE("HTTP/2: frames are as large as the location says") {
  ManualFixture f;
  f.behaviour.policy.http2_chunk = 1;
  const auto id = f.ask();
  f.last().link->send_head(head_of(200, 4));
  f.last().link->send_body(SharedBytes::copy_of("body"));
  f.last().link->send_end({});
  f.settle_both();
  CHECK(f.peer.answer(id).frames == std::vector<std::size_t>{1, 1, 1, 1});
}

TEST_CASE("HTTP/2: the request's rest is not waited for when the answer is whole") {
  ManualFixture f;
  const auto id = f.ask("POST", true);
  answer(*f.last().link, 200, "done");
  f.settle_both();
  CHECK(f.peer.answer(id).body == "done");
  CHECK(f.peer.answer(id).ended);
  CHECK(f.peer.answer(id).reset == NGHTTP2_NO_ERROR);
  CHECK(f.last().over);
}

TEST_CASE("HTTP/2: a body that nobody wants yet is bounded, and goes on when it is wanted") {
  ManualFixture f;
  const auto id = f.ask("POST", true);
  f.peer.send(id, std::string(500'000, 'x'), true);
  f.settle_both();
  CHECK(f.last().body.empty());
  f.last().link->want_body(true);
  f.settle_both();
  CHECK(f.last().body.size() == 500'000);
  CHECK(f.last().body_ended);
  answer(*f.last().link, 200, "");
  f.settle_both();
  CHECK(f.peer.answer(id).status == 200);
  CHECK(f.peer.error().empty());
}

TEST_CASE("HTTP/2: a paused upload does not hold up another one") {
  ManualFixture f;
  const auto first = f.ask("POST", true);
  f.peer.send(first, std::string(500'000, 'x'), true);
  const auto second = f.ask("POST", true);
  f.peer.send(second, std::string(500'000, 'y'), true);
  f.last().link->want_body(true);
  f.settle_both();
  CHECK(f.last().body.size() == 500'000);
  CHECK(f.records[0].body.empty());
}

TEST_CASE("HTTP/2: a client that cancels is gone for its exchange only") {
  ManualFixture f;
  const auto id = f.ask();
  f.ask();
  f.peer.reset(id);
  f.settle_both();
  CHECK(f.records[0].gone);
  CHECK(f.records[0].over);
  CHECK_FALSE(f.records[1].gone);
  answer(*f.records[1].link, 200, "still here");
  f.settle_both();
  CHECK(f.peer.answer(3).body == "still here");
}

TEST_CASE("HTTP/2: a client that leaves is gone for all") {
  ManualFixture f;
  f.ask();
  f.ask();
  const bool reset = GENERATE(false, true);
  reset ? f.stream.fail(make_error(ErrorKind::Closed, Origin::Client, "reset")) : f.stream.end();
  f.settle();
  for (const auto& record : f.records) {
    CHECK(record.gone);
    CHECK(record.over);
  }
  CHECK(f.over());
}

TEST_CASE("HTTP/2: what was sent and received is counted") {
  Http2Fixture f;
  f.get("/x");
  CHECK(f.last().sent > 20);
  CHECK(f.last().received == 9);  // compressed, without the frame's head: as nginx
}

TEST_CASE("HTTP/2: large heads are sent, one that is too large is reset and said so") {
  ManualFixture f;
  const bool too_large = GENERATE(false, true);
  const auto id = f.ask();
  const std::string value(too_large ? 60'000 : 15'000, 'X');
  ResponseHead head = head_of(200, 0);
  for (int i = 0; i < (too_large ? 40 : 5); ++i)
    head.headers.add("x-large", std::string_view(value));
  f.last().link->send_head(head);
  f.last().link->send_end({});
  f.settle_both();
  CHECK(f.last().over);
  CHECK(f.peer.answer(id).ended == !too_large);
  CHECK(f.log_lines.has("response head cannot be sent over HTTP/2") == too_large);
}

TEST_CASE("HTTP/2: answers that a client's fault left behind are no errors of ours") {
  Http2Fixture f;
  f.feed_raw(h2::get(1) + h2::get(3) + h2::data(0, "x"));  // DATA belongs to a stream
  CHECK(f.log_lines.has("response head cannot be sent over HTTP/2"));
  for (const std::string& line : f.log_lines.lines) {
    INFO(line);
    CHECK(line.find("error") != 0);
  }
}

TEST_CASE("HTTP/2: the end of an answer needs no window") {
  const std::string kind = GENERATE("nothing", "all", "trailers", "cut");
  const bool finished = GENERATE(true, false);
  CAPTURE(kind, finished);
  Http2Fixture f;
  begin_manually(f);
  f.feed(h2::kPreface + h2::settings({{4, kind == "all" ? 5 : 0}}) +
         h2::frame(h2::kSettings, h2::kAck, 0) +
         h2::headers(1, h2::request("/x", "POST"),
                     static_cast<std::uint8_t>(h2::kEndHeaders | (finished ? h2::kEndStream : 0))));
  f.last().link->send_head(head_of(200));
  if (kind == "all") f.last().link->send_body(SharedBytes::copy_of("hello"));
  f.settle();
  f.take_frames();
  HeaderList trailers;
  if (kind == "trailers") trailers.add("X-Sum", "4");
  kind == "cut" ? f.last().link->cut(false) : f.last().link->send_end(trailers);
  f.settle();
  const auto frames = f.take_frames();
  REQUIRE_FALSE(frames.empty());
  if (kind == "cut") {
    CHECK(Http2Fixture::ends(frames) == "RST 1:2 ");
  } else {
    CHECK(frames[0].type == (kind == "trailers" ? h2::kHeaders : h2::kData));
    CHECK((frames[0].flags & h2::kEndStream) != 0);
    CHECK(frames[0].stream == 1);
    CHECK((kind == "trailers" || frames[0].payload.empty()));
    CHECK(Http2Fixture::ends(frames) == (finished ? "" : "RST 1:0 "));
  }
  CHECK(f.last().over);
  // A window that opens late is for nobody, and the connection goes on.
  f.feed(h2::window(1, 100) + h2::get(3));
  CHECK(Http2Fixture::ends(f.take_frames()) == "");
  CHECK(f.records.size() == 2);
  f.loop.advance(std::chrono::hours(1));
  f.settle();
}

TEST_CASE("HTTP/2: an answer that ended and was not taken is known to be lost") {
  Http2Fixture f;
  begin_manually(f);
  f.feed(h2::kPreface + h2::settings({{4, 2}}) + h2::frame(h2::kSettings, h2::kAck, 0) +
         h2::get(1));
  answer(*f.last().link, 200, "hello");
  f.settle();
  CHECK_FALSE(f.last().over);
  f.feed(h2::reset(1));
  CHECK(f.last().gone);
  CHECK(f.last().over);
}

TEST_CASE("HTTP/2: an early answer leaves before the rest of its request is broken off") {
  Http2Fixture f;
  begin_manually(f);
  f.feed_raw(h2::headers(1, h2::request("/p", "POST"), h2::kEndHeaders));
  f.take_frames();
  const auto before = f.stream.writes();
  answer(*f.last().link, 413, "too large");
  f.settle();
  CHECK(f.stream.writes() == before + 2);
  const auto frames = f.take_frames();
  REQUIRE(frames.size() == 3);
  CHECK(frames[1].type == h2::kData);
  CHECK(frames[2].type == h2::kReset);
}

TEST_CASE("HTTP/2: what frames a body does not count as body, nor do heads before the last") {
  ManualFixture f;
  std::uint64_t body = 0;
  f.ask();
  auto& link = *f.last().link;
  link.send_informational(103, {});
  link.send_head(head_of(200));
  for (int i = 0; i < 3; ++i) {
    link.send_body(SharedBytes::copy_of("hello"));
    f.settle_both();
    body = link.bytes_sent() - link.sent_framing().head_bytes;
    CHECK(body == 5U * static_cast<unsigned>(i + 1));
  }
  link.send_end({});
  f.settle_both();
  CHECK(f.last().over);
}
