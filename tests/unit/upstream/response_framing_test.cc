#include "tests/unit/upstream/proxy_fixture.h"

namespace gatescope::upstream {

namespace {

struct Row {
  std::string_view what, raw, expected;
  bool closes = true;  // the upstream closes behind it
  std::string_view method = "GET";
};

const Row kRows[] = {
    {"length", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", "200 length=3 'abc' end", false},
    {"length 0", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "200 length=0 '' end", false},
    {"no reason, no blank", "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", "200 length=0 '' end",
     false},
    {"chunks",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n",
     "200 'abcde' end", false},
    {"chunks with trailers",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-T: 1\r\n\r\n",
     "200 'a' end", false},
    {"until close", "HTTP/1.1 200 OK\r\n\r\nabc", "200 'abc' end"},
    {"1.0 until close", "HTTP/1.0 200 OK\r\nX: 1\r\n\r\nabc", "200 {X=1} 'abc' end"},
    {"204", "HTTP/1.1 204 No Content\r\n\r\n", "204 '' end", false},
    {"304 with a length", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
     "304 length=5 '' end", false},
    {"HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "200 length=5 '' end", false, "HEAD"},
    {"100 is dropped", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
     "200 length=0 '' end", false},
    {"103 goes on",
     "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
     "103{Link=</x>} 200 length=0 '' end", false},
    {"hidden and hop-by-hop",
     "HTTP/1.1 200 OK\r\nServer: s\r\nDate: d\r\nX-Accel-Expires: 1\r\nX-Pad: p\r\nConnection: "
     "X-Hop, close\r\nX-Hop: 1\r\nKeep-Alive: x\r\nX-A: 1\r\nContent-Length: 0\r\n\r\n",
     "200 length=0 {X-A=1} '' end"},
    {"several of a name",
     "HTTP/1.1 200 OK\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nContent-Length: 0\r\n\r\n",
     "200 length=0 {Set-Cookie=a}{Set-Cookie=b} '' end", false},
    // cut: never complete-looking
    {"short body", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc", "200 length=5 'abc' cut"},
    {"no last chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
     "200 'abc' cut"},
    {"no end of trailers", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n",
     "200 'abc' cut"},
    {"bad chunk size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", "200 '' cut",
     false},
    {"bare LF behind a chunk size",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\na\r\n0\r\n\r\n", "200 '' cut", false},
    // refused
    {"garbage", "SSH-2.0-x\r\n", "502", false},
    {"HTTP/0.9", "hello", "502", false},
    {"HTTP/2.0", "HTTP/2.0 200 OK\r\n\r\n", "502", false},
    {"bad code", "HTTP/1.1 20 OK\r\n\r\n", "502", false},
    {"code below 100", "HTTP/1.1 099 OK\r\n\r\n", "502", false},
    {"bare LF", "HTTP/1.1 200 OK\nContent-Length: 0\n\n", "502", false},
    {"bare CR in a value", "HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\n", "502", false},
    {"obs-fold", "HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n", "502", false},
    {"blank before the colon", "HTTP/1.1 200 OK\r\nX : a\r\n\r\n", "502", false},
    {"no colon", "HTTP/1.1 200 OK\r\nX\r\n\r\n", "502", false},
    {"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na", "502",
     false},
    {"a list of lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\na", "502", false},
    {"negative length", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "502", false},
    {"length and chunks",
     "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "502", false},
    {"gzip, chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "502", false},
    {"chunks in 1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "502", false},
    {"101 unasked", "HTTP/1.1 101 Switching Protocols\r\n\r\n", "502", false},
    {"closed at once", "", "502"},
    {"closed within the head", "HTTP/1.1 200 OK\r\nX: 1", "502"},
};

void check(const Row& row, bool bytewise) {
  INFO(row.what << (bytewise ? " (byte by byte)" : ""));
  Site site("location / { proxy_pass http://127.0.0.1:9000; }");
  FakeUpstream upstream(site.loop, 9000);
  auto client = site.send({.method = row.method});
  site.run();
  REQUIRE(upstream.connections.size() == 1);
  auto& peer = upstream.last();
  if (bytewise) {
    for (char c : row.raw) {
      peer.send({&c, 1});
      site.run(Duration(2));
    }
  } else if (!row.raw.empty()) {
    peer.send(row.raw);
  }
  if (row.closes) peer.finish();
  site.run();
  if (row.expected == "502") {
    CHECK(client->link.status == 502);
    CHECK(client->link.ended);
    CHECK(peer.ended);
  } else {
    CHECK(client->link.summary() == row.expected);
  }
}

}  // namespace

TEST_CASE("responses are framed strictly, whole and byte by byte") {
  for (const auto& row : kRows) {
    check(row, false);
    check(row, true);
  }
}

TEST_CASE("lenient_line_endings lets an upstream end lines in LF") {
  Site site("lenient_line_endings on; location / { proxy_pass http://127.0.0.1:9000; }");
  FakeUpstream upstream(site.loop, 9000);
  upstream.reply = "HTTP/1.1 200 OK\nContent-Length: 1\n\na";
  auto client = site.send({});
  site.run();
  CHECK(client->link.summary() == "200 length=1 'a' end");
}

TEST_CASE("a head longer than proxy_buffer_size is 502") {
  Site site("location / { proxy_pass http://127.0.0.1:9000; proxy_buffer_size 1k; }");
  FakeUpstream upstream(site.loop, 9000);
  upstream.reply = "HTTP/1.1 200 OK\r\nX: " + std::string(1024, 'a') + "\r\n\r\n";
  auto client = site.send({});
  site.run();
  CHECK(client->link.status == 502);
  CHECK(site.log.text.find(
            "upstream sent too big header while reading response header from upstream") !=
        std::string::npos);
}

}  // namespace gatescope::upstream
