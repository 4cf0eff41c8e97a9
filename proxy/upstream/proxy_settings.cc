#include "proxy/upstream/proxy_settings.h"

#include <fmt/format.h>

namespace gatescope::upstream {

void ProxySettings::inherit(const Settings& outer_settings) {
  const auto& outer = as<ProxySettings>(outer_settings);
  set_headers.inherit(outer.set_headers);
  http10.inherit(outer.http10);
  pass_request_headers.inherit(outer.pass_request_headers);
  pass_request_body.inherit(outer.pass_request_body);
  request_buffering.inherit(outer.request_buffering);
  body.inherit(outer.body);
  method.inherit(outer.method);
  hide_headers.inherit(outer.hide_headers);
  pass_headers.inherit(outer.pass_headers);
  pass_trailers.inherit(outer.pass_trailers);
  intercept_errors.inherit(outer.intercept_errors);
  redirects.inherit(outer.redirects);
  cookie_domains.inherit(outer.cookie_domains);
  cookie_paths.inherit(outer.cookie_paths);
  cookie_flags.inherit(outer.cookie_flags);
  ignored.inherit(outer.ignored);
  buffer_size.inherit(outer.buffer_size);
  ignore_client_abort.inherit(outer.ignore_client_abort);
  connect_timeout.inherit(outer.connect_timeout);
  send_timeout.inherit(outer.send_timeout);
  read_timeout.inherit(outer.read_timeout);
  next_upstream.inherit(outer.next_upstream);
  next_upstream_tries.inherit(outer.next_upstream_tries);
  next_upstream_timeout.inherit(outer.next_upstream_timeout);
  wait_upstream.inherit(outer.wait_upstream);
  tls.inherit(outer.tls);
}

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

}  // namespace gatescope::upstream
