#pragma once

// OpenSSL lives in this folder and its types do not leave it (ssl_ctx_st is only named here).

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/clock.h"
#include "proxy/base/log.h"
#include "proxy/base/result.h"

struct ssl_ctx_st;

namespace gatescope::tls {

/// One server's TLS settings, as its ssl_* directives say; defaults are nginx's.
struct TlsSettings {
  struct Pair {
    std::string certificate, key;
  };                        // absolute paths, PEM
  std::vector<Pair> pairs;  // RSA and ECDSA may both be given
  bool tls12 = true, tls13 = true, tls11 = false, tls10 = false;
  std::string ciphers = "HIGH:!aNULL:!MD5";
  bool prefer_server_ciphers = false;
  std::string ecdh_curve = "auto";  // auto: X25519 first
  std::string dhparam;              // path; empty: no DHE ciphers (as nginx)
  bool tickets = true;
  std::string session_cache = "none";  // none | off | builtin | shared:NAME:SIZE
  Duration session_timeout{300000};
  std::vector<std::string> alpn = {"http/1.1"};
  std::size_t buffer_size = 16384;  // ssl_buffer_size: largest record
};

/// Keys that encrypt session tickets; shared by all loops, kept over reloads, rotated daily.
/// Survives in Server.
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

/// An SSL_CTX made from TlsSettings; immutable, shared by all connections of one generation.
class TlsContext {
 public:
  /// Errors name the file: `cannot load certificate "/x": ...`, a key that does not fit its
  /// certificate included.
  static Result<std::unique_ptr<TlsContext>> make(const TlsSettings& settings,
                                                  SecretReader& secrets, TicketKeys& tickets);
  ~TlsContext();
  ssl_ctx_st* native() const { return context_; }
  /// Not after, of the certificates, for lint and status: seconds since 1970.
  const std::vector<std::int64_t>& expiry() const { return expiry_; }
  /// The key exchange groups as OpenSSL takes them.
  const std::string& groups() const { return groups_; }
  /// ssl_buffer_size: the largest record, in bytes of clear text; 512 to 16384.
  std::size_t record_size() const { return record_size_; }

 private:
  explicit TlsContext(ssl_ctx_st* context) : context_(context) {}
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  // Constant once made.
  ssl_ctx_st* context_;  // owned
  std::vector<std::int64_t> expiry_;
  std::string groups_;
  std::string alpn_;  // as it travels: length, name, length, name
  std::size_t record_size_ = 16384;
};

/// Which context answers a name: exact, *.wildcard, .leading, trailing.*, regex, as server_name.
/// Implemented by the router side (http::ServerNames), asked during the handshake.
class ContextChooser {
 public:
  virtual ~ContextChooser() = default;
  /// Never null once a listener has ssl; `name` is lower case, empty without SNI.
  virtual const TlsContext* choose(std::string_view name) const = 0;
};

}  // namespace gatescope::tls
