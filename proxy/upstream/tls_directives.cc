// proxy_ssl_*: how servers are spoken to over TLS.

#include "certs/tls_directives.h"

#include "conf/setters.h"
#include "proxy/upstream/proxy_settings.h"
#include "proxy/upstream/upstream_directives.h"

namespace gatescope::upstream {

namespace {

using conf::Directive;
using conf::Loader;
using conf::Scope;

ProxyTls& own(Scope& scope) {
  return scope.own<ProxySettings>().tls;
}

template <conf::Inherited<tls::NamedFile> ProxyTls::*Field>
Result<void> set_pem(Loader& loader, Scope& scope, const Directive& d) {
  if (d.arg(0).empty())  // none, where an outer level names one
    return loader.set_once(own(scope).*Field, tls::NamedFile(), d);
  auto file = tls::parse_pem_file(loader, d);
  if (!file) return file.error();
  return loader.set_once(own(scope).*Field, *std::move(file), d);
}

template <conf::Inherited<tls::NamedFile> ProxyTls::*Field>
Result<void> set_file(Loader& loader, Scope& scope, const Directive& d) {
  return loader.set_once(own(scope).*Field, tls::NamedFile(loader.conf_path(d.arg(0)), d.place), d);
}

template <conf::Inherited<bool> ProxyTls::*Field>
Result<void> set_flag(Loader& loader, Scope& scope, const Directive& d) {
  const auto on = loader.flag(d);
  if (!on) return on.error();
  return loader.set_once(own(scope).*Field, *on, d);
}

Result<void> set_name(Loader& loader, Scope& scope, const Directive& d) {
  auto name = template_of(loader, d, 0);
  if (!name) return name.error();
  return loader.set_once(own(scope).name, *std::move(name), d);
}

Result<void> set_protocols(Loader& loader, Scope& scope, const Directive& d) {
  const auto chosen = tls::parse_protocols(loader, d);
  if (!chosen) return chosen.error();
  return loader.set_once(own(scope).protocols, *chosen, d);
}

constexpr conf::DirectiveSpec kTlsDirectives[] = {
    {.name = "proxy_ssl_name",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "proxy_ssl_name name;",
     .fallback = "$proxy_host",
     .doc = "The name that the server's certificate must have (proxy_ssl_verify), and that is sent "
            "(proxy_ssl_server_name). Not set: the host of proxy_pass, without a port.",
     .apply = set_name,
     .note = "With variables no connection of the group is kept open between requests."},
    {.name = "proxy_ssl_server_name",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "proxy_ssl_server_name on | off;",
     .fallback = "off",
     .doc = "Whether the name is sent in the handshake (SNI). Addresses never are.",
     .apply = set_flag<&ProxyTls::server_name>},
    {.name = "proxy_ssl_verify",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "proxy_ssl_verify on | off;",
     .fallback = "off",
     .doc = "Whether the server's certificate must come from an authority of "
            "proxy_ssl_trusted_certificate and be for the name; what fails is 502.",
     .apply = set_flag<&ProxyTls::verify>},
    {.name = "proxy_ssl_verify_depth",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "proxy_ssl_verify_depth number;",
     .fallback = "1",
     .doc = "So many authorities may stand between the server's certificate and a trusted one.",
     .apply = [](Loader& loader, Scope& scope, const Directive& d) -> Result<void> {
       const auto depth = loader.number(d);
       if (!depth) return depth.error();
       return loader.set_once(own(scope).verify_depth, static_cast<std::uint64_t>(*depth), d);
     }},
    {.name = "proxy_ssl_trusted_certificate",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "proxy_ssl_trusted_certificate file;",
     .doc = "Authorities that servers' certificates are believed from, in PEM.",
     .apply = set_file<&ProxyTls::trusted_certificate>},
    {.name = "proxy_ssl_crl",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "proxy_ssl_crl file;",
     .doc = "What those authorities have revoked, in PEM.",
     .apply = set_file<&ProxyTls::crl>},
    {.name = "proxy_ssl_certificate",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "proxy_ssl_certificate file;",
     .doc = "A certificate in PEM that is shown to servers which ask for one. \"\": none.",
     .apply = set_pem<&ProxyTls::certificate>,
     .note = "No variables."},
    {.name = "proxy_ssl_certificate_key",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "proxy_ssl_certificate_key file;",
     .doc = "Its private key in PEM.",
     .apply = set_pem<&ProxyTls::certificate_key>,
     .note = "No variables."},
    {.name = "proxy_ssl_password_file",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "proxy_ssl_password_file file;",
     .doc = "Passwords for that key, one a line; they are tried in turn.",
     .apply = set_file<&ProxyTls::password_file>},
    {.name = "proxy_ssl_protocols",
     .contexts = conf::kHttpLevels,
     .arity = {1, conf::Arity::kAny},
     .syntax = "proxy_ssl_protocols [TLSv1] [TLSv1.1] [TLSv1.2] [TLSv1.3];",
     .fallback = "TLSv1.2 TLSv1.3",
     .doc = "Versions that are spoken with servers.",
     .apply = set_protocols},
    {.name = "proxy_ssl_ciphers",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "proxy_ssl_ciphers ciphers;",
     .fallback = "DEFAULT",
     .doc = "Ciphers up to TLS 1.2, in OpenSSL's form.",
     .apply = [](Loader& loader, Scope& scope, const Directive& d) -> Result<void> {
       return loader.set_once(own(scope).ciphers, std::string(d.arg(0)), d);
     }},
    {.name = "proxy_ssl_session_reuse",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "proxy_ssl_session_reuse on | off;",
     .fallback = "on",
     .doc = "Whether a later connection to the same server takes up an earlier one's session. At "
            "most 1000 are remembered for a proxy_pass.",
     .apply = set_flag<&ProxyTls::session_reuse>},
    {.name = "proxy_ssl_conf_command",
     .contexts = conf::kHttpLevels,
     .arity = {2, 2},
     .syntax = "proxy_ssl_conf_command name value;",
     .doc = "A command of OpenSSL's configuration (SSL_CONF_cmd), such as Ciphersuites.",
     .apply = [](Loader& loader, Scope& scope, const Directive& d) -> Result<void> {
       own(scope).commands.edit().push_back(tls::parse_conf_command(loader, d));
       return {};
     }},
};

}  // namespace

void add_proxy_tls_directives(conf::Schema& schema) {
  schema.add(kTlsDirectives);
}

}  // namespace gatescope::upstream
