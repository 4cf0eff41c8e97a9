#include "tests/support/memory_stream.h"

#include <algorithm>
#include <stdexcept>

namespace gatescope::test {

class FakeLoop::FakeTimer final : public net::Timer {
 public:
  FakeTimer(FakeLoop& loop, net::TimerEvents& events) : loop_(loop), events_(events) {
    loop_.timers_.push_back(this);
  }
  ~FakeTimer() override {
    loop_.timers_.erase(std::find(loop_.timers_.begin(), loop_.timers_.end(), this));
  }
  void start(Duration after) override {
    due_ = loop_.clock_.now() + after;
    running_ = true;
  }
  void stop() override { running_ = false; }
  bool running() const override { return running_; }
  MonoTime due() const { return due_; }
  void fire() {
    running_ = false;
    events_.on_timer(*this);
  }

 private:
  FakeLoop& loop_;
  net::TimerEvents& events_;
  MonoTime due_{};
  bool running_ = false;
};

FakeLoop::~FakeLoop() {
  empty_bin();
}

std::unique_ptr<net::Timer> FakeLoop::make_timer(net::TimerEvents& events) {
  return std::make_unique<FakeTimer>(*this, events);
}

namespace {
[[noreturn]] void absent() {
  throw std::logic_error("FakeLoop has no such thing; use SimLoop");
}
}  // namespace

Result<std::unique_ptr<net::Listener>> FakeLoop::listen(const net::Endpoint&,
                                                        const net::ListenOptions&,
                                                        net::AcceptEvents&) {
  absent();
}
std::unique_ptr<net::Connecting> FakeLoop::connect(const net::Endpoint&, Duration,
                                                   net::ConnectEvents&) {
  absent();
}
std::shared_ptr<net::WorkerLane> FakeLoop::make_lane(const net::LaneOptions&) {
  absent();
}
Result<std::unique_ptr<net::Process>> FakeLoop::spawn(const net::ProcessOptions&,
                                                      net::ProcessEvents&) {
  absent();
}
std::unique_ptr<net::DescriptorWatch> FakeLoop::watch(int, net::DescriptorEvents&) {
  absent();
}

void FakeLoop::empty_bin() {
  while (!bin_.empty()) {
    const auto objects = std::exchange(bin_, {});
    for (const auto& [object, destroy] : objects)
      destroy(object);
  }
}

bool FakeLoop::fire_due() {
  for (FakeTimer* timer : timers_)
    if (timer->running() && timer->due() <= clock_.now()) {
      timer->fire();
      return true;
    }
  return false;
}

void FakeLoop::turn() {
  for (int i = 0; i < 100'000; ++i) {
    hooks_.run();
    empty_bin();
    if (!tasks_.empty()) {
      const auto tasks = std::exchange(tasks_, {});
      for (const net::Task& task : tasks)
        task();
    } else if (!fire_due() && hooks_.empty() && bin_.empty()) {
      if (next_hooks_.empty()) return;
      next_hooks_.move_to(hooks_);
    }
  }
  throw std::logic_error("FakeLoop: the turn never ends");
}

void FakeLoop::advance(Duration by) {
  turn();
  const MonoTime end = clock_.now() + by;
  while (clock_.now() < end) {
    MonoTime next = end;
    for (const FakeTimer* timer : timers_)
      if (timer->running()) next = std::min(next, timer->due());
    clock_.move(std::chrono::ceil<Duration>(next - clock_.now()));
    turn();
  }
}

std::size_t FakeLoop::running_timers() const {
  return static_cast<std::size_t>(
      std::count_if(timers_.begin(), timers_.end(), [](FakeTimer* t) { return t->running(); }));
}

Flow MemoryStream::write(ByteQueue& bytes) {
  ++writes_;
  unsent_ += bytes.to_string();
  bytes.clear();
  push_out();
  told_wait_ = unsent_.size() > kHighWater;
  return told_wait_ ? Flow::Wait : Flow::GoOn;
}

void MemoryStream::push_out() {
  const std::size_t n = std::min(window_, unsent_.size());
  received_ += unsent_.substr(0, n);
  unsent_.erase(0, n);
  if (window_ != std::string::npos) window_ -= n;
}

void MemoryStream::feed(std::string_view bytes) {
  waiting_ += bytes;
  deliver();
}

void MemoryStream::end() {
  end_waits_ = true;
  deliver();
}

// The events may put this stream into the bin: members are settled before each call.
void MemoryStream::deliver() {
  if (!reading_ || events_ == nullptr || failed_) return;
  if (!waiting_.empty()) {
    const std::string bytes = std::exchange(waiting_, {});
    events_->on_data(as_bytes(bytes));
  }
  if (!reading_ || events_ == nullptr || !waiting_.empty()) return;
  if (std::exchange(end_waits_, false)) events_->on_end();
}

void MemoryStream::fail(const Error& error) {
  failed_ = true;
  if (events_ != nullptr) events_->on_failed(error);
}

void MemoryStream::open_window(std::size_t bytes) {
  if (window_ != std::string::npos) window_ += bytes;
  push_out();
  const bool room = told_wait_ && unsent_.size() < kHighWater / 2;
  const bool sent = notify_sent_ && unsent_.empty();
  if (room || sent) {
    if (room) told_wait_ = false;
    if (sent) notify_sent_ = false;
    if (events_ != nullptr) events_->on_drained();
  }
}

}  // namespace gatescope::test
