#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "certs/client_tls.h"
#include "certs/tls_directives.h"
#include "conf/schema.h"
#include "conf/template.h"
#include "proxy/upstream/proxy_url.h"

namespace gatescope::upstream {

/// proxy_ssl_*
struct ProxyTls {
  conf::Inherited<conf::Template> name;  // not set: the host of proxy_pass
  conf::Inherited<bool> server_name{false}, verify{false}, session_reuse{true};
  conf::Inherited<std::uint64_t> verify_depth{1};
  conf::Inherited<tls::Protocols> protocols;
  conf::Inherited<std::string> ciphers{"DEFAULT"};
  conf::Inherited<tls::NamedFile> certificate, certificate_key, password_file, trusted_certificate,
      crl;
  conf::Inherited<std::vector<tls::TlsSettings::Command>> commands;

  void inherit(const ProxyTls& outer);
  /// `place`: of proxy_pass.
  tls::ClientTlsSettings settings(const conf::Place& place) const;
  /// Equal for two that make the same connections.
  std::string key() const;
  /// Whom the server at `url` must be for these values.
  tls::ServerIdentity identity(const ProxyUrl& url, conf::VariableValues& values,
                               Arena& arena) const;
};

}  // namespace gatescope::upstream
