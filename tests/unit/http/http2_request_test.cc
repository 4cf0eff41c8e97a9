// What a request over HTTP/2 may be: raw frames, and what the exchange is offered. Whole and byte
// by byte.

#include "tests/unit/http/http2_fixture.h"

using namespace gatescope;
using namespace gatescope::http;

namespace {

struct Http2RequestCase {
  const char* what;
  std::string frames;
  std::string summary;
  std::string ends = "";  // RST_STREAM and GOAWAY that come
};

h2::Fields with(h2::Fields more) {
  return h2::request("/x", "GET", std::move(more));
}
std::string only(h2::Fields fields) {
  return h2::headers(1, fields);
}

const h2::Fields kMethod{{":method", "GET"}}, kScheme{{":scheme", "http"}},
    kAuthority{{":authority", "a"}}, kPath{{":path", "/x"}};

h2::Fields join(std::initializer_list<h2::Fields> parts) {
  h2::Fields all;
  for (const auto& part : parts)
    all.insert(all.end(), part.begin(), part.end());
  return all;
}

const std::string kRefused = "RST 1:1 ";  // PROTOCOL_ERROR, behind the 400

const Http2RequestCase kCases[] = {
    {"a usual one", h2::get(1), "GET /x {host=a}"},
    {"two", h2::get(1) + h2::get(3, "/y"), "GET /x {host=a} | GET /y {host=a}"},
    {"fields in order, the host first", only(with({{"b", "1"}, {"a", "2"}, {"b", "3"}})),
     "GET /x {host=a, b=1, a=2, b=3}"},
    {"Host instead of :authority",
     only(join({kMethod, kScheme, kPath, {{"x", "1"}, {"host", "b"}}})), "GET /x {host=b, x=1}"},
    {"both alike", only(with({{"host", "A"}})), "GET /x {host=a}"},
    {"both, and different", only(with({{"host", "b"}})), "400"},
    {"two Hosts", only(join({kMethod, kScheme, kPath, {{"host", "a"}, {"host", "a"}}})), "400"},
    {"neither", only(join({kMethod, kScheme, kPath})), "400"},
    {"an empty :authority", only(join({kMethod, kScheme, kPath, {{":authority", ""}}})), "400",
     kRefused},
    {"crumbs of a cookie", only(with({{"cookie", "a=1"}, {"x", "y"}, {"cookie", "b=2"}})),
     "GET /x {host=a, cookie=a=1; b=2, x=y}"},
    {"no method", only(join({kScheme, kAuthority, kPath})), "400", kRefused},
    {"no scheme", only(join({kMethod, kAuthority, kPath})), "400", kRefused},
    {"no path", only(join({kMethod, kScheme, kAuthority})), "400", kRefused},
    {"an empty path", only(join({kMethod, kScheme, kAuthority, {{":path", ""}}})), "400", kRefused},
    {"a path that is none", only(join({kMethod, kScheme, kAuthority, {{":path", "x"}}})), "400",
     kRefused},
    {"a star for OPTIONS",
     only({{":method", "OPTIONS"}, {":scheme", "http"}, {":authority", "a"}, {":path", "*"}}),
     "OPTIONS * {host=a}"},
    {"a blank in the path", only(join({kMethod, kScheme, kAuthority, {{":path", "/a b"}}})), "400",
     kRefused},
    {"a method twice", only(join({kMethod, kMethod, kScheme, kAuthority, kPath})), "400", kRefused},
    {"a pseudo-header after fields",
     only(join({kMethod, kScheme, kAuthority, {{"a", "b"}}, kPath})), "400", kRefused},
    {"an unknown pseudo-header", only(with({{":proto", "x"}})), "400", kRefused},
    {"a pseudo-header of answers", only(with({{":status", "200"}})), "400", kRefused},
    {"upper case", only(with({{"X-Y", "1"}})), "400", kRefused},
    {"a line end in a value", only(with({{"x", "1\r\ny: 2"}})), "400", kRefused},
    {"a null in a value", only(with({{"x", std::string("1\0", 2)}})), "400", kRefused},
    {"a blank in a name", only(with({{"x y", "1"}})), "400", kRefused},
    {"a colon in a name", only(with({{"x:y", "1"}})), "400", kRefused},
    {"an empty name", only(with({{"", "1"}})), "400", kRefused},
    {"an underscore is dropped", only(with({{"x_y", "1"}, {"z", "2"}})), "GET /x {host=a, z=2}"},
    {"blanks around a value", only(with({{"x", " 1\t"}})), "GET /x {host=a, x=1}"},
    {"Connection", only(with({{"connection", "close"}})), "400", kRefused},
    {"Transfer-Encoding", only(with({{"transfer-encoding", "chunked"}})), "400", kRefused},
    {"Upgrade", only(with({{"upgrade", "websocket"}})), "400", kRefused},
    {"TE: trailers", only(with({{"te", "trailers"}})), "GET /x {host=a, te=trailers}"},
    {"TE: gzip", only(with({{"te", "gzip"}})), "400", kRefused},
    {"CONNECT", only({{":method", "CONNECT"}, {":authority", "a:1"}}), "405"},
    {"TRACE", only(h2::request("/", "TRACE")), "405"},
    {"an expectation of something else", only(with({{"expect", "wonders"}})), "417"},
    {"a body", h2::headers(1, h2::request("/p", "POST"), h2::kEndHeaders) + h2::data(1, "hello"),
     "POST /p {host=a} hello"},
    {"a body in pieces",
     h2::headers(1, h2::request("/p", "POST", {{"content-length", "5"}}), h2::kEndHeaders) +
         h2::data(1, "he", 0) + h2::data(1, "", 0) + h2::data(1, "llo"),
     "POST /p {host=a, content-length=5} hello"},
    {"a body with padding",
     h2::headers(1, h2::request("/p", "POST"), h2::kEndHeaders) +
         h2::frame(h2::kData, h2::kPadded | h2::kEndStream, 1, std::string("\x03hello\0\0\0", 9)),
     "POST /p {host=a} hello"},
    {"an empty body", h2::headers(1, h2::request("/p", "POST"), h2::kEndHeaders) + h2::data(1, ""),
     "POST /p {host=a} "},
    {"trailers",
     h2::headers(1, h2::request("/p", "POST"), h2::kEndHeaders) + h2::data(1, "hello", 0) +
         h2::headers(1, {{"x", "y"}, {"content-length", "9"}}),
     "POST /p {host=a} hello {x=y}"},
    {"trailers that do not end it",
     h2::headers(1, h2::request("/p", "POST"), h2::kEndHeaders) + h2::data(1, "hello", 0) +
         h2::headers(1, {{"x", "y"}}, h2::kEndHeaders),
     "POST /p {host=a} hello failed 400", kRefused},
    {"a pseudo-header in trailers",
     h2::headers(1, h2::request("/p", "POST"), h2::kEndHeaders) + h2::data(1, "hello", 0) +
         h2::headers(1, {{":path", "/y"}}),
     "POST /p {host=a} hello failed 400", kRefused},
    {"more than the length",
     h2::headers(1, h2::request("/p", "POST", {{"content-length", "3"}}), h2::kEndHeaders) +
         h2::data(1, "hello"),
     "POST /p {host=a, content-length=3} failed 400", kRefused},
    {"less than the length",
     h2::headers(1, h2::request("/p", "POST", {{"content-length", "9"}}), h2::kEndHeaders) +
         h2::data(1, "hello"),
     "POST /p {host=a, content-length=9} failed 400", kRefused},
    {"a length and no body", only(with({{"content-length", "9"}})), "400", kRefused},
    {"two Authorizations",
     only(with({{"authorization", "Basic YTph"}, {"authorization", "Basic Yjpi"}})), "400"},
    {"two lengths", only(with({{"content-length", "0"}, {"content-length", "0"}})), "400",
     kRefused},
    {"a length that is none", only(with({{"content-length", "+1"}})), "400", kRefused},
    {"continuations",
     h2::frame(h2::kHeaders, h2::kEndStream, 1, h2::block(kMethod)) +
         h2::frame(h2::kContinuation, 0, 1, h2::block(kScheme)) +
         h2::frame(h2::kContinuation, h2::kEndHeaders, 1, h2::block(join({kAuthority, kPath}))),
     "GET /x {host=a}"},
    {"a stream of an even number", h2::get(2), "", "GOAWAY 0:1 "},
    {"a smaller number", h2::get(3) + h2::get(1), "GET /x {host=a}", "GOAWAY 3:1 "},
    {"DATA behind the client's own reset",
     h2::headers(1, h2::request("/p", "POST"), h2::kEndHeaders) + h2::reset(1) + h2::data(1, "x"),
     "POST /p {host=a}", "GOAWAY 1:5 "},
    {"DATA on an idle stream", h2::data(1, "x"), "", "GOAWAY 0:1 "},
    {"a frame between the parts of a block",
     h2::frame(h2::kHeaders, h2::kEndStream, 1, h2::block(kMethod)) + h2::ping(), "",
     "GOAWAY 1:1 "},
    {"HPACK that is none", h2::frame(h2::kHeaders, 5, 1, std::string("\xff\xff\xff\xff\xff", 5)),
     "", "GOAWAY 1:9 "},
};

}  // namespace

TEST_CASE("HTTP/2: what is a request, and what is not") {
  const bool bytewise = GENERATE(false, true);
  for (const Http2RequestCase& c : kCases) {
    INFO(c.what << (bytewise ? ", byte by byte" : ""));
    Http2Fixture f;
    const std::string all = h2::hello() + c.frames;
    bytewise ? f.feed_bytewise(all) : f.feed(all);
    CHECK(f.summary() == c.summary);
    CHECK(Http2Fixture::ends(f.take_frames()) == c.ends);
  }
}

TEST_CASE("HTTP/2: a head has a method and a target, and no request line") {
  Http2Fixture f;
  f.get("/a?b");
  CHECK(f.last().method == "GET");
  CHECK(f.last().target == "/a?b");
  CHECK(f.last().line.empty());
  CHECK(f.last().version == Version::Http2);
}

TEST_CASE("HTTP/2: heads have HTTP/1's limits") {
  SessionSettings settings;
  settings.large_buffers = 2;
  settings.large_buffer = 100;
  settings.max_headers = 3;
  settings.underscores_in_headers = true;
  const auto status = [&](const h2::Fields& fields) {
    Http2Fixture f(settings);
    f.feed_raw(h2::headers(1, fields));
    return f.last().refused;
  };
  CHECK(status(with({{"x", std::string(99, 'y')}})) == 0);
  CHECK(status(with({{"x", std::string(100, 'y')}})) == 494);
  CHECK(status(h2::request("/" + std::string(100, 'x'))) == 414);
  CHECK(status(with({{"x", std::string(90, 'y')}, {"y", std::string(90, 'y')}})) == 494);
  CHECK(status(with({{"a", "1"}, {"b", "2"}, {"c", "3"}})) == 0);
  CHECK(status(with({{"a", "1"}, {"b", "2"}, {"c", "3"}, {"d", "4"}})) == 400);
  CHECK(status(with({{"a_b", "1"}})) == 0);
  CHECK(status(with({{"content_length", "1"}})) == 400);
}

TEST_CASE("HTTP/2: a client that waits for 100 gets it when its body is wanted") {
  Http2Fixture f;
  const auto id = f.peer.request({{":method", "POST"},
                                  {":scheme", "http"},
                                  {":authority", "a"},
                                  {":path", "/p"},
                                  {"expect", "100-continue"}},
                                 true);
  f.settle_both();
  CHECK(f.peer.answer(id).informational == std::vector<int>{100});
  f.peer.send(id, "hello");
  f.settle_both();
  CHECK(f.peer.answer(id).status == 200);
  CHECK(f.last().body == "hello");
  CHECK(f.peer.error().empty());
}

TEST_CASE("HTTP/2: a preface that is none") {
  Http2Fixture f;
  f.feed("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n");
  CHECK(Http2Fixture::ends(f.take_frames()) == "GOAWAY 0:1 ");
  CHECK(f.log_lines.has("invalid HTTP/2 preface"));
}

TEST_CASE("HTTP/2: SETTINGS are not waited for, nor answered when they did not come") {
  Http2Fixture f;
  const bool bytewise = GENERATE(false, true);
  const auto all = h2::kPreface + h2::frame(h2::kSettings, h2::kAck, 0) + h2::get(1);
  bytewise ? f.feed_bytewise(all) : f.feed(all);
  CHECK(f.summary() == "GET /x {host=a}");
  for (const auto& frame : f.take_frames())
    CHECK_FALSE((frame.type == h2::kSettings && frame.flags == h2::kAck));
  f.feed(h2::settings());
  CHECK(f.take_frames().size() == 1);
}

TEST_CASE("HTTP/2: a stream that is over does not begin again") {
  Http2Fixture f;
  f.feed_raw(h2::get(1));
  f.take_frames();
  f.feed(h2::get(1));
  CHECK(f.records.size() == 1);
  CHECK(Http2Fixture::ends(f.take_frames()) == "GOAWAY 1:1 ");
}

TEST_CASE("HTTP/2: what crosses our reset is no fault") {
  Http2Fixture f;
  begin_manually(f);
  f.feed_raw(h2::headers(1, h2::request("/p", "POST"), h2::kEndHeaders));
  answer(*f.last().link, 200, "");
  f.settle();
  CHECK(Http2Fixture::ends(f.take_frames()) == "RST 1:0 ");
  f.feed(h2::data(1, "late", 0) + h2::headers(1, {{"x", "y"}}) + h2::get(3));
  CHECK(Http2Fixture::ends(f.take_frames()) == "");
  CHECK(f.records.size() == 2);
}

TEST_CASE("HTTP/2: bodies that nobody reads do not stop those of others") {
  const bool begun = GENERATE(false, true);
  CAPTURE(begun);
  Http2Fixture f;
  f.behaviour.start = [&](Record& r) { r.link->want_body(begun || r.target == "/p"); };
  f.behaviour.body = [&](Record& r) {
    if (r.target == "/stuck" && r.body.size() > 20'000) r.link->want_body(false);
  };
  const auto post = [&](const std::string& path, std::size_t size) {
    const auto id = f.peer.request(h2::request(path, "POST"), true);
    f.peer.send(id, std::string(size, 'x'));
    f.settle_both();
    return id;
  };
  for (int i = 0; i < 100; ++i)
    post("/stuck", 400'000);
  const auto id = post("/p", 300'000);
  CHECK(f.peer.answer(id).status == 200);
  CHECK(f.last().body.size() == 300'000);
}

TEST_CASE("HTTP/2: a stream too many is refused, and costs nobody else anything") {
  SessionSettings settings;
  settings.http2_streams = 2;
  const bool acknowledged = GENERATE(true, false);
  Http2Fixture f(settings);
  begin_manually(f);
  const auto first = f.take_frames();
  REQUIRE_FALSE(first.empty());
  CHECK(first[0].type == h2::kSettings);
  CHECK(first[0].payload.find(h2::number(3, 2) + h2::number(2)) % 6 == 0);
  f.feed(h2::kPreface + h2::settings() +
         (acknowledged ? h2::frame(h2::kSettings, h2::kAck, 0) : std::string()));
  std::string all;
  for (std::uint32_t id = 1; id < 200; id += 2)
    all += h2::headers(id, h2::request("/p", "POST"), h2::kEndHeaders) + h2::data(id, "x", 0);
  f.feed(all);
  CHECK(f.records.size() == 2);
  const auto ends = Http2Fixture::ends(f.take_frames());
  CHECK(ends.find("GOAWAY") == std::string::npos);
  CHECK(ends.find("RST 5:7 ") == 0);
  CHECK(ends.find("RST 199:7 ") != std::string::npos);
  // What was on its way when they were refused
  std::string late;
  for (std::uint32_t id = 5; id < 200; id += 2)
    late += h2::data(id, "y");
  f.feed(late);
  CHECK(Http2Fixture::ends(f.take_frames()) == "");
  // And when one is over another may begin
  answer(*f.records[0].link, 200, "");
  f.settle();
  f.feed(h2::get(201));
  CHECK(f.records.size() == 3);
  CHECK(Http2Fixture::ends(f.take_frames()) == "RST 1:0 ");
}

TEST_CASE("HTTP/2: what comes behind the last request that is served is not begun") {
  Http2Fixture f;
  f.behaviour.policy.keepalive_requests = 1;
  f.feed_raw(h2::get(1) + h2::headers(3, h2::request("/p", "POST"), h2::kEndHeaders) +
             h2::data(3, "x") + h2::get(5));
  CHECK(f.records.size() == 1);
  const auto ends = Http2Fixture::ends(f.take_frames());
  INFO(ends);
  CHECK(ends.find("GOAWAY 1:0 ") != std::string::npos);
  for (const auto& line : f.log_lines.lines)
    CHECK(line.find("client terminated") == std::string::npos);
}

TEST_CASE("HTTP/2: the client's GOAWAY is about streams that we would begin") {
  Http2Fixture f;
  f.feed_raw(h2::frame(h2::kGoaway, 0, 0, h2::number(0) + h2::number(0)) + h2::get(1));
  CHECK(f.summary() == "GET /x {host=a}");
  CHECK(Http2Fixture::ends(f.take_frames()) == "");
  // Not one that is none
  f.feed(h2::frame(h2::kGoaway, 0, 1, h2::number(0) + h2::number(0)));
  CHECK(Http2Fixture::ends(f.take_frames()) == "GOAWAY 1:1 ");
}
