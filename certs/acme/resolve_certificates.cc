#include <fmt/format.h>

#include <algorithm>

#include "certs/acme/acme_directives.h"
#include "certs/acme/certificate.h"
#include "certs/tls_directives.h"
#include "proxy/base/text.h"
#include "proxy/http/core_directives.h"

namespace gatescope::acme {
namespace {

constexpr std::string_view kVariables[] = {"$acme_certificate", "$acme_certificate_key",
                                           "${acme_certificate}", "${acme_certificate_key}"};

bool is_variable(const tls::NamedFile& file) {
  return std::ranges::find(kVariables, file.path) != std::end(kVariables);
}

/// Those of server_name that stand for one host each.
void take_server_names(CertificateSettings& certificate, const http::ServerSettings& server,
                       std::vector<conf::Warning>& warnings) {
  for (const auto& name : server.names) {
    const std::string text = lower(name.text);
    const bool one_host = !text.empty() && text.front() != '.' && text.front() != '~' &&
                          text.find_first_of("*$_") == std::string::npos;
    if (one_host) {
      certificate.identifiers.push_back(text);
    } else if (!text.empty() && text != "_") {
      warnings.push_back(
          {name.place, fmt::format("server name \"{}\" is not in the certificate: it "
                                   "is more than one host",
                                   name.text)});
    }
  }
}

/// A server without TLS may inherit them from the http level; they mean nothing to it.
void drop_variables(tls::TlsDirectives& directives) {
  for (auto* files : {&directives.certificates, &directives.keys})
    if (std::ranges::any_of(files->get(), is_variable)) std::erase_if(files->edit(), is_variable);
}

/// In both lists, which level they came from aside.
Result<void> replace_variables(tls::TlsDirectives& directives, const std::string* name) {
  for (auto* files : {&directives.certificates, &directives.keys}) {
    if (std::ranges::none_of(files->get(), is_variable)) continue;
    for (auto& file : files->edit()) {
      if (!is_variable(file)) continue;
      if (name == nullptr)
        return conf::Loader::fail_at(
            file.place, fmt::format("\"{}\" has no value in a server without acme_certificate, add "
                                    "one: acme_certificate ISSUER;",
                                    file.path));
      file.path = *name;
    }
  }
  return {};
}

class Resolver {
 public:
  Resolver(AcmeHttpSettings& http, std::vector<conf::Warning>& warnings)
      : http_(http), warnings_(warnings) {}

  Result<void> add(conf::Scope& server) {
    auto& directives = server.own<tls::TlsDirectives>();
    auto& held = server.own<AcmeServerSettings>().certificate;
    if (!held) {
      const auto& listens = server.own<http::ServerSettings>().listens;
      if (std::ranges::any_of(listens, [](const auto& listen) { return listen.tls; }))
        return replace_variables(directives, nullptr);
      drop_variables(directives);
      return {};
    }
    CertificateSettings certificate = *held;
    if (certificate.identifiers.empty())
      take_server_names(certificate, server.own<http::ServerSettings>(), warnings_);
    if (certificate.identifiers.empty())
      return conf::Loader::fail_at(certificate.place,
                                   "\"acme_certificate\" directive: there is no name that a "
                                   "certificate could be for, add some to it or to server_name");
    const auto issuer = http_.issuers.find(certificate.issuer);
    if (issuer == http_.issuers.end())
      return conf::Loader::fail_at(certificate.place,
                                   fmt::format("unknown acme_issuer \"{}\" in \"acme_certificate\" "
                                               "directive",
                                               certificate.issuer));
    const auto name = certificate.secret_name();
    plan(issuer->second).push_back(std::move(certificate));
    return replace_variables(directives, &name);
  }

 private:
  std::vector<CertificateSettings>& plan(const IssuerSettings& settings) {
    for (auto& plan : http_.plans)
      if (plan.settings.name == settings.name) return plan.certificates;
    return http_.plans.emplace_back(IssuerPlan{settings, {}}).certificates;
  }

  AcmeHttpSettings& http_;
  std::vector<conf::Warning>& warnings_;
};

/// Two servers with the same names have one certificate.
void drop_doubles(std::vector<CertificateSettings>& certificates) {
  std::vector<CertificateSettings> once;
  for (auto& certificate : certificates)
    if (std::ranges::none_of(
            once, [&](const auto& o) { return o.file_name() == certificate.file_name(); }))
      once.push_back(std::move(certificate));
  certificates = std::move(once);
}

}  // namespace

Result<void> resolve_certificates(conf::Scope& main, const StatePlace& place,
                                  std::vector<conf::Warning>& warnings) {
  for (const auto& http : main.children()) {
    if (http->context() != conf::Context::Http) continue;
    auto& settings = http->own<AcmeHttpSettings>();
    for (auto& [name, issuer] : settings.issuers)
      if (issuer.state_path.empty()) issuer.state_path = default_state_path(place, name);
    Resolver resolver(settings, warnings);
    for (const auto& server : http->children())
      if (server->context() == conf::Context::Server)
        if (auto added = resolver.add(*server); !added) return added;
    for (auto& plan : settings.plans)
      drop_doubles(plan.certificates);
  }
  return {};
}

}  // namespace gatescope::acme
