// A proxied answer through gzip and gunzip: what the source sends leaves when it pauses, and what
// grows waits for the client.

#include "proxy/http/encoding.h"
#include "tests/unit/upstream/proxy_fixture.h"

namespace gatescope::upstream {
namespace {

std::string gunzip(std::string_view encoded) {
  http::GzipDecoder decoder;
  std::string plain;
  return decoder.decode(encoded, 1u << 26, plain) ? plain : "error";
}

TEST_CASE("server-sent events are compressed and not held back") {
  Site site("location / { gzip on; gzip_types text/event-stream; proxy_pass http://127.0.0.1:9; }");
  FakeUpstream upstream(site.loop, 9);
  auto client = site.send({.headers = {{"Accept-Encoding", "gzip"}}});
  site.run();
  upstream.last().send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n");
  site.run();
  CHECK(client->link.headers.find("Content-Encoding") != std::string::npos);
  CHECK(gunzip(client->link.body) == "data: 1\n\n");
  upstream.last().send("data: 2\n\n");
  site.run();
  CHECK(gunzip(client->link.body) == "data: 1\n\ndata: 2\n\n");
  const auto before = client->link.body.size();
  site.run(Duration(1000));
  CHECK(client->link.body.size() == before);  // silence costs nothing
  upstream.last().finish();
  site.run();
  CHECK(gunzip(client->link.body) == "data: 1\n\ndata: 2\n\n");
}

TEST_CASE("what gunzip makes of a small answer comes as the client takes it") {
  Site site("location / { gunzip on; proxy_pass http://127.0.0.1:9; }");
  FakeUpstream upstream(site.loop, 9);
  auto client = site.send({});
  site.run();
  const std::string plain(4u << 20, 'x');
  const auto bomb = http::encode_whole({.coding = http::Coding::Gzip, .level = 9}, plain).value();
  client->link.flow = Flow::Wait;
  upstream.last().send("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: " +
                       std::to_string(bomb.size()) + "\r\n\r\n" + bomb);
  site.run();
  CHECK(client->link.body.size() <= 128u << 10);
  CHECK_FALSE(client->link.body.empty());
  client->link.flow = Flow::GoOn;
  client->writable();
  site.run();
  CHECK(client->link.body == plain);
  CHECK(client->link.headers.find("Content-Encoding") == std::string::npos);
}

}  // namespace
}  // namespace gatescope::upstream
