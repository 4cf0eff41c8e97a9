#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "proxy/net/uv_stream.h"

namespace gatescope::net {

namespace {

// Without descriptors the backlog stays readable: polling it would spin. nginx waits as long
// (accept_mutex_delay).
constexpr Duration kRetryAfter{500};
// Others get their turn in between; what is left wakes the loop again at once.
constexpr int kPerTurn = 256;

Endpoint name_of_socket(int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof(storage);
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size);
  return Endpoint::of_sockaddr(reinterpret_cast<sockaddr*>(&storage), size);
}

/// Accepts by hand: libuv answers a lack of descriptors by closing what waits, and asks for no peer
/// address. Owned by its user.
class UvListener final : public Listener, private DescriptorEvents, private TimerEvents {
 public:
  UvListener(UvCore& core, UniqueFd fd, AcceptEvents& events)
      : core_(core),
        events_(events),
        fd_(std::move(fd)),
        local_(name_of_socket(fd_.get())),
        retry_(make_uv_timer(core, *this)),
        watch_(make_uv_watch(core, fd_.get(), *this)) {
    const int on = 1;  // accepted sockets inherit it; unix sockets refuse it
    ::setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    resume_accepting();
  }
  void stop_accepting() override;
  void resume_accepting() override;
  const Endpoint& local() const override { return local_; }

 private:
  enum class State { Accepting, Waiting /* for a descriptor */, Stopped };

  void on_ready(int fd, bool readable, bool writable) override;
  void on_timer(Timer& timer) override;
  void accept_one(UniqueFd fd, const Endpoint& peer);
  void on_accept_error(int error);

  // Constant after construction.
  UvCore& core_;
  AcceptEvents& events_;
  const UniqueFd fd_;
  const Endpoint local_;

  std::unique_ptr<Timer> retry_;
  std::unique_ptr<DescriptorWatch> watch_;
  State state_ = State::Stopped;
};

void UvListener::stop_accepting() {
  state_ = State::Stopped;
  retry_->stop();
  watch_->set(false, false);
}

void UvListener::resume_accepting() {
  if (state_ == State::Accepting) return;
  state_ = State::Accepting;
  retry_->stop();
  watch_->set(true, false);
}

void UvListener::on_timer(Timer&) {
  resume_accepting();
}

void UvListener::on_ready(int, bool, bool) {
  for (int i = 0; i < kPerTurn && state_ == State::Accepting; ++i) {
    sockaddr_storage peer{};
    socklen_t size = sizeof(peer);
    UniqueFd fd(::accept4(fd_.get(), reinterpret_cast<sockaddr*>(&peer), &size,
                          SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd) {
      accept_one(std::move(fd), Endpoint::of_sockaddr(reinterpret_cast<sockaddr*>(&peer), size));
    } else if (errno == EAGAIN) {
      return;
    } else {
      on_accept_error(errno);
    }
  }
}

void UvListener::accept_one(UniqueFd fd, const Endpoint& peer) {
  const Endpoint known = local_.is_wildcard() ? Endpoint() : local_;
  auto stream = open_uv_stream(core_, std::move(fd), peer, known, Origin::Client);
  if (stream) {
    events_.on_accepted(std::move(stream).value());
  } else {
    core_.log.write(LogLevel::Alert, stream.error().detail);
  }
}

void UvListener::on_accept_error(int error) {
  if (error == ECONNABORTED || error == EINTR || error == EPROTO) return;  // that client is gone
  const bool no_room = error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
  core_.log.print(no_room ? LogLevel::Crit : LogLevel::Alert, "accept() failed ({}: {})", error,
                  std::strerror(error));
  state_ = State::Waiting;
  watch_->set(false, false);
  retry_->start(kRetryAfter);
}

}  // namespace

std::unique_ptr<Listener> make_uv_listener(UvCore& core, UniqueFd fd, AcceptEvents& events) {
  return std::make_unique<UvListener>(core, std::move(fd), events);
}

}  // namespace gatescope::net
