#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "certs/client_tls.h"
#include "certs/tls_context.h"
#include "certs/tls_facts.h"
#include "proxy/net/loop.h"
#include "proxy/net/stream.h"

namespace gatescope::tls {

/// What the handshake settled and the stream's user needs at once; the rest is TlsFacts.
struct TlsInfo {
  std::string_view alpn;  // empty: none was negotiated; OpenSSL's, as long as the stream lives
  bool resumed = false;
  bool truncated = false;  // once on_end came: the peer's FIN without a close_notify before it
};

class HandshakeEvents {
 public:
  virtual ~HandshakeEvents() = default;
  virtual void on_handshake_done() = 0;
  /// `error` is of the peer's Origin; `plain_http`: the first bytes looked like HTTP without TLS
  /// (answer 400 on the raw stream).
  virtual void on_handshake_failed(const Error& error, bool plain_http) = 0;
};

/// TLS over another Stream, itself a Stream, at either end. An own BIO: what OpenSSL writes in one
/// turn leaves in one write of the inner stream; no buffers are kept while idle. The handshake has
/// no deadline of its own: the Connection's is there. Handshaking -> Open -> Closing -> Closed, any
/// -> Failed.
///
/// Owned by its user. Until the Loop's bin is emptied a discarded stream is alive, and the end of
/// the turn may still bring it data: whoever discards it inside an event calls set_events(nullptr)
/// first, which ends the handshake's event too. What is written before on_handshake_done, after
/// shut_down() or after a failure is dropped and answered with Flow::Wait. TLS 1.3's ticket leaves
/// with the first write() if the request comes with the end of the handshake, else at once.
class TlsStream : public net::Stream {
 public:
  /// `chooser` is asked when the client's hello has come; it and its contexts must live until the
  /// handshake is over (the Generation does).
  static std::unique_ptr<TlsStream> accept(std::unique_ptr<net::Stream> inner, net::Loop& loop,
                                           const ContextChooser& chooser, HandshakeEvents& events);
  /// The client's end. The certificate is judged before on_handshake_done, in nginx's words where
  /// it fails. Errors: Internal.
  static Result<std::unique_ptr<TlsStream>> connect(std::unique_ptr<net::Stream> inner,
                                                    net::Loop& loop,
                                                    std::shared_ptr<const ClientTls> tls,
                                                    ServerIdentity server, HandshakeEvents& events);
  virtual const TlsInfo& info() const = 0;
  /// After on_handshake_done; lives as long as the stream.
  virtual const TlsFacts& facts() const = 0;
  /// After a failed handshake with plain_http: the inner stream back, to answer in clear. It is not
  /// reading and has no events; the TlsStream is of no use any more but for clear_bytes().
  virtual std::unique_ptr<net::Stream> release_inner() = 0;
  /// After a failed handshake with plain_http: what came in clear (a request line for the log, and
  /// for error_page 497).
  virtual std::string_view clear_bytes() const { return {}; }
};

}  // namespace gatescope::tls
