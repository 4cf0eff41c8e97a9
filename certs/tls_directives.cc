#include "certs/tls_directives.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "certs/directive_parts.h"
#include "conf/setters.h"
#include "proxy/base/text.h"

namespace gatescope::tls {
namespace {

using conf::Directive;
using conf::Loader;
using conf::Scope;

using namespace directives;

}  // namespace

Result<NamedFile> parse_pem_file(Loader& loader, const Directive& d) {
  const std::string_view text = d.arg(0);
  for (const std::string_view scheme : {"engine:", "store:"}) {
    if (text.starts_with(scheme)) {
      return Loader::fail(d, fmt::format("\"{}\" is not supported in \"{}\" directive, name a file",
                                         scheme, d.name));
    }
  }
  // What acme_certificate obtains; it takes the word's place when all is read.
  const bool obtained = text == "$acme_certificate" || text == "$acme_certificate_key" ||
                        text == "${acme_certificate}" || text == "${acme_certificate_key}";
  if (obtained && !d.name.starts_with("proxy_")) return NamedFile(std::string(text), d.place);
  if (text.find('$') != std::string_view::npos) {
    return Loader::fail(d,
                        fmt::format("variables are not supported in \"{}\" directive, write a "
                                    "{} block for each certificate",
                                    d.name, d.name.starts_with("proxy_") ? "location" : "server"));
  }
  const bool is_text = text.starts_with("data:");
  return NamedFile(is_text ? std::string(text) : loader.conf_path(text), d.place);
}

Result<Protocols> parse_protocols(Loader& loader, const Directive& d) {
  static constexpr std::string_view kWords[] = {"TLSv1.3", "TLSv1.2", "TLSv1.1",
                                                "TLSv1",   "SSLv3",   "SSLv2"};
  Protocols chosen{.tls12 = false, .tls13 = false};
  bool* const fields[] = {&chosen.tls13, &chosen.tls12, &chosen.tls11, &chosen.tls10};
  bool any = false;
  for (std::size_t i = 0; i < d.count(); ++i) {
    const auto word = loader.choice(d, i, kWords);
    if (!word) return word.error();
    if (*word >= std::size(fields)) {
      loader.warn(d.arguments[i].place,
                  fmt::format("{} is broken and not offered, remove the word", kWords[*word]));
      continue;
    }
    *fields[*word] = any = true;
  }
  if (!any)
    return Loader::fail(
        d, fmt::format("\"{}\" directive leaves no protocol, use TLSv1.2 TLSv1.3", d.name));
  return chosen;
}

TlsSettings::Command parse_conf_command(Loader& loader, const Directive& d) {
  TlsSettings::Command command{std::string(d.arg(0)), std::string(d.arg(1)), d.place};
  if (conf_command_value(command.name) != ConfCommandValue::Text)
    command.value = loader.conf_path(command.value);
  return command;
}

namespace {

Result<void> add_file(conf::Inherited<std::vector<NamedFile>>& files, Loader& loader,
                      const Directive& d) {
  auto file = parse_pem_file(loader, d);
  if (!file) return file.error();
  files.edit().push_back(*std::move(file));
  return {};
}

Result<void> set_protocols(Loader& loader, Scope& scope, const Directive& d) {
  const auto chosen = parse_protocols(loader, d);
  if (!chosen) return chosen.error();
  return loader.set_once(own(scope).protocols, *chosen, d);
}

Result<void> add_command(Loader& loader, Scope& scope, const Directive& d) {
  own(scope).commands.edit().push_back(parse_conf_command(loader, d));
  return {};
}

Result<void> check_early_data(Loader& loader, Scope&, const Directive& d) {
  const auto on = loader.flag(d);
  if (!on) return on.error();
  if (!*on) return {};
  return Loader::fail(d,
                      "\"ssl_early_data\" directive: early data is not accepted (what comes in it "
                      "may be replayed), write off or remove it");
}

Result<void> set_buffer_size(Loader& loader, Scope& scope, const Directive& d) {
  const auto size = loader.size(d);
  if (!size) return size.error();
  if (*size == 0) {
    return Loader::fail(d, "invalid value \"0\" in \"ssl_buffer_size\" directive, use 4k to 16k");
  }
  return loader.set_once(own(scope).buffer_size, static_cast<std::size_t>(*size), d);
}

Result<void> refuse_ssl(Loader&, Scope&, const Directive& d) {
  return Loader::fail(
      d, d.arg(0) == "off" ? "\"ssl\" directive is obsolete, remove it (without the \"ssl\" "
                             "parameter \"listen\" speaks plain HTTP)"
                           : "\"ssl\" directive is obsolete, use the \"listen ... ssl\" directive "
                             "instead");
}

// `ssl_stapling off` asks for what it gets.
Result<void> note_stapling(Loader& loader, Scope&, const Directive& d) {
  if (d.arg(0) == "off") return {};
  loader.warn(d.place, fmt::format("\"{}\" has no effect: nothing is stapled (Let's Encrypt ended "
                                   "OCSP in 2025), remove it",
                                   d.name));
  return {};
}
constexpr std::string_view kStaplingNote =
    "Accepted with a warning; has no effect, as nothing is stapled.";

constexpr conf::DirectiveSpec kTlsDirectives[] = {
    {.name = "ssl_certificate",
     .contexts = kLevels,
     .arity = {1, 1},
     .syntax = "ssl_certificate file;",
     .doc = "The certificate in PEM, followed by the intermediate ones. May be repeated, for "
            "certificates with different kinds of keys.",
     .apply = [](Loader& l, Scope& s, const Directive& d) -> Result<void> {
       return add_file(own(s).certificates, l, d);
     },
     .note = "Names a file, or gives the text itself behind \"data:\"; of variables only "
             "$acme_certificate. A file is looked at every ten seconds, and a new one used without "
             "a reload."},
    {.name = "ssl_password_file",
     .contexts = kLevels,
     .arity = {1, 1},
     .syntax = "ssl_password_file file;",
     .doc = "Passwords for encrypted keys, one a line; they are tried in turn.",
     .apply = [](Loader& l, Scope& s, const Directive& d) -> Result<void> {
       return set_file(own(s).password_file, l, d);
     }},
    {.name = "ssl_certificate_key",
     .contexts = kLevels,
     .arity = {1, 1},
     .syntax = "ssl_certificate_key file;",
     .doc = "The certificate's private key in PEM. Keys belong to certificates in the order of "
            "writing. One that is encrypted needs ssl_password_file.",
     .apply = [](Loader& l, Scope& s, const Directive& d) -> Result<void> {
       return add_file(own(s).keys, l, d);
     },
     .note = "Names a file, or gives the text itself behind \"data:\"; of variables only "
             "$acme_certificate_key, neither \"engine:\" nor \"store:\"."},
    {.name = "ssl_protocols",
     .contexts = kLevels,
     .arity = {1, conf::Arity::kAny},
     .syntax = "ssl_protocols [TLSv1] [TLSv1.1] [TLSv1.2] [TLSv1.3];",
     .fallback = "TLSv1.2 TLSv1.3",
     .doc = "The versions of TLS that are spoken.",
     .apply = set_protocols,
     .note = "SSLv2 and SSLv3 are never offered."},
    {.name = "ssl_ciphers",
     .contexts = kLevels,
     .arity = {1, 1},
     .syntax = "ssl_ciphers ciphers;",
     .fallback = "HIGH:!aNULL:!MD5",
     .doc = "The ciphers for TLS up to 1.2, in OpenSSL's notation.",
     .apply = conf::set_text<&TlsDirectives::ciphers>},
    {.name = "ssl_prefer_server_ciphers",
     .contexts = kLevels,
     .arity = {1, 1},
     .syntax = "ssl_prefer_server_ciphers on | off;",
     .fallback = "off",
     .doc = "Whether the server's order of ciphers counts, not the client's.",
     .apply = conf::set_flag<&TlsDirectives::prefer_server_ciphers>},
    {.name = "ssl_ecdh_curve",
     .contexts = kLevels,
     .arity = {1, 1},
     .syntax = "ssl_ecdh_curve curve[:curve...] | auto;",
     .fallback = "auto",
     .doc = "The groups for the key exchange. auto: X25519MLKEM768 where OpenSSL has it, X25519, "
            "P-256, P-384, P-521.",
     .apply = conf::set_text<&TlsDirectives::ecdh_curve>},
    {.name = "ssl_dhparam",
     .contexts = kLevels,
     .arity = {1, 1},
     .syntax = "ssl_dhparam file;",
     .doc = "Parameters for DHE ciphers, which are not offered without them.",
     .apply = [](Loader& l, Scope& s, const Directive& d) -> Result<void> {
       return set_file(own(s).dhparam, l, d);
     }},
    {.name = "ssl_reject_handshake",
     .contexts = kLevels,
     .arity = {1, 1},
     .syntax = "ssl_reject_handshake on | off;",
     .fallback = "off",
     .doc = "Refuses handshakes for this server (alert unrecognized_name); it needs no certificate "
            "then.",
     .apply = conf::set_flag<&TlsDirectives::reject_handshake>},
    {.name = "ssl_conf_command",
     .contexts = kLevels,
     .arity = {2, 2},
     .syntax = "ssl_conf_command name value;",
     .doc = "A command of OpenSSL's configuration (SSL_CONF_cmd), run last: it overrides other "
            "directives. May be repeated.",
     .apply = add_command},
    {.name = "ssl_early_data",
     .contexts = kLevels,
     .arity = {1, 1},
     .syntax = "ssl_early_data on | off;",
     .fallback = "off",
     .doc = "TLS 1.3 early data.",
     .apply = check_early_data,
     .note = "Only off: early data is never accepted."},
    {.name = "ssl_buffer_size",
     .contexts = kLevels,
     .arity = {1, 1},
     .syntax = "ssl_buffer_size size;",
     .fallback = "16k",
     .doc = "The largest TLS record that is sent.",
     .apply = set_buffer_size,
     .note = "At most 16k. After a pause the first 64k go out in records of 4k anyway."},
    {.name = "ssl",
     .contexts = kLevels,
     .arity = {1, 1},
     .syntax = "ssl on | off;",
     .doc = "Refused: obsolete in nginx since 1.15.0 and gone since 1.25.1. Write `listen ... "
            "ssl`.",
     .apply = refuse_ssl},
    {.name = "ssl_stapling",
     .contexts = kLevels,
     .arity = {1, 1},
     .syntax = "ssl_stapling on | off;",
     .fallback = "off",
     .doc = "Stapling of OCSP answers.",
     .apply = note_stapling,
     .note = kStaplingNote},
    {.name = "ssl_stapling_verify",
     .contexts = kLevels,
     .arity = {1, 1},
     .syntax = "ssl_stapling_verify on | off;",
     .fallback = "off",
     .doc = "Verification of stapled OCSP answers.",
     .apply = note_stapling,
     .note = kStaplingNote},
    {.name = "ssl_stapling_file",
     .contexts = kLevels,
     .arity = {1, 1},
     .syntax = "ssl_stapling_file file;",
     .doc = "An OCSP answer to staple.",
     .apply = note_stapling,
     .note = kStaplingNote},
    {.name = "ssl_stapling_responder",
     .contexts = kLevels,
     .arity = {1, 1},
     .syntax = "ssl_stapling_responder url;",
     .doc = "Whom to ask for OCSP answers.",
     .apply = note_stapling,
     .note = kStaplingNote},
};

}  // namespace

void TlsDirectives::inherit(const Settings& outer) {
  const auto& from = as<TlsDirectives>(outer);
  certificates.inherit(from.certificates);
  keys.inherit(from.keys);
  protocols.inherit(from.protocols);
  ciphers.inherit(from.ciphers);
  prefer_server_ciphers.inherit(from.prefer_server_ciphers);
  ecdh_curve.inherit(from.ecdh_curve);
  dhparam.inherit(from.dhparam);
  session_cache.inherit(from.session_cache);
  session_timeout.inherit(from.session_timeout);
  session_tickets.inherit(from.session_tickets);
  buffer_size.inherit(from.buffer_size);
  password_file.inherit(from.password_file);
  ticket_keys.inherit(from.ticket_keys);
  verify_client.inherit(from.verify_client);
  verify_depth.inherit(from.verify_depth);
  client_certificate.inherit(from.client_certificate);
  trusted_certificate.inherit(from.trusted_certificate);
  crl.inherit(from.crl);
  reject_handshake.inherit(from.reject_handshake);
  commands.inherit(from.commands);
}

void add_tls_directives(conf::Schema& schema) {
  schema.add(kTlsDirectives);
  schema.add(session_directives());
  schema.add(client_directives());
  schema.add_settings<TlsDirectives>();
}

Result<TlsSettings> to_settings(const TlsDirectives& directives) {
  TlsSettings settings;
  const auto& certificates = *directives.certificates;
  const auto& keys = *directives.keys;
  for (std::size_t i = 0; i < certificates.size(); ++i) {
    if (i >= keys.size()) {
      return Loader::fail_at(certificates[i].place,
                             fmt::format("no \"ssl_certificate_key\" is defined for certificate "
                                         "\"{}\"",
                                         certificates[i].path));
    }
    settings.pairs.push_back({certificates[i], keys[i]});
  }
  const Protocols& protocols = *directives.protocols;
  settings.tls10 = protocols.tls10;
  settings.tls11 = protocols.tls11;
  settings.tls12 = protocols.tls12;
  settings.tls13 = protocols.tls13;
  settings.ciphers = *directives.ciphers;
  settings.prefer_server_ciphers = *directives.prefer_server_ciphers;
  settings.ecdh_curve = *directives.ecdh_curve;
  settings.dhparam = *directives.dhparam;
  settings.tickets = *directives.session_tickets;
  settings.session_cache = *directives.session_cache;
  settings.session_timeout = *directives.session_timeout;
  settings.buffer_size = *directives.buffer_size;
  settings.password_file = *directives.password_file;
  settings.ticket_keys = *directives.ticket_keys;
  settings.verify_client = *directives.verify_client;
  settings.verify_depth = *directives.verify_depth;
  settings.client_certificate = *directives.client_certificate;
  settings.trusted_certificate = *directives.trusted_certificate;
  settings.crl = *directives.crl;
  settings.reject_handshake = *directives.reject_handshake;
  settings.commands = *directives.commands;
  return settings;
}

ConfCommandValue conf_command_value(std::string_view name) {
  static constexpr std::string_view kFiles[] = {"Certificate",  "PrivateKey",   "ServerInfoFile",
                                                "ChainCAFile",  "VerifyCAFile", "RequestCAFile",
                                                "ClientCAFile", "DHParameters"};
  static constexpr std::string_view kFolders[] = {"ChainCAPath", "VerifyCAPath", "RequestCAPath",
                                                  "ClientCAPath"};
  const auto is = [&](std::string_view known) { return equals_ignoring_case(known, name); };
  if (std::ranges::any_of(kFiles, is)) return ConfCommandValue::File;
  if (std::ranges::any_of(kFolders, is)) return ConfCommandValue::Folder;
  return ConfCommandValue::Text;
}

}  // namespace gatescope::tls
