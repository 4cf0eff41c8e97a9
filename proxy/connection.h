#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "certs/tls_stream.h"
#include "proxy/front.h"
#include "proxy/http/session.h"
#include "proxy/http2_preface.h"
#include "proxy/proxy_header.h"

namespace gatescope::server {

/// One client connection: the stream, TLS if its address has it, and the Session that speaks HTTP
/// on it. Owned by the Front; ends when the Session says so, when the handshake fails or times out,
/// or when the Front abandons it. It belongs to the generation under which it was accepted until
/// its first request, then to the one that was current at its last request or since; an exchange of
/// HTTP/2 keeps the one it began under. Handshaking -> Serving -> Over; plain: Serving at once, or
/// when it is known which version the client speaks.
class Connection final : public http::SessionHost,
                         private ProxyHeaderReader::Events,
                         private Http2PrefaceReader::Events,
                         private tls::HandshakeEvents,
                         private net::TimerEvents {
 public:
  Connection(Front& front, std::shared_ptr<const Current> current,
             const http::ListenAddress& address, std::unique_ptr<net::Stream> stream,
             std::uint64_t number);
  ~Connection() override;
  void start();
  void finish();     // graceful stop
  void wind_down();  // the one that may be under way is its last answer, or the next
  /// A new generation serves: a connection between two requests moves over to it, or ends when its
  /// address is not served any more.
  void follow_if_idle();
  /// Whether it, or an exchange that it began, belongs to the generation of that number.
  bool uses(std::uint64_t generation) const;
  void close();

  // SessionHost
  std::unique_ptr<http::SessionExchange> make_exchange(http::ExchangeLink& link,
                                                       http::RequestHead head) override;
  const http::ConnectionInfo& info() const override { return info_; }
  Log& log() override { return log_; }
  std::string_view date() override;
  void on_idle(bool idle) override;
  void on_session_over() override;

 private:
  enum class State { Handshaking, Serving, Over };
  /// As what the connection is counted now.
  enum class Counted : std::uint8_t { None, Handshaking, Waiting, Busy };
  /// The generation's log with "client: ..., server: ..." behind each line that no request owns.
  class ConnectionLog final : public Log {
   public:
    explicit ConnectionLog(Connection& connection) : connection_(connection) {}
    bool enabled(LogLevel level) const override;
    void write(LogLevel level, std::string_view message) override;

   private:
    Connection& connection_;
  };
  void on_handshake_done() override;
  void on_handshake_failed(const Error& error, bool plain_http) override;
  void on_proxy_header(const ProxyHeader& header, std::string rest) override;
  void on_proxy_header_failed(const Error& error) override;
  void on_preface_begun() override;
  void on_preface(bool http2, std::string came) override;
  void on_preface_failed(const Error& error) override;
  void on_timer(net::Timer& timer) override;
  void begin();
  void count_as(Counted now);
  void serve(bool http2);
  void look_for_preface();
  enum class Follow { Moved, OtherRules, NotServed };
  Follow follow_reload();
  /// Whose settings the connection has.
  const http::VirtualServer& server_of_session() const;
  const http::VirtualServer& named_in_handshake(const http::ListenAddress& address) const;

  /// What exchanges keep that share the connection: they may outlive its move to another
  /// generation.
  struct Use {
    std::shared_ptr<const Current> current;
  };

  Front& front_;
  std::shared_ptr<const Current> current_;
  std::shared_ptr<const Use> use_;                // of current_; null: nobody needed it yet
  std::vector<std::weak_ptr<const Use>> former_;  // of those before
  const http::ListenAddress* address_;            // in current_'s routing
  http::ConnectionInfo info_;
  const http::VirtualServer* tls_server_ = nullptr;     // chosen by SNI, in current_
  std::unique_ptr<net::Stream> stream_;                 // the TlsStream, or the socket itself
  tls::TlsStream* tls_ = nullptr;                       // stream_, while it is one
  std::unique_ptr<ProxyHeaderReader> proxy_reader_;     // until the proxy has said who it is for
  std::unique_ptr<Http2PrefaceReader> preface_reader_;  // until the client has said which version
  std::unique_ptr<net::Timer> handshake_timer_;
  std::unique_ptr<http::Session> session_;
  ConnectionLog log_;
  State state_ = State::Handshaking;
  Counted counted_ = Counted::None;
  bool idle_ = false, http2_ = false;
};

}  // namespace gatescope::server
