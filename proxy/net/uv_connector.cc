#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "proxy/net/uv_stream.h"

namespace gatescope::net {

/// A connection being made. Owned by its user.
///   Connecting -> Done;  Connecting -> Failing (refused at once; told at the end of the turn) ->
///   Done
class UvConnecting final : public Connecting, private TimerEvents, private TurnHook {
 public:
  UvConnecting(UvCore& core, const LocalAddress& from, const Endpoint& endpoint, Duration timeout,
               ConnectEvents& events)
      : core_(core),
        from_(from),
        endpoint_(endpoint),
        events_(events),
        block_(make_stream_block(core, endpoint.family())),
        timer_(make_uv_timer(core, *this)) {
    block_->connecting = this;
    timer_->start(timeout);
    start();
  }
  void on_connect(int status);

 private:
  enum class State { Connecting, Failing, Done };

  void start();
  void refuse(int error);
  int bind();
  void on_timer(Timer& timer) override;
  void on_turn_end() override;
  void fail(const Error& error);
  Error error_of(int error) const;

  // Constant after construction.
  UvCore& core_;
  const LocalAddress from_;
  const Endpoint endpoint_;
  ConnectEvents& events_;

  StreamBlockPtr block_;
  std::unique_ptr<Timer> timer_;
  State state_ = State::Connecting;
  int refused_ = 0;         // errno while Failing
  std::string refused_by_;  // what failed then; empty: connect()
};

namespace {

void on_connect_event(uv_connect_t* request, int status) noexcept {
  auto* block = static_cast<StreamBlock*>(request->data);
  if (block->connecting != nullptr) block->connecting->on_connect(status);
}

}  // namespace

/// libuv's own way sets no options before it binds. The errno; 0: bound.
int UvConnecting::bind() {
  const int domain = from_.address.family() == Endpoint::Family::V6 ? AF_INET6 : AF_INET;
  UniqueFd fd(::socket(domain, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  refused_by_ = "socket()";
  if (fd.get() < 0) return errno;
  const int on = 1;
  if (from_.transparent) {
    refused_by_ =
        "setsockopt(IP_TRANSPARENT), which needs the capability CAP_NET_ADMIN or CAP_NET_RAW,";
    if (domain == AF_INET
            ? ::setsockopt(fd.get(), IPPROTO_IP, IP_TRANSPARENT, &on, sizeof(on)) != 0
            : ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_TRANSPARENT, &on, sizeof(on)) != 0)
      return errno;
  }
  // The port is chosen when the other end is known: more connections fit.
  if (from_.address.port() == 0)
    (void)::setsockopt(fd.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
  refused_by_ = "bind(" + from_.address.to_string() + ")";
  if (::bind(fd.get(), from_.address.raw(), from_.address.raw_size()) != 0) return errno;
  const int status = uv_tcp_open(&block_->tcp, fd.get());
  if (status != 0) return -status;
  fd.release();  // libuv's now
  refused_by_.clear();
  return 0;
}

void UvConnecting::refuse(int error) {
  state_ = State::Failing;
  refused_ = error;
  core_.hooks.add(*this);
}

void UvConnecting::start() {
  int status = 0;
  if (from_.is_set() && endpoint_.family() != Endpoint::Family::Unix)
    if (const int error = bind(); error != 0) return refuse(error);
  switch (endpoint_.family()) {
    case Endpoint::Family::V4:
    case Endpoint::Family::V6:
      uv_tcp_nodelay(&block_->tcp, 1);
      status = uv_tcp_connect(&block_->make_request().connect, &block_->tcp, endpoint_.raw(),
                              on_connect_event);
      break;
    case Endpoint::Family::Unix: {
      const std::string path = endpoint_.to_string().substr(5);  // without "unix:"
      uv_pipe_connect(&block_->make_request().connect, &block_->pipe, path.c_str(),
                      on_connect_event);
      break;
    }
    case Endpoint::Family::None:
      status = -EAFNOSUPPORT;
      break;
  }
  if (status != 0) refuse(-status);
}

void UvConnecting::on_connect(int status) {
  if (state_ != State::Connecting) return;
  if (status < 0) {
    fail(error_of(-status));
    return;
  }
  state_ = State::Done;
  timer_->stop();
  block_->connecting = nullptr;
  auto stream =
      std::make_unique<UvStream>(core_, std::move(block_), endpoint_, Endpoint(), Origin::Upstream);
  events_.on_connected(std::move(stream));
}

void UvConnecting::on_timer(Timer&) {
  if (state_ != State::Connecting) return;
  fail(make_error(ErrorKind::Timeout, Origin::Upstream,
                  "connect() to " + endpoint_.to_string() + " timed out"));
}

void UvConnecting::on_turn_end() {
  if (state_ != State::Failing) return;
  fail(refused_by_.empty() ? error_of(refused_)
                           : system_error(refused_, refused_by_, Origin::Upstream));
}

void UvConnecting::fail(const Error& error) {
  state_ = State::Done;
  timer_->stop();
  block_.reset();
  events_.on_connect_failed(error);
}

Error UvConnecting::error_of(int error) const {
  Error result = system_error(error, "connect() to " + endpoint_.to_string(), Origin::Upstream);
  // No such unix socket, or its backlog is full: nobody takes us.
  if (error == ENOENT || error == EAGAIN) result.kind = ErrorKind::Refused;
  if (error == EADDRNOTAVAIL) result.kind = ErrorKind::Unreachable;
  return result;
}

std::unique_ptr<Connecting> make_uv_connecting(UvCore& core, const LocalAddress& from,
                                               const Endpoint& endpoint, Duration timeout,
                                               ConnectEvents& events) {
  return std::make_unique<UvConnecting>(core, from, endpoint, timeout, events);
}

}  // namespace gatescope::net
