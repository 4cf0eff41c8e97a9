#include "tests/bench/wire.h"

#include <netinet/in.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace gatescope::bench {

Reactor::Reactor() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {}
Reactor::~Reactor() {
  ::close(epoll_);
}

bool Reactor::run_until(std::chrono::milliseconds limit, const std::function<bool()>& done,
                        const std::function<void()>& tick) {
  const Time end = now() + limit;
  Time next_tick = now();
  std::array<epoll_event, 256> events;
  while (!done()) {
    const Time at = now();
    if (at >= end) return false;
    if (tick && at >= next_tick) {
      tick();
      next_tick = now() + std::chrono::milliseconds(5);
    }
    const int n = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 5);
    for (int i = 0; i < n; ++i)
      static_cast<Wire*>(events[static_cast<std::size_t>(i)].data.ptr)
          ->on_ready(events[static_cast<std::size_t>(i)].events);
  }
  return true;
}

Wire::Wire(Reactor& reactor, SSL_CTX* tls) : reactor_(reactor), tls_(tls) {}

Wire::~Wire() {
  close();
}

void Wire::connect(std::uint16_t port, int receive_buffer) {
  close();
  out_.clear();
  fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) return on_closed(true);
  if (receive_buffer > 0)
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  state_ = State::Connecting;
  wanted_ = EPOLLOUT;
  epoll_event event{EPOLLOUT, {.ptr = this}};
  ::epoll_ctl(reactor_.fd(), EPOLL_CTL_ADD, fd_, &event);
  if (::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 &&
      errno != EINPROGRESS)
    fail();
}

void Wire::close() {
  state_ = State::Closed;
  if (ssl_ != nullptr) {
    // Else OpenSSL takes it for broken off, and its session may not be resumed
    SSL_set_shutdown(ssl_, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(ssl_);
  }
  ssl_ = nullptr;
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

void Wire::fail() {
  const bool refused = state_ != State::Open;
  close();
  on_closed(refused);
}

void Wire::want(std::uint32_t events) {
  if (fd_ < 0 || events == wanted_) return;
  wanted_ = events;
  epoll_event event{events, {.ptr = this}};
  ::epoll_ctl(reactor_.fd(), EPOLL_CTL_MOD, fd_, &event);
}

void Wire::on_ready(std::uint32_t events) {
  if (state_ == State::Connecting) {
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return fail();
    if (tls_ == nullptr) {
      state_ = State::Open;
      want(EPOLLIN);
      return on_open();
    }
    state_ = State::Handshaking;
    ssl_ = SSL_new(tls_);
    SSL_set_fd(ssl_, fd_);
    SSL_set_connect_state(ssl_);
    if (session_) SSL_set_session(ssl_, session_.get());
  }
  if (state_ == State::Handshaking) return shake_hands();
  if (state_ == State::Open && (events & EPOLLOUT) != 0) write();
  if (state_ == State::Open && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
    if (!paused_) {
      read(1u << 20);
    } else if ((events & (EPOLLHUP | EPOLLERR)) != 0) {
      fail();
    }
  }
}

void Wire::shake_hands() {
  const int answer = SSL_do_handshake(ssl_);
  if (answer == 1) {
    state_ = State::Open;
    want(EPOLLIN);
    return on_open();
  }
  const int error = SSL_get_error(ssl_, answer);
  ERR_clear_error();
  if (error == SSL_ERROR_WANT_READ) return want(EPOLLIN);
  if (error == SSL_ERROR_WANT_WRITE) return want(EPOLLOUT);
  fail();
}

void Wire::read(std::size_t most) {
  std::size_t got = 0;
  while (state_ == State::Open && got < most && read_piece(most - got, got)) {
  }
  if (state_ == State::Open && got > 0) on_data_end();
}

/// False: no more has come, or the connection is over.
bool Wire::read_piece(std::size_t most, std::size_t& got) {
  std::array<char, 16384> buffer;
  ssize_t n = 0;
  if (ssl_ != nullptr) {
    n = SSL_read(ssl_, buffer.data(), static_cast<int>(std::min(most, buffer.size())));
    if (n <= 0) {
      const int error = SSL_get_error(ssl_, static_cast<int>(n));
      ERR_clear_error();
      if (error != SSL_ERROR_WANT_READ) fail();
      return false;
    }
  } else {
    n = ::recv(fd_, buffer.data(), std::min(most, buffer.size()), 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return false;
    if (n <= 0) {
      fail();
      return false;
    }
  }
  got += static_cast<std::size_t>(n);
  on_data({buffer.data(), static_cast<std::size_t>(n)});
  return true;
}

void Wire::read_some(std::size_t most) {
  if (state_ == State::Open) read(most);
}

void Wire::pause_reading(bool paused) {
  paused_ = paused;
  want((paused_ ? 0u : std::uint32_t{EPOLLIN}) | (out_.empty() ? 0u : std::uint32_t{EPOLLOUT}));
}

void Wire::send(std::string_view bytes) {
  if (state_ != State::Open) return;
  out_ += bytes;
  write();
}

void Wire::write() {
  while (!out_.empty()) {
    ssize_t n = 0;
    if (ssl_ != nullptr) {
      n = SSL_write(ssl_, out_.data(), static_cast<int>(out_.size()));
      if (n <= 0) {
        const int error = SSL_get_error(ssl_, static_cast<int>(n));
        ERR_clear_error();
        if (error != SSL_ERROR_WANT_WRITE && error != SSL_ERROR_WANT_READ) return fail();
        break;
      }
    } else {
      n = ::send(fd_, out_.data(), out_.size(), MSG_NOSIGNAL);
      if (n < 0 && errno != EAGAIN) return fail();
      if (n < 0) break;
    }
    out_.erase(0, static_cast<std::size_t>(n));
  }
  want((paused_ ? 0u : std::uint32_t{EPOLLIN}) | (out_.empty() ? 0u : std::uint32_t{EPOLLOUT}));
}

SSL_CTX* client_tls(bool http2) {
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  // What browsers choose; OpenSSL itself would begin with AES-256. A server that has no TLS 1.3 is
  // not comparable.
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256");
  constexpr std::array<unsigned char, 3> kHttp2{2, 'h', '2'};
  if (http2) SSL_CTX_set_alpn_protos(context, kHttp2.data(), kHttp2.size());
  return context;
}

}  // namespace gatescope::bench
