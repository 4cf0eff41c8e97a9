#pragma once

// OpenSSL's side of one connection, without any socket. Private to certs/.

#include <cstddef>
#include <memory>
#include <span>

#include "certs/hello_choice.h"
#include "certs/openssl_ptr.h"
#include "certs/own_bio.h"
#include "certs/server_side.h"
#include "certs/tls_stream.h"

namespace gatescope::tls {

/// Turns encrypted bytes into clear ones and back, at either end. The TlsStream owns it, fills
/// flows().in before a call and sends flows().out after it.
class TlsEngine final : public TlsFacts {
 public:
  enum class Outcome {
    Done,
    WantInput,   // flows().in is used up
    PeerClosed,  // close_notify came
    Failed,      // failure() says why; an alert may lie in flows().out
  };

  /// `chooser` is asked now for the default and once more when the client's hello has come.
  static Result<std::unique_ptr<TlsEngine>> make(const ContextChooser& chooser);
  /// The client's end; the server is judged when the handshake is done.
  static Result<std::unique_ptr<TlsEngine>> make_client(std::shared_ptr<const ClientTls> tls,
                                                        ServerIdentity identity);
  ~TlsEngine() override;

  EncryptedFlows& flows() { return flows_; }
  Outcome shake_hands();
  /// Decrypts until `room` is full (Done) or something else stops it; `filled` bytes are good
  /// whatever the outcome.
  Outcome read(std::span<std::byte> room, std::size_t& filled);
  /// One record per call when `clear` is not larger than a record.
  Outcome write(std::span<const std::byte> clear);
  /// Puts a close_notify into flows().out.
  Outcome close();

  /// After Failed.
  const Error& failure() const { return *failure_; }
  /// After the handshake.
  TlsInfo describe() const;
  bool is_tls13() const { return SSL_version(ssl_.get()) == TLS1_3_VERSION; }
  std::size_t record_size() const { return server_ ? 16384 : choice_.context->record_size(); }

  // TlsFacts, of the server's end
  std::optional<std::string_view> ask(TlsFact fact, WallTime now, Arena& arena) const override;
  ClientVerdict client_verdict() const override;
  const std::string& client_rules() const override { return choice_.context->client_rules(); }
  std::string server_name() const override { return choice_.lookup_name(); }
  void forget_session() const override;

 private:
  TlsEngine() = default;
  bool open(SSL_CTX* context);
  void fail(std::string_view what);
  template <class Step>
  Outcome run(const char* name, Step step);

  EncryptedFlows flows_;
  HelloChoice choice_;                  // its context's callbacks are called until ssl_ has ended
  std::unique_ptr<ServerSide> server_;  // null: we are the server
  SslPtr ssl_;
  std::unique_ptr<const Error> failure_;  // null until Failed was answered
};

}  // namespace gatescope::tls
