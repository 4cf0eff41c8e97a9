// Files too large for memory, over a connection without TLS: the kernel sends them (sendfile).

#include "tests/integration/support/client.h"
#include "tests/integration/support/free_port.h"
#include "tests/integration/support/server_process.h"
#include "tests/support/catch.h"

namespace gatescope::integration {

namespace {

std::string numbered_lines(std::size_t size) {
  std::string text;
  for (std::size_t i = 0; text.size() < size; ++i)
    text += std::to_string(i) + '\n';
  text.resize(size);
  return text;
}

}  // namespace

TEST_CASE("a large file arrives whole and in parts, also to clients that read late", "[both]") {
  const auto text = numbered_lines(9'000'001);
  for (const std::string how : {"sendfile on; ", "sendfile off; ", "sendfile on; limit_rate 200m; ",
                                "sendfile on; aio threads; "}) {
    INFO(how);
    ServerProcess server;
    FreePort port;
    server.write("html/large.bin", text);
    server.configure("server { listen 127.0.0.1:" + port.text() + "; http2 on; " + how +
                     "root html; }");
    server.start();
    auto kept = Client::tcp(port.number());
    for (int i = 0; i < 2; ++i) {
      const auto whole = kept.get("/large.bin");
      CHECK(whole.status == 200);
      CHECK(whole.body == text);
    }
    const auto part = kept.get("/large.bin", "localhost", "Range: bytes=1234567-7654321\r\n");
    CHECK(part.status == 206);
    CHECK(part.body == text.substr(1234567, 7654321 - 1234567 + 1));
    const auto last = kept.get("/large.bin", "localhost", "Range: bytes=-3000000\r\n");
    CHECK(last.body == text.substr(text.size() - 3'000'000));
    // Both wait in the server until they are read.
    auto first = Client::tcp(port.number()), second = Client::tcp(port.number());
    for (auto* client : {&first, &second})
      client->send("GET /large.bin HTTP/1.1\r\nHost: localhost\r\n\r\n");
    CHECK(second.answer().body == text);
    CHECK(first.answer().body == text);
    CHECK(kept.get("/large.bin").body == text);
  }
}

}  // namespace gatescope::integration
