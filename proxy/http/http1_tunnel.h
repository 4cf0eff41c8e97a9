#pragma once

#include <string>
#include <string_view>

#include "proxy/base/bytes.h"
#include "proxy/http/session.h"
#include "proxy/net/loop.h"

namespace gatescope::http {

class Http1Session;

/// The connection of an Http1Session after 101. Owned by whoever took it; when it is destroyed,
/// what was written still leaves, and the session ends the exchange and closes. The session may die
/// first (the server stops): then nothing more is called.
class Http1Tunnel final : public ByteTunnel, private net::StreamEvents, private net::TurnHook {
 public:
  Http1Tunnel(net::Stream& stream, net::Loop& loop, Http1Session& session);
  ~Http1Tunnel() override;

  // ByteTunnel
  void set_events(Events* events) override;
  void start_reading() override;
  void stop_reading() override;
  Flow write(SharedBytes bytes) override;
  void shut_down() override;

  // The session's
  void preload(std::string_view bytes);
  void forget_session() { session_ = nullptr; }

 private:
  void on_data(std::span<const std::byte> data) override;
  void on_end() override;
  void on_drained() override;
  void on_failed(const Error& error) override;
  void on_turn_end() override;

  net::Stream& stream_;
  net::Loop& loop_;
  Http1Session* session_;  // null: it has gone, and the stream with it
  Events* events_ = nullptr;
  std::string early_;  // bytes that came behind the request's head
  ByteQueue out_;      // this turn's output
  bool reading_ = false;
  bool waits_ = false;      // on_tunnel_writable is owed
  bool shut_down_ = false;  // FIN follows out_
  bool failed_ = false;
};

}  // namespace gatescope::http
