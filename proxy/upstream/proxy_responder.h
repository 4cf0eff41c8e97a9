#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "proxy/base/spare.h"
#include "proxy/http/body_pacer.h"
#include "proxy/http/exchange.h"
#include "proxy/http/handler.h"
#include "proxy/upstream/proxy_handler.h"
#include "proxy/upstream/request_head.h"
#include "proxy/upstream/response_buffer.h"
#include "proxy/upstream/upgrade_tunnel.h"
#include "proxy/upstream/upstream_connection.h"

namespace gatescope::upstream {

/// One proxied request: chooses servers, sends it, brings the answer back; tries the next server
/// where that is harmless. Owned by the Exchange; destroying it (the client left) closes the
/// upstream connection.
///
///   Collecting -> Waiting -> Streaming -> Draining -> Done;  Waiting -> Waiting (another try);
///   Waiting -> Tunnel;  Waiting -> Resting -> Waiting (proxy_wait_upstream);  any -> Done
/// Draining: the upstream is done or has failed, and the client still takes what came.
///
/// Deadlines: Collecting has the session's client_body_timeout; Waiting and Streaming the
/// connection's; Draining the session's send_timeout; Tunnel its own.
class ProxyResponder final : public http::Responder,
                             private UpstreamConnection::Events,
                             private http::BodyReader::Events,
                             private UpgradeTunnel::Owner,
                             private ResponseBuffer::Events,
                             private http::BodyPacer::Events,
                             private net::TimerEvents,
                             public Spare::Object {
 public:
  ProxyResponder(const ProxyHandler& handler, const http::Request& request,
                 http::ResponseWriter& writer, ProxyTarget target);
  ~ProxyResponder() override;
  void start();

  void on_body(std::span<const std::byte> data) override;
  void on_body_end() override;
  void on_writable() override;

 private:
  enum class State { Collecting, Waiting, Resting, Streaming, Draining, Tunnel, Done };

  void on_upstream_connected() override;
  void on_upstream_writable() override;
  void on_upstream_informational(const http::ReceivedHead& head) override;
  void on_upstream_head(const http::ReceivedHead& head) override;
  void on_upstream_body(std::span<const std::byte> data) override;
  void on_upstream_end(const http::HeaderList& trailers) override;
  void on_upstream_upgraded(const http::ReceivedHead& head) override;
  void on_upstream_failed(const UpstreamFailure& failure) override;
  void on_tunnel_over() override;
  void on_body_piece(std::span<const std::byte> piece) override;
  void on_body_unreadable(const Error& error) override;
  Flow on_paced(SharedBytes bytes) override;
  void on_all_paced() override;
  void on_buffer_room() override;
  void on_buffer_sent() override;
  void on_buffer_lost(const Error& error) override;

  void on_timer(net::Timer& timer) override;

  void try_next();
  bool rest();
  void stop_resting();
  std::string_view balancing_key();
  net::LocalAddress local_address();
  void connect(std::size_t peer, bool fresh);
  void send_kept();
  void drop_connection();
  void note_tried();
  bool replayable() const;  // the same request can be sent again: no body went past us
  bool may_try_next(unsigned cause, bool request_sent) const;
  void begin_body(const http::ReceivedHead& head);
  void take_body(std::span<const std::byte> data);
  void finish_body();
  void redirect_inside(const http::ReceivedHead& head, std::string_view to);
  void note_sizes();
  std::string upstream_note() const;  // `upstream: "http://127.0.0.1:8081/x"`
  std::int64_t ms_since(MonoTime time) const;
  void add_try(http::UpstreamTry entry);
  http::UpstreamTry& current_try();

  // Constant after construction
  const ProxySettings& settings_;
  const http::Request& request_;
  http::ResponseWriter& writer_;
  const ProxyTarget target_;
  UpstreamOnLoop& upstream_;
  const BodyPlan body_plan_;
  const bool idempotent_;

  State state_ = State::Waiting;
  std::string uri_;  // sent to the upstream
  TriedPeers tried_;
  std::size_t tries_ = 0;
  MonoTime started_{}, try_started_{};
  std::size_t peer_ = 0;
  std::unique_ptr<net::Timer> rest_timer_;  // null: never rested
  MonoTime rest_until_{};                   // proxy_wait_upstream, from the first rest on
  Balancer::Use use_;                       // of the peer, while something is asked of it
  bool body_begun_ = false;                 // a part of the client's body went to an upstream
  std::size_t try_index_ = 0;               // of this try in exchange().upstream_tries()
  bool has_tried_ = false;                  // try_index_ is ours: the next try is no other group's
  std::unique_ptr<http::BodyReader> reader_;  // of a kept body in a file, for this try; or null
  std::optional<ResponseBuffer> buffer_;      // none before Streaming
  std::unique_ptr<http::BodyPacer> pacer_;    // before the buffer; null: no proxy_limit_rate
  http::HeaderList trailers_;                 // Draining: to be passed on
  std::optional<Error> failure_;              // Draining: the answer will be cut
  std::unique_ptr<UpstreamConnection> connection_;  // null: Collecting, Tunnel, Done
  std::unique_ptr<UpgradeTunnel> tunnel_;           // null: not Tunnel
};

}  // namespace gatescope::upstream
