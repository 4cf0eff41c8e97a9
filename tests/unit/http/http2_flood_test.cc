// What an attacker may cost: each kind of flood ends its connection with ENHANCE_YOUR_CALM and a
// line in the error log, and nothing of it waits in memory.

#include "proxy/http/http2_flood.h"

#include "proxy/http/http2_priority.h"
#include "tests/unit/http/http2_fixture.h"

using namespace gatescope;
using namespace gatescope::http;

namespace {

struct Flood {
  const char* what;
  std::function<std::string(unsigned)> frames;  // the n-th, from 0
  unsigned harmless, too_many;
  const char* line;
};

const Flood kFloods[] = {
    {"rapid reset", [](unsigned n) { return h2::get(2 * n + 1) + h2::reset(2 * n + 1); }, 200, 300,
     "too many RST_STREAM frames"},
    {"SETTINGS",
     [](unsigned) {
       return h2::settings({{4, 65535}});
     },
     50, 70, "too many SETTINGS frames"},
    {"PING", [](unsigned) { return h2::ping(); }, 100, 150, "too many PING frames"},
    {"PRIORITY",
     [](unsigned n) { return h2::frame(h2::kPriority, 0, 2 * n + 1, h2::number(0) + "\x10"); }, 400,
     600, "too many PRIORITY frames"},
    {"WINDOW_UPDATE", [](unsigned) { return h2::window(0, 1); }, 900, 1100,
     "too many WINDOW_UPDATE frames"},
    {"empty DATA",
     [](unsigned n) {
       return (n == 0 ? h2::headers(1, h2::request("/p", "POST"), h2::kEndHeaders) : "") +
              h2::data(1, "", 0);
     },
     90, 110, "too many empty DATA frames"},
    {"small DATA",
     [](unsigned n) {
       return (n == 0 ? h2::headers(1, h2::request("/p", "POST"), h2::kEndHeaders) : "") +
              h2::data(1, "x", 0);
     },
     15'000, 21'000, "too many small DATA frames"},
    {"empty DATA behind padding",
     [](unsigned n) {
       return (n == 0 ? h2::headers(1, h2::request("/p", "POST"), h2::kEndHeaders) : "") +
              h2::frame(h2::kData, h2::kPadded, 1, std::string(1, '\x40') + std::string(64, '\0'));
     },
     90, 110, "too many empty DATA frames"},
    {"unknown frames", [](unsigned) { return h2::frame(0xbe, 0, 0, "x"); }, 900, 1100,
     "too many frames of unknown types"},
};

}  // namespace

TEST_CASE("HTTP/2: floods end their connection") {
  for (const Flood& flood : kFloods) {
    INFO(flood.what);
    std::string frames;
    unsigned n = 0;
    for (; n < flood.harmless; ++n)
      frames += flood.frames(n);
    Http2Fixture f;
    f.feed_raw(frames);
    CHECK_FALSE(f.stream.fin_seen());
    CHECK_FALSE(f.log_lines.has("flood"));
    f.take_frames();
    for (frames.clear(); n < flood.too_many; ++n)
      frames += flood.frames(n);
    f.feed(frames);
    CHECK(f.log_lines.has(flood.line));
    CHECK(Http2Fixture::ends(f.take_frames()).find(":11 ") != std::string::npos);
    CHECK(f.stream.fin_seen());
    for (const Record& record : f.records)
      CHECK(record.over);
  }
}

TEST_CASE("HTTP/2: what a client needs now and then is no flood") {
  Http2Fixture f;
  f.feed_raw("");
  for (unsigned n = 0; n < 600; ++n) {
    f.feed(h2::get(2 * n + 1) + h2::reset(2 * n + 1) + h2::ping() + h2::window(0, 1));
    f.pass(Duration(100));
  }
  CHECK_FALSE(f.log_lines.has("flood"));
}

TEST_CASE("HTTP/2: what comes on a stream that we have reset is counted, too") {
  const Flood floods[] = {
      {"the end again and again", [](unsigned) { return h2::data(1, ""); }, 500, 520,
       "too many frames on streams that are over"},
      {"empty DATA", [](unsigned) { return h2::data(1, "", 0); }, 500, 520,
       "too many frames on streams that are over"},
      {"padding",
       [](unsigned) {
         return h2::frame(h2::kData, h2::kPadded, 1,
                          std::string(1, '\x40') + std::string(64, '\0'));
       },
       500, 520, "too many frames on streams that are over"},
      {"trailers", [](unsigned) { return h2::headers(1, {}); }, 500, 520,
       "too many frames on streams that are over"},
      // One byte each names a field of HPACK's table
      {"a block that nobody reads",
       [](unsigned n) {
         return h2::frame(n == 0 ? h2::kHeaders : h2::kContinuation, 0, 1,
                          std::string(16'000, '\x82'));
       },
       2, 3, "too many header fields in one block"},
  };
  for (const Flood& flood : floods) {
    INFO(flood.what);
    Http2Fixture f;
    f.behaviour.start = [](Record& r) { answer(*r.link, 405, ""); };
    f.feed_raw(h2::headers(1, h2::request("/p", "POST"), h2::kEndHeaders));
    REQUIRE(Http2Fixture::ends(f.take_frames()) == "RST 1:0 ");
    unsigned n = 0;
    for (std::string frames; n < flood.too_many; frames.clear()) {
      const unsigned end = n < flood.harmless ? flood.harmless : flood.too_many;
      CHECK_FALSE(f.log_lines.has("flood"));
      for (; n < end; ++n)
        frames += flood.frames(n);
      f.feed(frames);
    }
    CHECK(f.log_lines.has(flood.line));
    CHECK(f.stream.fin_seen());
  }
}

TEST_CASE("HTTP/2: a flood that goes on behind our GOAWAY is not read to its end") {
  Http2Fixture f;
  f.feed_raw("");
  for (int i = 0; i < 200; ++i)
    f.feed(h2::ping());
  REQUIRE(f.log_lines.has("flood"));
  CHECK_FALSE(f.over());
  std::size_t more = 0;
  for (; !f.over() && more < (8u << 20); more += 65'536)
    f.feed(std::string(65'536, 'x'));
  CHECK(more <= (2u << 20));
}

TEST_CASE("HTTP/2: the pieces of a body that cross our reset are no flood") {
  Http2Fixture f;
  f.behaviour.start = [](Record& r) { answer(*r.link, 413, ""); };
  f.feed_raw(h2::headers(1, h2::request("/p", "POST"), h2::kEndHeaders));
  for (int i = 0; i < 2000; ++i)
    f.feed(h2::data(1, std::string(100, 'x'), 0));
  CHECK_FALSE(f.log_lines.has("flood"));
  f.feed(h2::get(3));
  CHECK(f.records.size() == 2);
}

TEST_CASE("HTTP/2: the block of a refused stream is bounded") {
  SessionSettings settings;
  settings.http2_streams = 1;
  Http2Fixture f(settings);
  begin_manually(f);
  f.feed_raw(h2::get(1));
  const std::string fields(16'000, '\x82');
  f.feed(h2::frame(h2::kHeaders, h2::kEndStream, 3, fields));
  for (int i = 0; i < 3; ++i)
    f.feed(h2::frame(h2::kContinuation, 0, 3, fields));
  CHECK(f.log_lines.has("too many header fields in one block"));
  CHECK(f.stream.fin_seen());
}

TEST_CASE("HTTP/2: what nghttp2 finds too much is said as a flood, too") {
  Http2Fixture f;
  std::string many;
  for (int i = 0; i < 1000; ++i)
    many += h2::number(4, 2) + h2::number(65535);
  f.feed_raw(h2::frame(h2::kSettings, 0, 0, many));
  CHECK(f.log_lines.has("error HTTP/2 flood detected, the connection is closed: SETTINGS"));
  CHECK(f.stream.fin_seen());
}

TEST_CASE("HTTP/2: windows, pings and half a conversation are earned by data") {
  Http2FloodGuard guard(128);
  const MonoTime now(std::chrono::hours(1));
  for (int i = 0; i < 100'000; ++i) {
    guard.on_data_sent();
    CHECK(guard.allow(Http2FloodGuard::Kind::WindowUpdate, now));
    CHECK(guard.allow(Http2FloodGuard::Kind::Ping, now));
    CHECK(guard.allow(Http2FloodGuard::Kind::SmallData, now));
  }
}

TEST_CASE("HTTP/2: acknowledgements do not pile up behind a client that does not read") {
  Http2Fixture f;
  f.feed_raw("");
  f.stream.set_window(0);
  std::string pings;
  for (int i = 0; i < 10'000; ++i)
    pings += h2::ping();
  f.feed(pings);
  CHECK(f.log_lines.has("flood"));
  CHECK(f.records.empty());
}

TEST_CASE("HTTP/2: a block without an end") {
  Http2Fixture f;
  std::string frames = h2::frame(h2::kHeaders, 0, 1, h2::block(h2::request("/")));
  for (int i = 0; i < 100; ++i)
    frames += h2::frame(h2::kContinuation, 0, 1, h2::block({{"x", "y"}}));
  f.feed_raw(frames);
  CHECK(f.log_lines.has("flood"));
  CHECK(f.stream.fin_seen());
  CHECK(f.records.empty());
}

TEST_CASE("HTTP/2: an HPACK bomb") {
  Http2Fixture f;
  // 4000 bytes go into the table once, and are then named by one byte each.
  std::string bomb = h2::block(h2::request("/"));
  bomb += std::string("\x40\x01x\x7f", 4) + "\xa1\x1e" + std::string(4000, 'y');
  bomb += std::string(10'000, '\xbe');
  f.feed_raw(h2::headers(1, {}).substr(0, 0) +
             h2::frame(h2::kHeaders, h2::kEndHeaders | h2::kEndStream, 1, bomb));
  CHECK(f.log_lines.has("too many header fields in one block"));
  CHECK(Http2Fixture::ends(f.take_frames()) == "GOAWAY 1:11 ");
  CHECK(f.records.empty());
}

TEST_CASE("HTTP/2: more streams than were allowed are refused, others go on") {
  SessionSettings settings;
  settings.http2_streams = 2;
  Http2Fixture f(settings);
  begin_manually(f);
  // Without the acknowledgement of our SETTINGS it may be a mistake.
  f.feed(h2::kPreface + h2::settings() + h2::get(1) + h2::get(3) + h2::get(5));
  CHECK(f.records.size() == 2);
  CHECK(Http2Fixture::ends(f.take_frames()) == "RST 5:7 ");
  answer(*f.records[0].link, 200, "");
  f.settle();
  f.feed(h2::get(7));
  CHECK(f.records.size() == 3);
}

TEST_CASE("HTTP/2: urgency as a weight") {
  CHECK(weight_of_priority("") == 16);
  CHECK(weight_of_priority("u=3") == 16);
  CHECK(weight_of_priority("u=0, i") == 256);
  CHECK(weight_of_priority("i,u=7;x=1") == 1);
  CHECK(weight_of_priority("u=1, u=5") == 4);
  CHECK(weight_of_priority("u=8") == 16);
  CHECK(weight_of_priority("u=33") == 16);
}
