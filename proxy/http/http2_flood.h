#pragma once

// How much a client may make us do without asking for anything.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "proxy/base/clock.h"

namespace gatescope::http {

/// Counts what costs us work and brings nobody an answer: each kind has a stock that fills up again
/// with time. Frames that go along with data we send (windows, the pings that measure a connection,
/// one half of a conversation) are earned by it. Owned by a session; what is too much ends its
/// connection.
class Http2FloodGuard {
 public:
  enum class Kind {
    Reset,         // "rapid reset", CVE-2023-44487; also of what was answered already
    Settings,      // each is acknowledged: CVE-2019-9515
    Ping,          // each is answered: CVE-2019-9512
    Priority,      // each moves the tree: CVE-2019-9513
    WindowUpdate,  // CVE-2019-9511, 9517
    EmptyData,     // of no bytes, not the last: CVE-2019-9518
    SmallData,     // of some bytes each
    Unknown,       // extensions that nobody asked for
    Invalid,       // answered with RST_STREAM each: CVE-2019-9514
    Late,          // on streams that we have reset, which they may have crossed
  };
  static constexpr std::size_t kKinds = 10;

  /// `streams`: http2_max_concurrent_streams. A page that is left cancels as many at once.
  explicit Http2FloodGuard(std::uint32_t streams) : streams_(streams) {}
  /// False: that was one too many.
  bool allow(Kind kind, MonoTime now);
  void on_data_sent();
  /// For the log: "RST_STREAM frames".
  static std::string_view name_of(Kind kind);

 private:
  const std::uint32_t streams_;
  MonoTime now_{};                    // of the last look
  std::array<float, kKinds> used_{};  // of the stock
};

}  // namespace gatescope::http
