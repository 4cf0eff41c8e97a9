#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "certs/tls_stream.h"
#include "proxy/base/bytes.h"
#include "proxy/base/spare.h"
#include "proxy/http/http1_response_parser.h"
#include "proxy/net/loop.h"
#include "proxy/upstream/connection_pool.h"
#include "proxy/upstream/upstream.h"

namespace gatescope::upstream {

/// How a try failed: what proxy_next_upstream asks, and whether the same may be tried on a fresh
/// connection.
struct UpstreamFailure {
  enum class Kind { Error, Timeout, InvalidHeader };
  Kind kind = Kind::Error;
  Error error;                // nginx's words, with what was going on
  bool answered = false;      // bytes of a response had come
  bool request_sent = false;  // bytes of the request had left
};

/// What to send, framing decided.
struct UpstreamRequest {
  enum class Body { None, Plain, Chunked };  // Plain: Content-Length stands in the head
  std::string head;                          // with the empty line
  Body body = Body::None;
  bool answers_head = false;  // HEAD: the response has no body
  bool asks_upgrade = false;
};

struct ConnectionSettings {
  Duration connect_timeout{60000};  // proxy_connect_timeout, and for the handshake of TLS
  Duration send_timeout{60000};     // between two successful writes
  Duration read_timeout{60000};  // between two reads; for the head from the end of the request on
  http::Http1ResponseParser::Limits limits;
  std::shared_ptr<const tls::ClientTls> tls;  // null: in clear
  tls::ServerIdentity server;
  net::LocalAddress from = {};
  std::string preamble = {};  // sent first, in clear; such a connection is made anew, and not kept
};

/// One HTTP/1 exchange with one upstream peer, over a pooled or a fresh connection. Gives the
/// connection back when the message was complete, keep-alive holds and nothing more came. Owned by
/// a ProxyResponder; close() or destroying it gives up.
///
///   Connecting (with the handshake of TLS) -> Sending -> Head -> Body -> Done;  Head -> Tunnel
///   (101);  any -> Done (failed, closed) A response may begin while the request's body is still on
///   its way: then Sending goes to Body.
///
/// Deadlines: Connecting: connect_timeout. Sending: send_timeout while the peer takes nothing; none
/// while the client's body is awaited (that is client_body_timeout's). Head: read_timeout. Body:
/// read_timeout, unless paused by a slow client (send_timeout there). Tunnel, Done: none, the
/// stream is somebody else's.
class UpstreamConnection final : private net::StreamEvents,
                                 private net::ConnectEvents,
                                 private tls::HandshakeEvents,
                                 private net::TimerEvents,
                                 private net::TurnHook,
                                 public Spare::Object {
 public:
  enum class State { Connecting, Sending, Head, Body, Tunnel, Done };

  /// Never called from inside a call but start(); after calling any the connection touches no
  /// member.
  class Events {
   public:
    virtual ~Events() = default;
    virtual void on_upstream_connected() = 0;  // body may be sent
    virtual void on_upstream_writable() = 0;   // after Flow::Wait
    virtual void on_upstream_informational(const http::ReceivedHead& head) = 0;
    virtual void on_upstream_head(const http::ReceivedHead& head) = 0;  // not 101
    virtual void on_upstream_body(std::span<const std::byte> data) = 0;
    virtual void on_upstream_end(const http::HeaderList& trailers) = 0;  // complete; Done
    virtual void on_upstream_upgraded(
        const http::ReceivedHead& head) = 0;  // 101 that was asked for: take_stream()
    virtual void on_upstream_failed(const UpstreamFailure& failure) = 0;  // Done
  };

  UpstreamConnection(net::Loop& loop, UpstreamOnLoop& upstream, std::size_t peer,
                     const ConnectionSettings& settings, UpstreamRequest request, Events& events);
  ~UpstreamConnection() override { Spare::give_back(std::move(request_.head)); }

  /// Takes a pooled connection (then on_upstream_connected comes at once) unless `fresh`.
  void start(bool fresh);
  Flow send_body(std::span<const std::byte> data);
  /// `trailers` go behind a chunked body, and nowhere otherwise.
  void end_body(const http::HeaderList& trailers = {});
  /// Why no more is read for now; two who hold cannot undo each other.
  enum class Hold : unsigned { Client = 1, Rate = 2 };
  /// What has been read already is still delivered.
  void pause(Hold why);
  void resume(Hold why);
  /// Nothing more is called; the stream closes.
  void close();
  /// In on_upstream_upgraded: the connection, and what came behind the head.
  std::unique_ptr<net::Stream> take_stream(std::string& early);

  State state() const { return state_; }
  bool reused() const { return connection_.reused(); }
  const net::Stream* stream() const { return connection_.stream.get(); }
  std::uint64_t bytes_sent() const { return bytes_sent_; }
  std::uint64_t bytes_received() const { return bytes_received_; }

 private:
  void on_connected(std::unique_ptr<net::Stream> stream) override;
  void on_connect_failed(const Error& error) override;
  void on_handshake_done() override;
  void on_handshake_failed(const Error& error, bool plain_http) override;
  void on_data(std::span<const std::byte> data) override;
  void on_end() override;
  void on_drained() override;
  void on_failed(const Error& error) override;
  void on_timer(net::Timer& timer) override;
  void on_turn_end() override;

  void connected();
  void enter(State state);
  void arm();  // the deadline of what is waited for now
  void queue(std::string_view text);
  void queue_chunk();
  void flush();
  bool handle(http::Http1ResponseParser::Item item, std::span<const std::byte>& rest);
  void finish_message(bool surplus);
  void fail(UpstreamFailure::Kind kind, ErrorKind error, std::string_view what);
  void fail(UpstreamFailure::Kind kind, Error error);
  std::string_view doing() const;  // "while reading response header from upstream"

  // Constant after construction
  net::Loop& loop_;
  UpstreamOnLoop& upstream_;
  const std::size_t peer_;
  const ConnectionSettings settings_;
  Events& events_;

  State state_ = State::Connecting;
  UpstreamRequest request_;
  PooledStream connection_;                      // no stream: Connecting or Done
  std::unique_ptr<net::Stream> handshaking_;     // Connecting, and TCP is there; else null
  std::unique_ptr<net::Connecting> connecting_;  // null: not Connecting
  std::unique_ptr<net::Timer> timer_;
  http::Http1ResponseParser parser_;
  ByteQueue out_;              // this turn's part of the request
  std::string chunk_;          // this turn's part of a chunked body: it becomes one chunk
  bool body_awaited_ = false;  // the head waits within its turn for the body's first bytes
  bool request_done_ = false;  // all of it is in out_ or farther
  bool blocked_ = false;       // the stream said Wait
  unsigned held_ = 0;          // Hold, as bits: nothing is read
  std::string early_;          // behind a 101
  std::uint64_t bytes_sent_ = 0, bytes_received_ = 0;
};

}  // namespace gatescope::upstream
