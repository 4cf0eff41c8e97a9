#pragma once

// The ssl_* directives: their table and what they fill.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "certs/tls_context.h"
#include "conf/schema.h"

namespace gatescope::tls {

struct Protocols {
  bool tls10 = false, tls11 = false, tls12 = true, tls13 = true;
};

/// ssl_* of http and server level.
struct TlsDirectives final : conf::Settings {
  conf::Inherited<std::vector<NamedFile>> certificates, keys;  // pairs by their order
  conf::Inherited<NamedFile> password_file;
  conf::Inherited<Protocols> protocols;
  conf::Inherited<std::string> ciphers{"HIGH:!aNULL:!MD5"};
  conf::Inherited<bool> prefer_server_ciphers{false};
  conf::Inherited<std::string> ecdh_curve{"auto"};
  conf::Inherited<NamedFile> dhparam;
  conf::Inherited<std::string> session_cache{"none"};  // its words with blanks between
  conf::Inherited<Duration> session_timeout{std::chrono::minutes(5)};
  conf::Inherited<bool> session_tickets{true};
  conf::Inherited<std::vector<NamedFile>> ticket_keys;
  conf::Inherited<std::size_t> buffer_size{16384};
  conf::Inherited<ClientCheck> verify_client{ClientCheck::Off};
  conf::Inherited<unsigned> verify_depth{1};
  conf::Inherited<NamedFile> client_certificate, trusted_certificate, crl;
  conf::Inherited<bool> reject_handshake{false};
  conf::Inherited<std::vector<TlsSettings::Command>> commands;
  /// Of the http level: the shared caches that were named so far, and their sizes in bytes.
  std::map<std::string, std::size_t> shared_caches;

  void inherit(const Settings& outer) override;
};

void add_tls_directives(conf::Schema& schema);
/// The words of ssl_protocols and of those like it. Old ones that are broken are warned of.
Result<Protocols> parse_protocols(conf::Loader& loader, const conf::Directive& d);
/// "engine:" and "store:" are refused, as variables are; "data:" is text, all else a file.
Result<NamedFile> parse_pem_file(conf::Loader& loader, const conf::Directive& d);
/// The two words of ssl_conf_command and of those like it.
TlsSettings::Command parse_conf_command(conf::Loader& loader, const conf::Directive& d);

/// Joins certificates with their keys; `alpn` and `place` are left to the caller. An error has its
/// place. No certificate at all is no error here: the server may listen without `ssl`.
Result<TlsSettings> to_settings(const TlsDirectives& directives);

/// What the value of an ssl_conf_command is, by the command's name (in any case of letters).
enum class ConfCommandValue { Text, File, Folder };
ConfCommandValue conf_command_value(std::string_view name);

}  // namespace gatescope::tls
