#pragma once

// Clear bytes into records of a good size. Private to certs/.

#include "certs/tls_engine.h"
#include "proxy/base/bytes.h"
#include "proxy/base/clock.h"

namespace gatescope::tls {

/// Cuts what is written into records. After a pause they are small, so that the browser can start
/// on the first one before a congestion window has arrived; once data flows they are as large as
/// they may be, which costs least. Member of a TlsStream.
class RecordWriter {
 public:
  static constexpr std::size_t kSmallRecord = 4096;
  static constexpr std::size_t kSmallUntil = 65536;  // bytes sent since the pause
  static constexpr Duration kPause{1000};

  /// Takes everything out of `clear`; false when the engine failed.
  bool encrypt(TlsEngine& engine, ByteQueue& clear, MonoTime now);

 private:
  std::size_t sent_ = 0;  // since the pause
  MonoTime last_{};
};

}  // namespace gatescope::tls
