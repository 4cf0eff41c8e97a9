#pragma once

// What a TLS connection can tell the requests on it.

#include <optional>
#include <string>
#include <string_view>

#include "proxy/base/arena.h"
#include "proxy/base/clock.h"

namespace gatescope::tls {

/// nginx's $ssl_ variables, by their names.
enum class TlsFact {
  Protocol,
  Cipher,
  Ciphers,
  Curve,
  Curves,
  Sigalg,
  SessionId,
  SessionReused,
  ServerName,
  EarlyData,
  AlpnProtocol,
  ClientCert,
  ClientRawCert,
  ClientEscapedCert,
  ClientSDn,
  ClientIDn,
  ClientSDnLegacy,
  ClientIDnLegacy,
  ClientSerial,
  ClientFingerprint,
  ClientVerify,
  ClientVStart,
  ClientVEnd,
  ClientVRemain,
  ClientSigalg,
};

/// How the client's certificate was judged.
struct ClientVerdict {
  bool presented = false;  // the client showed a certificate
  bool good = true;        // also when it showed none
  bool untrusted = false;  // nothing is wrong but that no authority of ours signed it
  int code = 0;            // OpenSSL's X509_V_ERR_
  std::string_view text;   // "certificate has expired"; lives as long as the program
};

/// Asked after the handshake; computes each answer anew, so that a connection keeps nothing for
/// those who do not ask. Belongs to the TlsStream and ends with it.
class TlsFacts {
 public:
  virtual ~TlsFacts() = default;
  /// The variable's value, in the arena or living longer; nullopt: it has none. `now` is for
  /// ClientVRemain.
  virtual std::optional<std::string_view> ask(TlsFact fact, WallTime now, Arena& arena) const = 0;
  virtual ClientVerdict client_verdict() const = 0;
  /// TlsContext::client_rules() of the context that shook hands.
  virtual const std::string& client_rules() const = 0;
  /// The name that chose the context: lower case, no final dot; empty: the client sent none, or
  /// nothing that could be one.
  virtual std::string server_name() const = 0;
  /// The session shall not be resumed from the cache (a ticket in the client's hands still can be).
  virtual void forget_session() const = 0;
};

}  // namespace gatescope::tls
