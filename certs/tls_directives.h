#pragma once

// The ssl_* directives: their table and what they fill.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "certs/tls_context.h"
#include "conf/schema.h"

namespace gatescope::tls {

/// A file that a directive names, and where it stands, for the errors that show only later.
struct NamedFile {
  std::string path;  // absolute
  conf::Place place;
};
struct Protocols {
  bool tls10 = false, tls11 = false, tls12 = true, tls13 = true;
};

/// ssl_* of http and server level.
struct TlsDirectives final : conf::Settings {
  conf::Inherited<std::vector<NamedFile>> certificates, keys;  // pairs by their order
  conf::Inherited<Protocols> protocols;
  conf::Inherited<std::string> ciphers{"HIGH:!aNULL:!MD5"};
  conf::Inherited<bool> prefer_server_ciphers{false};
  conf::Inherited<std::string> ecdh_curve{"auto"};
  conf::Inherited<std::string> dhparam;
  conf::Inherited<std::string> session_cache{"none"};  // its words with blanks between
  conf::Inherited<Duration> session_timeout{std::chrono::minutes(5)};
  conf::Inherited<bool> session_tickets{true};
  conf::Inherited<std::size_t> buffer_size{16384};

  void inherit(const Settings& outer) override;
};

void add_tls_directives(conf::Schema& schema);

/// Joins certificates with their keys; `alpn` is left to the caller. An error has its place. No
/// certificate at all is no error here: the server may listen without `ssl`.
Result<TlsSettings> to_settings(const TlsDirectives& directives);

}  // namespace gatescope::tls
