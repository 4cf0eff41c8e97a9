#pragma once

#include <memory>

#include "proxy/net/loop.h"

namespace gatescope::net {

/// An event loop for a thread of its own.   (made) -> start() -> stop()
/// Before start() and after stop() it belongs, with what was made of it, to the thread that calls.
class ExtraLoop {
 public:
  /// What was made of the loop is gone before; after stop().
  virtual ~ExtraLoop() = default;
  virtual Loop& loop() = 0;
  virtual void start() = 0;
  /// Ends the thread at the end of its turn and waits for it. No effect when it does not run.
  virtual void stop() = 0;
};

class LoopMaker {
 public:
  virtual ~LoopMaker() = default;
  /// `number`: 1, 2, ...; loop 0 is there already.
  virtual std::unique_ptr<ExtraLoop> make_loop(unsigned number) = 0;
};

}  // namespace gatescope::net
