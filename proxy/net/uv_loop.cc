#include "proxy/net/uv_loop.h"

#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <time.h>

#include <cstdlib>
#include <exception>
#include <mutex>
#include <string>
#include <utility>

#include "proxy/net/thread_lane.h"
#include "proxy/net/uv_core.h"
#include "proxy/net/uv_stream.h"

namespace gatescope::net {

namespace {

std::chrono::microseconds read_clock(clockid_t id) {
  timespec t{};
  ::clock_gettime(id, &t);
  return std::chrono::seconds(t.tv_sec) +
         std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::nanoseconds(t.tv_nsec));
}

// libuv writes with write(2): a reset connection would end the process. Pending and blocked it
// harms nobody.
void block_sigpipe() {
  sigset_t pipe;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
}

/// UvLoop. A turn is what happens between two waits; it ends in libuv's prepare phase, which is the
/// last before waiting in every version (timers come before or after the wait, but never after
/// prepare).
class UvLoopImpl final : public UvLoop {
 public:
  UvLoopImpl(SocketSource& sockets, Log& log);
  ~UvLoopImpl() override;

  const Clock& clock() const override { return core_.clock; }
  std::unique_ptr<Timer> make_timer(TimerEvents& events) override {
    return make_uv_timer(core_, events);
  }
  void at_turn_end(TurnHook& hook) override { core_.hooks.add(hook); }
  void at_next_turn_end(TurnHook& hook) override { core_.next_turns.add(hook); }
  void post(Task task) override;
  Result<std::unique_ptr<Listener>> listen(const Endpoint& endpoint, const ListenOptions& options,
                                           AcceptEvents& events) override;
  std::unique_ptr<Listener> listen_on(BoundSocket socket, AcceptEvents& events) override {
    return make_uv_listener(core_, std::move(socket.fd), events);
  }
  std::unique_ptr<Connecting> connect(const Endpoint& endpoint, Duration timeout,
                                      ConnectEvents& events) override {
    return make_uv_connecting(core_, {}, endpoint, timeout, events);
  }
  std::unique_ptr<Connecting> connect_from(const LocalAddress& from, const Endpoint& endpoint,
                                           Duration timeout, ConnectEvents& events) override {
    return make_uv_connecting(core_, from, endpoint, timeout, events);
  }
  std::shared_ptr<WorkerLane> make_lane(const LaneOptions& options) override;
  Result<std::unique_ptr<Process>> spawn(const ProcessOptions& options,
                                         ProcessEvents& events) override {
    return spawn_process(core_, options, events);
  }
  std::unique_ptr<DescriptorWatch> watch(int fd, DescriptorEvents& events) override {
    return make_uv_watch(core_, fd, events);
  }
  std::unique_ptr<FolderWatcher> watch_folders(FolderEvents& events) override {
    auto watcher = make_inotify_watcher(*this, events);
    if (watcher) return std::move(*watcher);
    core_.log.print(LogLevel::Warn, "folders are not watched, changes of files show by time: {}",
                    watcher.error().detail);
    return nullptr;
  }

  void run() override { run_uv(UV_RUN_DEFAULT); }
  void run_turn() override {
    one_turn_ = true;
    run_uv(UV_RUN_ONCE);
    one_turn_ = false;
  }
  void stop() override { uv_stop(core_.uv()); }
  void watch_signals(std::vector<int> numbers, SignalEvents& events) override;
  Result<std::unique_ptr<Stream>> adopt(UniqueFd fd) override;

 protected:
  void discard_raw(void* object, void (*destroy)(void*)) override;

 private:
  struct Discarded {
    void* object;
    void (*destroy)(void*);
  };

  void run_uv(uv_run_mode mode);
  void end_turn();
  bool run_hooks();
  void empty_bin();
  void run_posted();

  UvCore core_;
  SocketSource& sockets_;
  bool one_turn_ = false;  // run_turn()
  std::vector<std::weak_ptr<ThreadLane>> lanes_;
  std::vector<Discarded> bin_, emptied_;
  uv_prepare_t prepare_{};
  uv_idle_t no_wait_{};  // while it runs libuv does not wait for descriptors
  uv_async_t wake_{};
  std::vector<std::unique_ptr<uv_signal_t>> signals_;
  SignalEvents* signal_events_ = nullptr;

  std::mutex mutex_;
  std::vector<Task> posted_;  // guarded by mutex_
};

UvLoopImpl::UvLoopImpl(SocketSource& sockets, Log& log) : core_(*this, log), sockets_(sockets) {
  block_sigpipe();
  uv_loop_init(core_.uv());
  core_.timers.open(core_.uv());
  prepare_.data = wake_.data = this;
  uv_idle_init(core_.uv(), &no_wait_);
  uv_prepare_init(core_.uv(), &prepare_);
  uv_prepare_start(&prepare_, [](uv_prepare_t* handle) noexcept {
    static_cast<UvLoopImpl*>(handle->data)->end_turn();
  });
  uv_async_init(core_.uv(), &wake_, [](uv_async_t* handle) noexcept {
    static_cast<UvLoopImpl*>(handle->data)->run_posted();
  });
}

UvLoopImpl::~UvLoopImpl() {
  for (const auto& weak : lanes_) {
    if (const auto lane = weak.lock()) lane->close();
  }
  {
    std::vector<Task> dropped;
    const std::lock_guard lock(mutex_);
    dropped.swap(posted_);
  }
  empty_bin();
  core_.timers.close();
  uv_close(reinterpret_cast<uv_handle_t*>(&prepare_), nullptr);
  uv_close(reinterpret_cast<uv_handle_t*>(&no_wait_), nullptr);
  uv_close(reinterpret_cast<uv_handle_t*>(&wake_), nullptr);
  for (const auto& handle : signals_) {
    uv_close(reinterpret_cast<uv_handle_t*>(handle.get()), nullptr);
  }
  // Close callbacks come in the next round; a second one for what they set free.
  for (int i = 0; i < 3 && uv_loop_alive(core_.uv()) != 0; ++i)
    uv_run(core_.uv(), UV_RUN_NOWAIT);
  if (uv_loop_close(core_.uv()) == 0 && core_.timers.timers() == 0) return;
  core_.log.write(LogLevel::Alert, "a stream, timer or listener outlives its event loop");
  std::abort();
}

void UvLoopImpl::run_uv(uv_run_mode mode) {
  block_sigpipe();
  uv_run(core_.uv(), mode);
  end_turn();
}

void UvLoopImpl::end_turn() {
  const bool all_ran = run_hooks();
  core_.next_turns.move_first_to(core_.hooks);
  // What is still on the list wants another turn: do not wait for a descriptor.
  const bool fired = core_.timers.take_fired() && one_turn_;  // something has happened already
  if (!all_ran || fired || !core_.hooks.empty() || !core_.next_turns.empty()) {
    uv_idle_start(&no_wait_, [](uv_idle_t*) noexcept {});
  } else {
    uv_idle_stop(&no_wait_);
  }
  core_.clock.forget();
}

// What leaves the bin may add hooks, and hooks fill the bin. False: hooks were left for the next
// turn.
bool UvLoopImpl::run_hooks() {
  while (!core_.hooks.empty() || !bin_.empty()) {
    try {
      core_.hooks.run();
    } catch (const std::exception& e) {
      core_.log.write(LogLevel::Alert, e.what());
      empty_bin();
      return false;
    }
    empty_bin();
  }
  return true;
}

void UvLoopImpl::empty_bin() {
  while (!bin_.empty()) {
    // Its memory is used again: some go in every turn.
    std::vector<Discarded> now = std::move(emptied_);
    now.swap(bin_);
    for (const Discarded& entry : now)
      entry.destroy(entry.object);
    now.clear();
    emptied_ = std::move(now);
  }
}

void UvLoopImpl::discard_raw(void* object, void (*destroy)(void*)) {
  bin_.push_back({object, destroy});
}

void UvLoopImpl::post(Task task) {
  {
    const std::lock_guard lock(mutex_);
    posted_.push_back(std::move(task));
  }
  uv_async_send(&wake_);
}

void UvLoopImpl::run_posted() {
  std::vector<Task> tasks;
  {
    const std::lock_guard lock(mutex_);
    tasks.swap(posted_);
  }
  for (Task& task : tasks) {
    task();
    task = nullptr;
  }
}

Result<std::unique_ptr<Listener>> UvLoopImpl::listen(const Endpoint& endpoint,
                                                     const ListenOptions& options,
                                                     AcceptEvents& events) {
  auto fd = sockets_.listening_socket(endpoint, options);
  if (!fd) return std::move(fd).error();
  return make_uv_listener(core_, std::move(fd).value(), events);
}

std::shared_ptr<WorkerLane> UvLoopImpl::make_lane(const LaneOptions& options) {
  auto lane = std::make_shared<ThreadLane>(*this, core_.log, options);
  std::erase_if(lanes_, [](const auto& weak) { return weak.expired(); });
  lanes_.push_back(lane);
  return lane;
}

void UvLoopImpl::watch_signals(std::vector<int> numbers, SignalEvents& events) {
  signal_events_ = &events;
  for (const int number : numbers) {
    auto& handle = signals_.emplace_back(std::make_unique<uv_signal_t>());
    uv_signal_init(core_.uv(), handle.get());
    handle->data = this;
    uv_signal_start(
        handle.get(),
        [](uv_signal_t* handle, int number) noexcept {
          static_cast<UvLoopImpl*>(handle->data)->signal_events_->on_signal(number);
        },
        number);
  }
}

Result<std::unique_ptr<Stream>> UvLoopImpl::adopt(UniqueFd fd) {
  sockaddr_storage storage{};
  auto* address = reinterpret_cast<sockaddr*>(&storage);
  socklen_t size = sizeof(storage);
  if (::getpeername(fd.get(), address, &size) != 0) {
    return system_error(errno, "getpeername()");
  }
  return open_uv_stream(core_, std::move(fd), Endpoint::of_sockaddr(address, size), Endpoint(),
                        Origin::Internal);
}

}  // namespace

MonoTime TurnClock::now() const {
  if (!mono_known_) mono_ = MonoTime(read_clock(CLOCK_MONOTONIC));
  mono_known_ = true;
  return mono_;
}

WallTime TurnClock::wall() const {
  if (!wall_known_) wall_ = WallTime(read_clock(CLOCK_REALTIME));
  wall_known_ = true;
  return wall_;
}

std::unique_ptr<UvLoop> UvLoop::make(SocketSource& sockets, Log& log) {
  return std::make_unique<UvLoopImpl>(sockets, log);
}

}  // namespace gatescope::net
