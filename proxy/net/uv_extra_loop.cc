#include <fmt/format.h>
#include <pthread.h>
#include <signal.h>

#include <thread>

#include "proxy/net/uv_loop.h"

namespace gatescope::net {

namespace {

class UvExtraLoop final : public ExtraLoop {
 public:
  UvExtraLoop(SocketSource& sockets, Log& log, unsigned number)
      : number_(number), loop_(UvLoop::make(sockets, log)) {}
  ~UvExtraLoop() override { stop(); }
  Loop& loop() override { return *loop_; }
  void start() override;
  void stop() override;

 private:
  const unsigned number_;
  const std::unique_ptr<UvLoop> loop_;
  std::thread thread_;
};

void UvExtraLoop::start() {
  // Signals are loop 0's: a thread inherits the mask of its maker.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { loop_->run(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_setname_np(thread_.native_handle(), fmt::format("gs-loop-{}", number_).c_str());
}

void UvExtraLoop::stop() {
  if (!thread_.joinable()) return;
  loop_->post([this] { loop_->stop(); });
  thread_.join();
}

}  // namespace

std::unique_ptr<ExtraLoop> UvLoops::make_loop(unsigned number) {
  return std::make_unique<UvExtraLoop>(sockets_, log_, number);
}

}  // namespace gatescope::net
