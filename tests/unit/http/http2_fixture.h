#pragma once

// The Fixture with a session of HTTP/2, a client of nghttp2's at the other end, or raw frames.

#include <string>
#include <vector>

#include "tests/support/http2_frames.h"
#include "tests/support/http2_peer.h"
#include "tests/unit/http/http1_fixture.h"

namespace gatescope::http {

namespace h2 = test::h2;

struct Http2Fixture : Fixture {
  explicit Http2Fixture(const SessionSettings& settings = {})
      : Fixture(settings, make_http2_session) {}

  /// Carries bytes between the peer and the session until both are quiet.
  void settle_both() {
    for (int i = 0; i < 1000; ++i) {
      const std::string to_server = peer.outgoing();
      if (!to_server.empty()) feed(to_server);
      settle();
      const std::string to_client = stream.take();
      peer.receive(to_client);
      if (to_client.empty() && to_server.empty()) return;
    }
    FAIL("peer and session never get quiet");
  }
  test::Http2Answer& get(const std::string& path = "/x") {
    const auto id = peer.get(path);
    settle_both();
    return peer.answer(id);
  }
  /// Raw frames, behind a hello, and what the client's nghttp2 makes of the answers.
  void feed_raw(const std::string& frames) { feed(h2::hello() + frames); }
  struct Frame {
    std::uint8_t type, flags;
    std::uint32_t stream;
    std::string payload;
  };
  /// All frames that came since the last take.
  std::vector<Frame> take_frames() {
    std::vector<Frame> frames;
    std::string text = stream.take();
    while (text.size() >= 9) {
      const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
      const std::size_t size = std::size_t{byte(0)} << 16 | byte(1) << 8 | byte(2);
      REQUIRE(text.size() >= 9 + size);
      frames.push_back({byte(3), byte(4),
                        std::uint32_t{byte(5)} << 24 | byte(6) << 16 | byte(7) << 8 | byte(8),
                        text.substr(9, size)});
      text.erase(0, 9 + size);
    }
    return frames;
  }
  /// "RST 1:8", "GOAWAY 1:0" of those in `frames`.
  static std::string ends(const std::vector<Frame>& frames) {
    const auto number = [](const std::string& text, std::size_t at) {
      std::uint32_t n = 0;
      for (std::size_t i = at; i < at + 4; ++i)
        n = n << 8 | static_cast<std::uint8_t>(text[i]);
      return std::to_string(n);
    };
    std::string text;
    for (const auto& f : frames) {
      if (f.type == h2::kReset)
        text += "RST " + std::to_string(f.stream) + ":" + number(f.payload, 0) + " ";
      if (f.type == h2::kGoaway)
        text += "GOAWAY " + number(f.payload, 0) + ":" + number(f.payload, 4) + " ";
    }
    return text;
  }

  test::Http2Peer peer;
};

}  // namespace gatescope::http
