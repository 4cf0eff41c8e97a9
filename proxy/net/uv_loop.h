#pragma once

#include <memory>
#include <vector>

#include "proxy/base/log.h"
#include "proxy/base/unique_fd.h"
#include "proxy/net/extra_loop.h"
#include "proxy/net/loop.h"
#include "proxy/net/socket_source.h"

namespace gatescope::net {

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

/// More of them, each with a thread. `sockets` and `log` outlive them.
class UvLoops final : public LoopMaker {
 public:
  UvLoops(SocketSource& sockets, Log& log) : sockets_(sockets), log_(log) {}
  std::unique_ptr<ExtraLoop> make_loop(unsigned number) override;

 private:
  SocketSource& sockets_;
  Log& log_;
};

}  // namespace gatescope::net
