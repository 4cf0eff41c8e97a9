#pragma once

// OpenSSL lives in this folder and its types do not leave it (ssl_ctx_st is only named here).

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "certs/session_caches.h"
#include "certs/tls_settings.h"
#include "proxy/base/clock.h"
#include "proxy/base/log.h"
#include "proxy/base/result.h"

struct ssl_ctx_st;

namespace gatescope::tls {

class TicketKeySource;

/// Keys that encrypt session tickets; shared by all loops, kept over reloads, rotated daily.
/// Survives in Server. Servers with ssl_session_ticket_key or a shared session cache have others.
class TicketKeys {
 public:
  explicit TicketKeys(const Clock& clock);
  ~TicketKeys();
  struct State;
  State& state() { return *state_; }

 private:
  std::unique_ptr<State> state_;
};

/// Reads a key or certificate file; the keeper may do it for us, with rights that we lack.
class SecretReader {
 public:
  virtual ~SecretReader() = default;
  virtual Result<std::string> read_secret(const std::string& path) = 0;
};
class OwnSecrets final : public SecretReader {
 public:
  Result<std::string> read_secret(const std::string& path) override;
};

/// An SSL_CTX made from TlsSettings; immutable, shared by the server that shows it (ServedContext)
/// and all connections that shook hands with it (they may outlive it by long).
class TlsContext {
 public:
  /// Errors name the file, `cannot load certificate "/x": ...`, a key that does not fit its
  /// certificate included, and the directive's place, where the settings know it.
  static Result<std::unique_ptr<TlsContext>> make(const TlsSettings& settings,
                                                  SecretReader& secrets, TicketKeys& tickets,
                                                  SessionCaches& caches);
  ~TlsContext();
  ssl_ctx_st* native() const { return context_; }
  /// Not after, of the certificates, for lint and status: seconds since 1970.
  const std::vector<std::int64_t>& expiry() const { return expiry_; }
  /// The key exchange groups as OpenSSL takes them.
  const std::string& groups() const { return groups_; }
  /// ssl_buffer_size: the largest record, in bytes of clear text; 512 to 16384.
  std::size_t record_size() const { return record_size_; }
  bool rejects_handshake() const { return rejects_handshake_; }
  /// What client certificates are judged by (authorities, revocations, depth), as a digest; empty:
  /// none is asked for. Two contexts with the same answer believe the same clients.
  const std::string& client_rules() const { return client_rules_; }

  // For the callbacks in certs/.
  TicketKeySource& ticket_keys() const { return *ticket_keys_; }
  SessionStore* sessions() const { return sessions_.get(); }  // null: none are kept
  Duration session_timeout() const { return session_timeout_; }

 private:
  explicit TlsContext(ssl_ctx_st* context);
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;
  Result<void> fill(const TlsSettings& settings, SecretReader& secrets, TicketKeys& tickets,
                    SessionCaches& caches);
  Result<void> set_sessions(const TlsSettings& settings, SecretReader& secrets, TicketKeys& tickets,
                            SessionCaches& caches);
  Result<void> set_session_id_context();

  // Constant once made.
  ssl_ctx_st* context_;  // owned
  std::vector<std::int64_t> expiry_;
  std::string groups_;
  std::string alpn_;  // as it travels: length, name, length, name
  std::string client_rules_;
  std::size_t record_size_ = 16384;
  bool rejects_handshake_ = false;
  Duration session_timeout_{};
  TicketKeySource* ticket_keys_ = nullptr;            // one of the next, or the program's
  std::unique_ptr<TicketKeySource> own_ticket_keys_;  // of ssl_session_ticket_key; else null
  std::shared_ptr<SessionStore> sessions_;            // shared: by the contexts that name it
};

/// Which context answers a name: exact, *.wildcard, .leading, trailing.*, regex, as server_name.
/// Implemented by the router side (http::ServerNames), asked during the handshake.
class ContextChooser {
 public:
  virtual ~ContextChooser() = default;
  /// Never null once a listener has ssl; `name` is lower case, empty without SNI.
  virtual std::shared_ptr<const TlsContext> choose(std::string_view name) const = 0;
  /// For an authority that looks whether we hold this name (ALPN acme-tls/1, RFC 8737); null: no
  /// such question is open.
  virtual std::shared_ptr<const TlsContext> choose_proof(std::string_view name) const {
    (void)name;
    return nullptr;
  }
  /// `listen ... http2`: ALPN offers h2 whatever the chosen server says.
  virtual bool offers_http2() const { return false; }
};

}  // namespace gatescope::tls
