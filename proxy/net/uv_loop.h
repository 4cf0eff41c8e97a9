#pragma once

#include <memory>
#include <vector>

#include "proxy/base/log.h"
#include "proxy/base/unique_fd.h"
#include "proxy/net/loop.h"

namespace gatescope::net {

/// Gives listening sockets: binds itself, asks the keeper, or takes those that an old binary left.
/// The same endpoint asked twice gives descriptors of one socket (two loops share it, a reload
/// keeps it).
class SocketSource {
 public:
  virtual ~SocketSource() = default;
  virtual Result<UniqueFd> listening_socket(const Endpoint& endpoint,
                                            const ListenOptions& options) = 0;
};
/// socket, setsockopt, bind, listen; CLOEXEC, non-blocking. A stale unix socket file that nobody
/// listens on is replaced.
Result<UniqueFd> bind_listening_socket(const Endpoint& endpoint, const ListenOptions& options);
class OwnSockets final : public SocketSource {
 public:
  Result<UniqueFd> listening_socket(const Endpoint& endpoint,
                                    const ListenOptions& options) override {
    return bind_listening_socket(endpoint, options);
  }
};

class SignalEvents {
 public:
  virtual ~SignalEvents() = default;
  virtual void on_signal(int number) = 0;
};

/// The libuv implementation of Loop. `sockets` and `log` outlive it; everything made by it is
/// destroyed before it, but lanes, which it closes (their threads are joined, what waits is
/// dropped). Its destructor empties the bin and aborts when a Stream, Timer or the like is left:
/// that would be used after its memory is gone.
class UvLoop : public Loop {
 public:
  static std::unique_ptr<UvLoop> make(SocketSource& sockets, Log& log);
  /// Runs until stop(), to the end of that turn; may be called again. Blocks SIGPIPE in its thread:
  /// libuv's writes raise it.
  virtual void run() = 0;
  /// One turn: waits until something happens, then ends the turn. For tests and for short programs.
  virtual void run_turn() = 0;
  virtual void stop() = 0;  // from the loop's thread
  /// Signals to `events` (one receiver per loop, loop 0 of the process).
  virtual void watch_signals(std::vector<int> numbers, SignalEvents& events) = 0;
  /// Adopts a connected descriptor (socketpair to the keeper, tests).
  virtual Result<std::unique_ptr<Stream>> adopt(UniqueFd fd) = 0;
};

}  // namespace gatescope::net
