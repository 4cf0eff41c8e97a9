#pragma once

// Clients for measuring: many connections on one thread, epoll and OpenSSL, loopback only.

#include <openssl/ssl.h>
#include <sys/epoll.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace gatescope::bench {

using Time = std::chrono::steady_clock::time_point;
inline Time now() {
  return std::chrono::steady_clock::now();
}
inline double ms_between(Time a, Time b) {
  return std::chrono::duration<double, std::milli>(b - a).count();
}

class Wire;

/// The loop. Everything runs inside run_until().
class Reactor {
 public:
  Reactor();
  ~Reactor();
  /// False: the time was over before `done` held. `tick` is called every 5 ms or so.
  bool run_until(std::chrono::milliseconds limit, const std::function<bool()>& done,
                 const std::function<void()>& tick = {});
  int fd() const { return epoll_; }

 private:
  int epoll_;
};

struct FreeSession {
  void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
};
using SessionPtr = std::unique_ptr<SSL_SESSION, FreeSession>;

/// One connection, non-blocking, with TLS or without. Owned by its user, not destroyed inside a
/// callback.   Connecting -> Handshaking -> Open -> Closed, any -> Closed
class Wire {
 public:
  Wire(Reactor& reactor, SSL_CTX* tls);
  virtual ~Wire();
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  /// `receive_buffer`: SO_RCVBUF in bytes; 0: the system's.
  void connect(std::uint16_t port, int receive_buffer = 0);
  void send(std::string_view bytes);
  void pause_reading(bool paused);
  /// Takes at most so many bytes now, for a reader that is paused.
  void read_some(std::size_t most);
  void close();
  bool open() const { return state_ == State::Open; }
  bool closed() const { return state_ == State::Closed; }
  /// The next handshakes resume this one.
  void resume(SessionPtr session) { session_ = std::move(session); }
  bool may_resume() const { return session_ != nullptr; }
  bool resumed() const { return ssl_ != nullptr && SSL_session_reused(ssl_) == 1; }
  /// Of the connection that is open, with what the server gave so far; null: plain.
  SessionPtr session() const { return SessionPtr(ssl_ ? SSL_get1_session(ssl_) : nullptr); }
  void on_ready(std::uint32_t events);  // the Reactor's

 protected:
  virtual void on_open() {}
  virtual void on_data(std::string_view) {}
  /// No more has come for now.
  virtual void on_data_end() {}
  /// Refused: it was never open.
  virtual void on_closed(bool refused) { (void)refused; }

 private:
  enum class State { Connecting, Handshaking, Open, Closed };
  void fail();
  void shake_hands();
  void read(std::size_t most);
  bool read_piece(std::size_t most, std::size_t& got);
  void write();
  void want(std::uint32_t events);

  Reactor& reactor_;
  SSL_CTX* const tls_;  // null: plain
  int fd_ = -1;
  SSL* ssl_ = nullptr;
  SessionPtr session_;
  State state_ = State::Closed;
  std::uint32_t wanted_ = 0;
  bool paused_ = false;
  std::string out_;
};

/// A client's TLS: any certificate, sessions only where a Wire brings one. `http2`: by ALPN.
SSL_CTX* client_tls(bool http2 = false);

}  // namespace gatescope::bench
