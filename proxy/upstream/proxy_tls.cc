#include "proxy/upstream/proxy_tls.h"

#include <fmt/format.h>

namespace gatescope::upstream {

namespace {

/// "host:port", "[::1]:port", as $proxy_host may be: without the port.
std::string without_port(std::string name) {
  const auto colon = name.rfind(':');
  const bool bare_v6 = !name.starts_with('[') && name.find(':') != colon;
  if (colon == std::string::npos || bare_v6 || name.find(']', colon) != std::string::npos)
    return name;
  name.resize(colon);
  return name;
}

}  // namespace

void ProxyTls::inherit(const ProxyTls& outer) {
  name.inherit(outer.name);
  server_name.inherit(outer.server_name);
  verify.inherit(outer.verify);
  session_reuse.inherit(outer.session_reuse);
  verify_depth.inherit(outer.verify_depth);
  protocols.inherit(outer.protocols);
  ciphers.inherit(outer.ciphers);
  certificate.inherit(outer.certificate);
  certificate_key.inherit(outer.certificate_key);
  password_file.inherit(outer.password_file);
  trusted_certificate.inherit(outer.trusted_certificate);
  crl.inherit(outer.crl);
  commands.inherit(outer.commands);
}

tls::ClientTlsSettings ProxyTls::settings(const conf::Place& place) const {
  const auto& p = protocols.get();
  return {.tls12 = p.tls12,
          .tls13 = p.tls13,
          .tls11 = p.tls11,
          .tls10 = p.tls10,
          .ciphers = ciphers.get(),
          .pair = {certificate.get(), certificate_key.get()},
          .password_file = password_file.get(),
          .verify = verify.get(),
          .verify_depth = static_cast<unsigned>(verify_depth.get()),
          .trusted_certificate = trusted_certificate.get(),
          .crl = crl.get(),
          .session_reuse = session_reuse.get(),
          .commands = commands.get(),
          .place = place};
}

std::string ProxyTls::key() const {
  const auto& p = protocols.get();
  std::string key =
      fmt::format("tls {} {} {} {} {}{}{}{} {} {} {} {} {} {}", name.get().text(),
                  server_name.get(), verify.get(), verify_depth.get(), p.tls10, p.tls11, p.tls12,
                  p.tls13, ciphers.get(), certificate.get().path, certificate_key.get().path,
                  trusted_certificate.get().path, crl.get().path, session_reuse.get());
  for (const auto& command : commands.get())
    key += " " + command.name + "=" + command.value;
  return key;
}

tls::ServerIdentity ProxyTls::identity(const ProxyUrl& url, conf::VariableValues& values,
                                       Arena& arena) const {
  std::string host = url.is_unix ? "localhost" : url.host;
  if (name.is_set()) host = name.get().evaluate(values, arena);
  return {.name = without_port(std::move(host)), .send = server_name.get(), .session = {}};
}

}  // namespace gatescope::upstream
