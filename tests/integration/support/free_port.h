#pragma once

#include <cstdint>
#include <string>

namespace gatescope::integration {

/// A TCP port of 127.0.0.1 that the kernel chose and that nobody else is given while this lives. It
/// is bound, not listened on, with SO_REUSEADDR: a server that sets the same may still take it.
class FreePort {
 public:
  FreePort();
  ~FreePort();
  FreePort(const FreePort&) = delete;
  FreePort& operator=(const FreePort&) = delete;

  std::uint16_t number() const { return number_; }
  std::string text() const { return std::to_string(number_); }
  /// From now on taken for everybody else.
  void listen();
  /// As it was before.
  void stop_listening();

 private:
  int fd_;
  std::uint16_t number_ = 0;
};

}  // namespace gatescope::integration
