#include "certs/tls_directives.h"

#include <fmt/format.h>

#include <array>

#include "certs/session_cache.h"

namespace gatescope::tls {
namespace {

using conf::Directive;
using conf::Loader;
using conf::Scope;

constexpr conf::Contexts kLevels = conf::Context::Http | conf::Context::Server;

TlsDirectives& own(Scope& scope) {
  return scope.own<TlsDirectives>();
}

Result<void> add_file(conf::Inherited<std::vector<NamedFile>>& files, Loader& loader,
                      const Directive& d) {
  const std::string_view text = d.arg(0);
  for (const std::string_view scheme : {"data:", "engine:", "store:"}) {
    if (text.starts_with(scheme)) {
      return Loader::fail(d, fmt::format("\"{}\" is not supported in \"{}\" directive, name a file",
                                         scheme, d.name));
    }
  }
  if (text.find('$') != std::string_view::npos) {
    return Loader::fail(d, fmt::format("variables are not supported in \"{}\" directive, write a "
                                       "server block for each certificate",
                                       d.name));
  }
  files.edit().push_back({loader.conf_path(text), d.place});
  return {};
}

Result<void> set_protocols(Loader& loader, Scope& scope, const Directive& d) {
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
    return Loader::fail(d, "\"ssl_protocols\" directive leaves no protocol, use TLSv1.2 TLSv1.3");
  return loader.set_once(own(scope).protocols, chosen, d);
}

Result<void> set_session_cache(Loader& loader, Scope& scope, const Directive& d) {
  std::string words;
  for (const auto& argument : d.arguments) {
    if (!words.empty()) words += ' ';
    words += argument.text;
  }
  if (const auto cache = parse_session_cache(words); !cache) {
    return Loader::fail(d, fmt::format("\"{}\" directive: {}, use off, none, builtin or "
                                       "shared:NAME:SIZE (32k at least)",
                                       d.name, cache.error().detail));
  }
  return loader.set_once(own(scope).session_cache, std::move(words), d);
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

constexpr conf::DirectiveSpec kDirectives[] = {
    {.name = "ssl_certificate",
     .contexts = kLevels,
     .arity = {1, 1},
     .syntax = "ssl_certificate file;",
     .doc = "The certificate in PEM, followed by the intermediate ones. May be repeated, for "
            "certificates with different kinds of keys.",
     .apply = [](Loader& l, Scope& s, const Directive& d) -> Result<void> {
       return add_file(own(s).certificates, l, d);
     },
     .note = "Names a file: neither variables nor \"data:\"."},
    {.name = "ssl_certificate_key",
     .contexts = kLevels,
     .arity = {1, 1},
     .syntax = "ssl_certificate_key file;",
     .doc = "The certificate's private key in PEM, not encrypted. Keys belong to certificates in "
            "the order of writing.",
     .apply = [](Loader& l, Scope& s, const Directive& d) -> Result<void> {
       return add_file(own(s).keys, l, d);
     },
     .note = "Names a file: neither variables nor \"data:\", \"engine:\" or \"store:\"."},
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
     .apply = [](Loader& l, Scope& s, const Directive& d) -> Result<void> {
       return l.set_once(own(s).ciphers, std::string(d.arg(0)), d);
     }},
    {.name = "ssl_prefer_server_ciphers",
     .contexts = kLevels,
     .arity = {1, 1},
     .syntax = "ssl_prefer_server_ciphers on | off;",
     .fallback = "off",
     .doc = "Whether the server's order of ciphers counts, not the client's.",
     .apply = [](Loader& l, Scope& s, const Directive& d) -> Result<void> {
       const auto value = l.flag(d);
       return value ? l.set_once(own(s).prefer_server_ciphers, *value, d) : value.error();
     }},
    {.name = "ssl_ecdh_curve",
     .contexts = kLevels,
     .arity = {1, 1},
     .syntax = "ssl_ecdh_curve curve[:curve...] | auto;",
     .fallback = "auto",
     .doc = "The groups for the key exchange. auto: X25519MLKEM768 where OpenSSL has it, X25519, "
            "P-256, P-384, P-521.",
     .apply = [](Loader& l, Scope& s, const Directive& d) -> Result<void> {
       return l.set_once(own(s).ecdh_curve, std::string(d.arg(0)), d);
     }},
    {.name = "ssl_dhparam",
     .contexts = kLevels,
     .arity = {1, 1},
     .syntax = "ssl_dhparam file;",
     .doc = "Parameters for DHE ciphers, which are not offered without them.",
     .apply = [](Loader& l, Scope& s, const Directive& d) -> Result<void> {
       return l.set_once(own(s).dhparam, l.conf_path(d.arg(0)), d);
     }},
    {.name = "ssl_session_cache",
     .contexts = kLevels,
     .arity = {1, 2},
     .syntax = "ssl_session_cache off | none | [builtin[:size]] [shared:name:size];",
     .fallback = "none",
     .doc = "Where sessions are kept, for clients that resume without tickets.",
     .apply = set_session_cache,
     .note = "builtin and shared are the same: one cache per server, shared by its threads, empty "
             "after a reload. Tickets survive a reload."},
    {.name = "ssl_session_timeout",
     .contexts = kLevels,
     .arity = {1, 1},
     .syntax = "ssl_session_timeout time;",
     .fallback = "5m",
     .doc = "For how long a client may resume a session.",
     .apply = [](Loader& l, Scope& s, const Directive& d) -> Result<void> {
       const auto value = l.duration(d);
       return value ? l.set_once(own(s).session_timeout, *value, d) : value.error();
     }},
    {.name = "ssl_session_tickets",
     .contexts = kLevels,
     .arity = {1, 1},
     .syntax = "ssl_session_tickets on | off;",
     .fallback = "on",
     .doc = "Whether sessions may be resumed by tickets. Their keys change daily and survive a "
            "reload.",
     .apply = [](Loader& l, Scope& s, const Directive& d) -> Result<void> {
       const auto value = l.flag(d);
       return value ? l.set_once(own(s).session_tickets, *value, d) : value.error();
     }},
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
}

void add_tls_directives(conf::Schema& schema) {
  schema.add(kDirectives);
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
    settings.pairs.push_back({certificates[i].path, keys[i].path});
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
  return settings;
}

}  // namespace gatescope::tls
