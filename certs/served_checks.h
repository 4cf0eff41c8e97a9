#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "certs/certificate_info.h"
#include "certs/tls_stream.h"
#include "proxy/base/log.h"
#include "proxy/net/loop.h"

namespace gatescope::tls {

/// Looks from outside whether what we shall show is shown: connects to our own addresses as a
/// client would, with SNI, one after the other, and says what came instead. Without a good word
/// from here a renewal is only a file.
///
///   Idle -> Connecting -> Handshaking -> Idle, or the next one; each with kPatience at most
///
/// Owned by Server, on loop 0; its end cancels.
class ServedChecks final : private net::ConnectEvents,
                           private HandshakeEvents,
                           private net::TimerEvents {
 public:
  static constexpr Duration kPatience{10'000};
  static constexpr std::size_t kMostWaiting = 256;

  struct Target {
    net::Endpoint address;  // of a wildcard: any of it
    bool proxy_protocol = false;
    std::string name;  // SNI; empty: none is sent
    CertificateInfo expected;
  };
  /// Both outlive the checks.
  ServedChecks(net::Loop& loop, Log& log) : loop_(loop), log_(log) {}
  ~ServedChecks() override;
  /// What is more than kMostWaiting is said and left out.
  void add(Target target);
  /// What waits is forgotten.
  void cancel();
  bool idle() const { return state_ == State::Idle; }

 private:
  enum class State { Idle, Connecting, Handshaking };
  void next();
  void on_connected(std::unique_ptr<net::Stream> stream) override;
  void on_connect_failed(const Error& error) override;
  void on_handshake_done() override;
  void on_handshake_failed(const Error& error, bool plain_http) override;
  void on_timer(net::Timer& timer) override;
  void judge(std::string_view pem);
  void fail(std::string_view why);
  void hang_up();
  void finish();
  std::string place() const;

  // Constant after construction.
  net::Loop& loop_;
  Log& log_;

  State state_ = State::Idle;
  std::deque<Target> targets_;  // the first is being looked at, unless Idle
  std::unique_ptr<net::Timer> timer_;
  std::unique_ptr<net::Connecting> connecting_;
  std::unique_ptr<TlsStream> stream_;
};

}  // namespace gatescope::tls
