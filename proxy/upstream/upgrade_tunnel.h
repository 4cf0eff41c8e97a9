#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "proxy/http/session.h"
#include "proxy/net/loop.h"

namespace gatescope::upstream {

/// Bytes both ways between a client and an upstream after 101, each side holding the other back.
/// Over when both have ended, one has failed, or nothing moved for the idle time. Owned by a
/// ProxyResponder.
///   Open -> HalfClosed (either side) -> Over;  any -> Over
class UpgradeTunnel final : private net::StreamEvents,
                            private http::ByteTunnel::Events,
                            private net::TimerEvents {
 public:
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void on_tunnel_over() = 0;  // discard it
  };
  UpgradeTunnel(net::Loop& loop, std::unique_ptr<net::Stream> upstream,
                std::unique_ptr<http::ByteTunnel> client, Duration idle, Owner& owner);
  ~UpgradeTunnel() override;
  /// `early`: what the upstream sent behind its head.
  void start(std::string early);
  std::uint64_t bytes_from_upstream() const { return from_upstream_; }
  std::uint64_t bytes_to_upstream() const { return to_upstream_; }

 private:
  enum class State { Open, ClientEnded, UpstreamEnded, Over };
  void on_data(std::span<const std::byte> data) override;
  void on_end() override;
  void on_drained() override;
  void on_failed(const Error& error) override;
  void on_tunnel_data(std::span<const std::byte> data) override;
  void on_tunnel_end() override;
  void on_tunnel_writable() override;
  void on_tunnel_failed(const Error& error) override;
  void on_timer(net::Timer& timer) override;
  void to_client(std::string bytes);
  void over();

  // Constant after construction
  net::Loop& loop_;
  const Duration idle_;
  Owner& owner_;

  State state_ = State::Open;
  std::unique_ptr<net::Stream> upstream_;
  std::unique_ptr<http::ByteTunnel> client_;
  std::unique_ptr<net::Timer> timer_;
  std::uint64_t from_upstream_ = 0, to_upstream_ = 0;
};

}  // namespace gatescope::upstream
