#pragma once

#include <functional>
#include <memory>
#include <string>

#include "proxy/net/loop.h"

namespace gatescope::test {

class SimChild;
class SimLoop;
class SimWorld;

/// What a child of a simulated world does, beginning with its construction. Destroyed when the
/// child ends; never called afterwards.
class SimProgram {
 public:
  virtual ~SimProgram() = default;
  /// SIGSTOP and SIGCONT; every other signal ends the child.
  virtual void on_signal(int number) { (void)number; }
};
using SimProgramMaker = std::function<std::unique_ptr<SimProgram>(SimChild& child)>;

/// The child as its program sees it. It lives on the loop of its parent.
///   Running -> Ended (no program any more; the parent hears of it in a later turn)
class SimChild final : public std::enable_shared_from_this<SimChild> {
 public:
  SimChild(SimLoop& loop, const net::ProcessOptions& options, net::ProcessEvents& events);
  ~SimChild();
  /// Returns the parent's end of the conversation; null: they do not talk.
  std::unique_ptr<net::Stream> start(const SimProgramMaker& maker);

  SimLoop& loop() { return loop_; }
  const net::ProcessOptions& options() const { return options_; }
  net::Stream* stream() { return stream_.get(); }  // null: they do not talk
  int pid() const { return pid_; }
  bool lowered() const { return lowered_; }
  /// From the program: as exit(code) does.
  void exit(int code) { end(code << 8); }
  /// As the signal does.
  void die(int signal) { end(signal); }

  // From the process.
  void signal(int number);
  void lower_priority() { lowered_ = true; }
  /// Nobody wants to hear of its end; killed.
  void abandon();

 private:
  void end(int status);

  SimLoop& loop_;
  const net::ProcessOptions options_;
  const int pid_;
  net::ProcessEvents* events_;  // null: abandoned
  std::unique_ptr<net::Stream> stream_;
  std::unique_ptr<SimProgram> program_;
  bool ended_ = false;
  bool lowered_ = false;
};

/// net::Process of a SimChild. Owned by its user.
class SimProcess final : public net::Process {
 public:
  SimProcess(std::shared_ptr<SimChild> child, std::unique_ptr<net::Stream> stream);
  ~SimProcess() override;
  int pid() const override { return child_->pid(); }
  void signal(int number) override { child_->signal(number); }
  std::unique_ptr<net::Stream> take_stream() override { return std::move(stream_); }
  void lower_priority() override { child_->lower_priority(); }

 private:
  const std::shared_ptr<SimChild> child_;  // events under way know it too
  std::unique_ptr<net::Stream> stream_;
};

}  // namespace gatescope::test
