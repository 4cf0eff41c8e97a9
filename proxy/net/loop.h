#pragma once

// The world as the program sees it: time, sockets, other threads. libuv implements it
// (proxy/net/uv_loop.h), and so does a simulated loop with virtual time and seeded faults
// (tests/support/sim_loop.h). Nobody else includes uv.h.

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "proxy/base/clock.h"
#include "proxy/base/result.h"
#include "proxy/base/unique_fd.h"
#include "proxy/net/endpoint.h"
#include "proxy/net/folder_watcher.h"
#include "proxy/net/stream.h"

namespace gatescope::net {

class Timer;
class TimerEvents {
 public:
  virtual ~TimerEvents() = default;
  virtual void on_timer(Timer& timer) = 0;
};
/// One shot; start() re-arms. Moving a deadline further away costs almost nothing (it is compared
/// when it fires). Owned by its user; destroying it stops it.
class Timer {
 public:
  virtual ~Timer() = default;
  virtual void start(Duration after) = 0;
  virtual void stop() = 0;
  virtual bool running() const = 0;
};

/// Work to do once at the end of this turn, after all callbacks and before the loop waits: this is
/// when output is flushed and finished objects are replaced. A member of its user; destroying it
/// takes it off the list.
class TurnHook {
 public:
  TurnHook() = default;
  TurnHook(const TurnHook&) = delete;
  TurnHook& operator=(const TurnHook&) = delete;
  virtual ~TurnHook();
  virtual void on_turn_end() = 0;
  bool scheduled() const { return list_ != nullptr; }

 private:
  friend class TurnHooks;
  class TurnHooks* list_ = nullptr;
  std::size_t index_ = 0;
};
/// The list behind Loop::at_turn_end; both loops use it.
class TurnHooks {
 public:
  TurnHooks() = default;
  TurnHooks(const TurnHooks&) = delete;
  TurnHooks& operator=(const TurnHooks&) = delete;
  ~TurnHooks();
  void add(TurnHook& hook);  // no effect if it is on the list already
  void remove(TurnHook& hook);
  bool empty() const { return hooks_.empty(); }
  /// Runs until the list is empty; hooks may add hooks (bounded: throws std::logic_error after
  /// 10,000 rounds).
  void run();
  /// Hands all hooks over, in order; for a hook that wants the end of the next turn.
  void move_to(TurnHooks& other);

 private:
  void drop_first(std::size_t n);

  std::vector<TurnHook*> hooks_;  // a removed one leaves a null
};

class AcceptEvents {
 public:
  virtual ~AcceptEvents() = default;
  virtual void on_accepted(std::unique_ptr<Stream> stream) = 0;
};
/// Accepts until destroyed. stop_accepting() before: what waits in the backlog stays for the other
/// process or loop.
class Listener {
 public:
  virtual ~Listener() = default;
  virtual void stop_accepting() = 0;
  virtual void resume_accepting() = 0;
  virtual const Endpoint& local() const = 0;  // with the port that was bound
};
struct ListenOptions {
  int backlog = 511;  // nginx's default on Linux
  bool reuse_port = false;
  bool ipv6_only = true;
  bool keepalive = false;     // so_keepalive
  unsigned unix_mode = 0666;  // of a unix socket's file
  bool operator==(const ListenOptions&) const = default;
};
/// A socket that listens already, bound by a SocketSource; shared with other loops and processes.
struct BoundSocket {
  UniqueFd fd;  // none in a simulated world
  Endpoint endpoint;
  ListenOptions options;
};

class ConnectEvents {
 public:
  virtual ~ConnectEvents() = default;
  virtual void on_connected(std::unique_ptr<Stream> stream) = 0;
  virtual void on_connect_failed(const Error& error) = 0;
};
/// Where a connection comes from, if not from where the system thinks best.
struct LocalAddress {
  Endpoint address;  // none: wherever; port 0: any
  /// Also one that is not ours (IP_TRANSPARENT), which takes a privilege.
  bool transparent = false;
  bool is_set() const { return address.family() != Endpoint::Family::None; }
};
/// A connection being made; destroying it gives up. Exactly one event, never from inside connect().
class Connecting {
 public:
  virtual ~Connecting() = default;
};

/// A one-shot completion. The only place where std::function stands between layers.
using Task = std::function<void()>;

/// Blocking work leaves the loop by value and returns by value. A lane has threads of its own and a
/// bounded queue.
class WorkerLane {
 public:
  /// Destroying the ticket drops `done`, and the work if it still waits (begun, it runs to its
  /// end).
  class Ticket {
   public:
    virtual ~Ticket() = default;
  };
  virtual ~WorkerLane() = default;
  /// `work(thread)` runs on thread number 0..threads-1 of the lane; then `done()` on the loop that
  /// submitted. Neither throws. Error Busy when `queue_limit` jobs wait. No pointer to anything of
  /// the loop may be captured in `work`.
  virtual Result<std::unique_ptr<Ticket>> submit(std::function<void(unsigned thread)> work,
                                                 Task done) = 0;
  virtual std::size_t waiting() const = 0;
};
struct LaneOptions {
  std::string name;  // shown as the threads' name
  unsigned threads = 1;
  std::size_t queue_limit = 256;
};

struct ProcessOptions {
  std::vector<std::string> argv;         // argv[0] is the program's path
  std::vector<std::string> environment;  // complete: "NAME=value"
  std::string directory;                 // must be enterable by run_as
  std::string run_as;    // user name; empty: who we are. Groups, gid and uid are dropped, umask 077
  std::string output;    // file that stdout and stderr go to, appended; empty: /dev/null
  int death_signal = 0;  // sent to the child when this process dies (PR_SET_PDEATHSIG)
  bool talks = false;    // has a stream to us: Process::take_stream()
};
class ProcessEvents {
 public:
  virtual ~ProcessEvents() = default;
  /// `status` as waitpid(2) gives it.
  virtual void on_exit(int status) = 0;
};
/// A child process. Destroying it kills it with SIGKILL if it still runs, and reaps it.
class Process {
 public:
  /// What the child hears on descriptor 0, and answers on this one: apart from stdout and stderr,
  /// so that nothing a library prints gets in between. Both are one socket.
  static constexpr int kAnswers = 3;

  virtual ~Process() = default;
  virtual int pid() const = 0;
  virtual void signal(int number) = 0;
  /// With ProcessOptions::talks, once: our end of the conversation, as any Stream. What the child
  /// sent before it ended is still read after on_exit(); then comes on_end() or on_failed().
  virtual std::unique_ptr<Stream> take_stream() = 0;
  /// From now on it gets the processor when nobody else wants it. Cannot be undone. What the system
  /// refuses is left out.
  virtual void lower_priority() = 0;
};

/// Watches one descriptor, for libraries that bring their own sockets (libcurl).
class DescriptorEvents {
 public:
  virtual ~DescriptorEvents() = default;
  virtual void on_ready(int fd, bool readable, bool writable) = 0;
};
class DescriptorWatch {
 public:
  virtual ~DescriptorWatch() = default;
  virtual void set(bool readable, bool writable) = 0;
};

/// One event loop, one thread. Everything but post() is for that thread only.
class Loop {
 public:
  virtual ~Loop() = default;
  virtual const Clock& clock() const = 0;
  virtual std::unique_ptr<Timer> make_timer(TimerEvents& events) = 0;
  virtual void at_turn_end(TurnHook& hook) = 0;
  /// At the end of the next turn, which comes without waiting, or soon after when many want it: for
  /// work that goes on at once but lets others have their turn. A timer of 0 ms may take one.
  virtual void at_next_turn_end(TurnHook& hook) = 0;
  /// Runs the task in a later turn. From any thread; the only such function.
  virtual void post(Task task) = 0;

  /// Binds and listens.
  virtual Result<std::unique_ptr<Listener>> listen(const Endpoint& endpoint,
                                                   const ListenOptions& options,
                                                   AcceptEvents& events) = 0;
  virtual std::unique_ptr<Listener> listen_on(BoundSocket socket, AcceptEvents& events) = 0;
  virtual std::unique_ptr<Connecting> connect(const Endpoint& endpoint, Duration timeout,
                                              ConnectEvents& events) = 0;
  /// A world without addresses of its own does not look at `from`.
  virtual std::unique_ptr<Connecting> connect_from(const LocalAddress& from,
                                                   const Endpoint& endpoint, Duration timeout,
                                                   ConnectEvents& events) {
    (void)from;
    return connect(endpoint, timeout, events);
  }
  virtual std::shared_ptr<WorkerLane> make_lane(const LaneOptions& options) = 0;
  virtual Result<std::unique_ptr<Process>> spawn(const ProcessOptions& options,
                                                 ProcessEvents& events) = 0;
  virtual std::unique_ptr<DescriptorWatch> watch(int fd, DescriptorEvents& events) = 0;
  /// Null: there is nothing here that tells of changes (a simulated loop, a system without
  /// inotify).
  virtual std::unique_ptr<FolderWatcher> watch_folders(FolderEvents& events) {
    (void)events;
    return nullptr;
  }

  /// The bin: keeps the object until the end of the turn, when no callback is on the stack, then
  /// destroys it.
  template <class T>
  void discard(std::unique_ptr<T> object) {
    if (object) discard_raw(object.release(), [](void* p) { delete static_cast<T*>(p); });
  }

 protected:
  virtual void discard_raw(void* object, void (*destroy)(void*)) = 0;
};

}  // namespace gatescope::net
