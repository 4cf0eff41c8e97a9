#pragma once

// What the tables of the ssl_* directives share. Private to certs/.

#include <span>

#include "certs/tls_directives.h"

namespace gatescope::tls {

std::span<const conf::DirectiveSpec> session_directives();  // resumption
std::span<const conf::DirectiveSpec> client_directives();   // clients' certificates

namespace directives {

constexpr conf::Contexts kLevels = conf::Context::Http | conf::Context::Server;

inline TlsDirectives& own(conf::Scope& scope) {
  return scope.own<TlsDirectives>();
}

inline Result<void> set_file(conf::Inherited<NamedFile>& field, conf::Loader& loader,
                             const conf::Directive& d) {
  return loader.set_once(field, NamedFile(loader.conf_path(d.arg(0)), d.place), d);
}

}  // namespace directives
}  // namespace gatescope::tls
