#pragma once

// The client's side of TLS: towards servers that requests are passed on to.

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "certs/tls_context.h"
#include "certs/tls_settings.h"

struct ssl_session_st;

namespace gatescope::tls {

/// What nginx calls proxy_ssl_*; its defaults.
struct ClientTlsSettings {
  bool tls12 = true, tls13 = true, tls11 = false, tls10 = false;
  std::string ciphers = "DEFAULT";
  TlsSettings::Pair pair;  // empty: no certificate is shown
  NamedFile password_file;
  bool verify = false;
  unsigned verify_depth = 1;
  NamedFile trusted_certificate, crl;
  bool session_reuse = true;
  std::vector<TlsSettings::Command> commands;
  conf::Place place;  // for what no file is to blame for
};

/// An SSL_CTX for connections to servers, and the sessions that they may take up again. Constant
/// but for the sessions; shared by loops and by the connections made with it.
class ClientTls {
 public:
  /// Errors name file and place.
  static Result<std::shared_ptr<const ClientTls>> make(const ClientTlsSettings& settings,
                                                       SecretReader& secrets);
  ~ClientTls();
  ClientTls(const ClientTls&) = delete;
  ClientTls& operator=(const ClientTls&) = delete;

  ssl_ctx_st* native() const { return context_; }
  bool verifies() const { return verifies_; }

  // Sessions by server; from any thread.
  static constexpr std::size_t kMostSessions = 1000;
  /// Null: none. The caller owns the reference.
  ssl_session_st* take_session(const std::string& server) const;
  /// Takes the reference.
  void keep_session(const std::string& server, ssl_session_st* session) const;
  void drop_session(const std::string& server) const;

 private:
  explicit ClientTls(ssl_ctx_st* context) : context_(context) {}
  Result<void> fill(const ClientTlsSettings& settings, SecretReader& secrets);

  // Constant once made.
  ssl_ctx_st* const context_;  // owned
  bool verifies_ = false;

  mutable std::mutex mutex_;                                 // guards what follows
  mutable std::map<std::string, ssl_session_st*> sessions_;  // owned
};

/// Which server is meant, for one connection.
struct ServerIdentity {
  std::string name;     // what its certificate must be for, where the context verifies
  bool send = false;    // ... and sent as SNI (RFC 6066 3), unless it is an address
  std::string session;  // whose sessions may be taken up again: name and address
};

}  // namespace gatescope::tls
