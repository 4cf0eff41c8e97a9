#include "certs/acme/acme_directives.h"

#include <fmt/format.h>

#include "certs/acme/certificate.h"
#include "conf/setters.h"
#include "proxy/base/text.h"

namespace gatescope::acme {
namespace {

using conf::Context;
using conf::Directive;
using conf::Loader;
using conf::Scope;

AcmeIssuerSettings& own(Scope& scope) {
  return scope.own<AcmeIssuerSettings>();
}

Result<void> apply_issuer(Loader& loader, Scope& scope, const Directive& d) {
  const std::string name(d.arg(0));
  auto& issuers = scope.own<AcmeHttpSettings>().issuers;
  if (issuers.contains(name))
    return Loader::fail(d, fmt::format("duplicate acme_issuer \"{}\" in \"acme_issuer\"", name));
  auto block = loader.load_block(d, scope, Context::AcmeIssuer);
  if (!block) return block.error();
  auto& read = own(**block);
  IssuerSettings settings = read.values;
  settings.name = name;
  settings.place = d.place;
  if (!read.uri.is_set())
    return Loader::fail(d, fmt::format("\"acme_issuer\" \"{}\" has no uri, add one: "
                                       "uri https://acme-v02.api.letsencrypt.org/directory;",
                                       name));
  settings.uri = *read.uri;
  settings.state_path = *read.state_path;
  settings.trusted_certificate = *read.trusted_certificate;
  settings.verify = *read.verify;
  settings.accepts_terms = *read.accepts_terms;
  settings.challenge = *read.challenge;
  settings.profile = *read.profile;
  settings.binding_kid = *read.binding_kid;
  issuers.emplace(name, std::move(settings));
  return {};
}

Result<void> apply_uri(Loader& loader, Scope& scope, const Directive& d) {
  const auto text = d.arg(0);
  if (!text.starts_with("https://") && !text.starts_with("http://"))
    return Loader::fail(d, fmt::format("invalid value \"{}\" in \"uri\" directive, give the URL of "
                                       "the authority's directory",
                                       text));
  return loader.set_once(own(scope).uri, std::string(text), d);
}

Result<void> apply_contact(Loader&, Scope& scope, const Directive& d) {
  std::string contact(d.arg(0));
  if (contact.find(':') == std::string::npos) contact.insert(0, "mailto:");
  own(scope).values.contacts.push_back(std::move(contact));
  return {};
}

Result<void> apply_account_key(Loader& loader, Scope& scope, const Directive& d) {
  const std::string text(d.arg(0));
  auto& values = own(scope).values;
  if (const auto type = parse_key_type(text)) {
    values.account_key_type = *type;
  } else if (text.starts_with("ecdsa") || text.starts_with("rsa")) {
    return Loader::fail(d, type.error().detail);
  } else {
    values.account_key = tls::NamedFile(loader.conf_path(text), d.place);
  }
  return loader.set_once(own(scope).account_key, text, d);
}

Result<void> apply_challenge(Loader& loader, Scope& scope, const Directive& d) {
  static constexpr std::string_view kWords[] = {"http-01", "tls-alpn-01", "http", "tls-alpn"};
  const auto word = loader.choice(d, 0, kWords);
  if (!word) return word.error();
  return loader.set_once(own(scope).challenge,
                         *word % 2 == 0 ? ChallengeKind::Http : ChallengeKind::TlsAlpn, d);
}

Result<void> apply_profile(Loader& loader, Scope& scope, const Directive& d) {
  if (d.count() > 1 && d.arg(1) != "require")
    return Loader::fail(d, fmt::format("invalid parameter \"{}\" in \"profile\" directive, write "
                                       "require or nothing",
                                       d.arg(1)));
  own(scope).values.profile_required = d.count() > 1;
  return loader.set_once(own(scope).profile, std::string(d.arg(0)), d);
}

Result<void> apply_binding(Loader& loader, Scope& scope, const Directive& d) {
  const auto text = d.arg(1);
  own(scope).values.binding_key = tls::NamedFile(
      text.starts_with("data:") ? std::string(text) : loader.conf_path(text), d.place);
  return loader.set_once(own(scope).binding_kid, std::string(d.arg(0)), d);
}

/// nginx's "off" keeps nothing, which would order anew at each start: there is a limit to that.
Result<void> apply_state_path(Loader& loader, Scope& scope, const Directive& d) {
  if (d.arg(0) == "off")
    return Loader::fail(d,
                        "\"state_path\" directive: without a folder each start would order "
                        "again, name one or remove the line");
  return loader.set_once(own(scope).state_path, loader.path(d.arg(0)), d);
}

Result<std::string> checked_identifier(const Directive& d, std::string_view text) {
  std::string name = lower(text);
  if (name.starts_with('[') && name.ends_with(']')) name = name.substr(1, name.size() - 2);
  if (is_ip(name)) return name;
  if (name.find('*') != std::string::npos)
    return Loader::fail(d,
                        fmt::format("\"acme_certificate\" for \"{}\": wildcards need the challenge "
                                    "dns-01, which is not supported; name each host",
                                    text));
  for (const char c : name)
    if (!is_alpha(c) && !is_digit(c) && c != '-' && c != '.' && c != '_')
      return Loader::fail(d,
                          fmt::format("\"acme_certificate\" directive: \"{}\" is no host name and "
                                      "no address (names in other scripts are written as xn--...)",
                                      text));
  return name;
}

Result<void> apply_certificate(Loader&, Scope& scope, const Directive& d) {
  auto& held = scope.own<AcmeServerSettings>().certificate;
  if (held) return Loader::fail(d, "is duplicate");
  CertificateSettings settings;
  settings.issuer = d.arg(0);
  settings.place = d.place;
  for (std::size_t i = 1; i < d.count(); ++i) {
    const auto text = d.arg(i);
    if (text.starts_with("key=")) {
      const auto type = parse_key_type(text.substr(4));
      if (!type) return Loader::fail(d, type.error().detail);
      settings.key = *type;
      continue;
    }
    auto name = checked_identifier(d, text);
    if (!name) return name.error();
    settings.identifiers.push_back(*std::move(name));
  }
  held = std::move(settings);
  return {};
}

constexpr auto kIssuer = only(Context::AcmeIssuer);

const conf::DirectiveSpec kAcmeDirectives[] = {
    {.name = "acme_issuer",
     .contexts = only(Context::Http),
     .arity = {1, 1, true},
     .syntax = "acme_issuer name { ... }",
     .doc =
         "An authority that certificates are obtained from by ACME (RFC 8555), for example Let's "
         "Encrypt. They are renewed when it advises so (RFC 9773), else after two thirds of "
         "their lifetime, and used without a reload.",
     .apply = apply_issuer},
    {.name = "acme_certificate",
     .contexts = only(Context::Server),
     .arity = {1, conf::Arity::kAny},
     .syntax = "acme_certificate issuer [identifier ...] [key=ecdsa[:256|384|521]|"
               "rsa[:2048|3072|4096]];",
     .doc = "A certificate from that acme_issuer for these names and addresses, or for those of "
            "server_name. `ssl_certificate $acme_certificate` and `ssl_certificate_key "
            "$acme_certificate_key` use it. Until the first one has come a temporary self-signed "
            "one is shown.",
     .apply = apply_certificate,
     .note = "nginx has no temporary certificate, it refuses handshakes."},
    {.name = "acme_shared_zone",
     .contexts = only(Context::Http),
     .arity = {1, 1},
     .syntax = "acme_shared_zone zone=name:size;",
     .doc = "Accepted, does nothing: the loops share memory anyway."},
    {.name = "uri",
     .contexts = kIssuer,
     .arity = {1, 1},
     .syntax = "uri url;",
     .doc = "The authority's directory. Must be given.",
     .apply = apply_uri},
    {.name = "contact",
     .contexts = kIssuer,
     .arity = {1, 1},
     .syntax = "contact url;",
     .doc = "Whom the authority may write to; an address without scheme is one of mail. May be "
            "repeated.",
     .apply = apply_contact},
    {.name = "account_key",
     .contexts = kIssuer,
     .arity = {1, 1},
     .syntax = "account_key ecdsa[:256|384|521] | rsa[:2048|3072|4096] | file;",
     .fallback = "ecdsa:256",
     .doc = "The kind of the account's key, which is made when there is none yet, or a file that "
            "holds it.",
     .apply = apply_account_key},
    {.name = "state_path",
     .contexts = kIssuer,
     .arity = {1, 1},
     .syntax = "state_path path;",
     .fallback = "acme_NAME below state_dir, else below the prefix",
     .doc = "The folder for account, keys and certificates. Several gatescopes may share one: one "
            "of them orders.",
     .apply = apply_state_path,
     .note = "`off` is refused."},
    {.name = "accept_terms_of_service",
     .contexts = kIssuer,
     .arity = {0, 0},
     .syntax = "accept_terms_of_service;",
     .doc = "You have read the authority's terms of service and agree. Authorities that have terms "
            "make no account without.",
     .apply = [](Loader& l, Scope& s, const Directive& d) -> Result<void> {
       return l.set_once(own(s).accepts_terms, true, d);
     }},
    {.name = "challenge",
     .contexts = kIssuer,
     .arity = {1, 1},
     .syntax = "challenge http-01 | tls-alpn-01;",
     .fallback = "http-01",
     .doc = "How it is proved that a name is ours: by an answer on port 80 (any listener gives it, "
            "before everything else), or by a certificate shown on port 443.",
     .apply = apply_challenge},
    {.name = "profile",
     .contexts = kIssuer,
     .arity = {1, 2},
     .syntax = "profile name [require];",
     .doc = "The kind of certificate, where the authority has several. With require nothing is "
            "ordered when it does not have this one.",
     .apply = apply_profile},
    {.name = "external_account_key",
     .contexts = kIssuer,
     .arity = {2, 2},
     .syntax = "external_account_key kid file;",
     .doc = "What the authority handed out to bind the account to one it has already (RFC 8555 "
            "7.3.4): an identifier, and the key in base64url, in a file or behind data:.",
     .apply = apply_binding},
    {.name = "ssl_trusted_certificate",
     .contexts = kIssuer,
     .arity = {1, 1},
     .syntax = "ssl_trusted_certificate file;",
     .fallback = "the system's",
     .doc = "Authorities that the issuer's own server is judged by; the worker must be allowed to "
            "read the file.",
     .apply = [](Loader& l, Scope& s, const Directive& d) -> Result<void> {
       return l.set_once(own(s).trusted_certificate, l.conf_path(d.arg(0)), d);
     }},
    {.name = "ssl_verify",
     .contexts = kIssuer,
     .arity = {1, 1},
     .syntax = "ssl_verify on | off;",
     .fallback = "on",
     .doc = "Whether the issuer's own server is judged. Off only for tests.",
     .apply = conf::set_flag<&AcmeIssuerSettings::verify>},
    {.name = "resolver",
     .contexts = kIssuer,
     .arity = {1, conf::Arity::kAny},
     .syntax = "resolver address ...;",
     .doc = "Accepted, does nothing: the issuer's name is looked up as the system does."},
    {.name = "resolver_timeout",
     .contexts = kIssuer,
     .arity = {1, 1},
     .syntax = "resolver_timeout time;",
     .doc = "Accepted, does nothing."},
};

}  // namespace

void add_acme_directives(conf::Schema& schema) {
  schema.add(kAcmeDirectives);
  schema.add_settings<AcmeHttpSettings>();
  schema.add_settings<AcmeIssuerSettings>();
  schema.add_settings<AcmeServerSettings>();
}

std::string default_state_path(const StatePlace& place, std::string_view issuer) {
  const auto& dir = place.state_dir;
  if (dir.empty()) return fmt::format("{}acme_{}", place.prefix, issuer);
  return fmt::format("{}{}acme_{}", dir, dir.ends_with('/') ? "" : "/", issuer);
}

}  // namespace gatescope::acme
