#include "certs/acme/certificate_list.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "certs/acme/acme_directives.h"
#include "certs/acme/certificate.h"
#include "certs/acme/json_text.h"
#include "certs/acme/renewal_schedule.h"
#include "certs/session_caches.h"
#include "certs/tls_directives.h"

namespace gatescope::acme {
namespace {

using nlohmann::json;

constexpr std::string_view kDataText = "data:";

class Lister {
 public:
  Lister(tls::SecretReader& secrets) : secrets_(secrets) {}

  void add_http(const conf::Scope& http) {
    plans_ = &http.get<AcmeHttpSettings>().plans;
    for (const auto& server : http.children())
      if (server->context() == conf::Context::Server) add_server(*server);
    // Those that no ssl_certificate shows are obtained, too.
    for (const auto& plan : *plans_)
      for (const auto& certificate : plan.certificates)
        add_issued(plan.settings, certificate);
  }
  std::vector<ListedCertificate> take() { return std::move(listed_); }

 private:
  void add_server(const conf::Scope& server) {
    const auto settings = tls::to_settings(server.get<tls::TlsDirectives>());
    if (!settings) return;  // certificates without keys: -t says so
    for (const auto& pair : settings->pairs)
      if (!add_issued(pair.certificate.path)) add_file(*settings, pair);
  }

  bool add_issued(const std::string& path) {
    for (const auto& plan : *plans_)
      for (const auto& certificate : plan.certificates)
        if (certificate.secret_name() == path) {
          add_issued(plan.settings, certificate);
          return true;
        }
    return false;
  }

  void add_issued(const IssuerSettings& issuer, const CertificateSettings& certificate) {
    if (!seen_.insert(certificate.secret_name()).second) return;
    const StateFolder folder(issuer.state_path);
    const auto name = certificate.file_name();
    ListedCertificate one{.names = certificate.identifiers,
                          .source = "acme_issuer " + issuer.name,
                          .file = folder.file(name + ".pem"),
                          .info = {},
                          .issuer_name = issuer.name,
                          .note = read_note(folder, name),
                          .renew_at = {},
                          .error = {}};
    const auto stored = folder.read(name + ".pem");
    if (!stored) {
      one.error = stored.error().detail;
    } else if (*stored) {
      take_bundle(**stored, one);
    }
    if (one.note && one.error.empty()) one.error = one.note->error;
    if (one.note && one.note->renew_at) one.renew_at = one.note->renew_at;
    listed_.push_back(std::move(one));
  }

  static void take_bundle(const std::string& bundle, ListedCertificate& one) {
    const auto facts = read_bundle(bundle, one.file);
    const auto infos = tls::read_certificate_infos(bundle, one.file);
    if (!facts || !infos) {
      one.error = facts ? infos.error().detail : facts.error().detail;
      return;
    }
    one.info = infos->front();
    one.names = one.info->names;
    one.renew_at = renewal_time(*facts, 0);
  }

  void add_file(const tls::TlsSettings& settings, const tls::TlsSettings::Pair& pair) {
    const auto& path = pair.certificate.path;
    if (!seen_.insert(path + "\n" + pair.key.path).second) return;
    const bool is_data = path.starts_with(kDataText);
    ListedCertificate one{.names = {},
                          .source = is_data ? "configuration" : "file",
                          .file = is_data ? std::string(kDataText) + "..." : path,
                          .info = {},
                          .issuer_name = {},
                          .note = {},
                          .renew_at = {},
                          .error = {}};
    const auto text =
        is_data ? Result<std::string>(path.substr(kDataText.size())) : secrets_.read_secret(path);
    const auto infos = text ? tls::read_certificate_infos(*text, one.file)
                            : Result<std::vector<tls::CertificateInfo>>(text.error());
    if (infos) {
      one.info = infos->front();
      one.names = one.info->names;
      one.error = problem_of(settings, pair);
    } else {
      one.error = infos.error().detail;
    }
    listed_.push_back(std::move(one));
  }

  /// As the server would find it: the key that does not fit, the text that is cut.
  std::string problem_of(const tls::TlsSettings& settings, const tls::TlsSettings::Pair& pair) {
    if (!pair.key.path.starts_with(kDataText))
      if (const auto key = secrets_.read_secret(pair.key.path);
          !key && key.error().kind == ErrorKind::Forbidden)
        return {};
    tls::TlsSettings alone;
    alone.pairs.push_back(pair);
    alone.password_file = settings.password_file;
    SystemClock clock;
    tls::TicketKeys tickets(clock);
    tls::SessionCaches caches(clock);
    const auto made = tls::TlsContext::make(alone, secrets_, tickets, caches);
    return made ? std::string() : made.error().detail;
  }

  tls::SecretReader& secrets_;
  const std::vector<IssuerPlan>* plans_ = nullptr;  // of the http block being read
  std::set<std::string> seen_;
  std::vector<ListedCertificate> listed_;
};

std::string rfc3339(WallTime time) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

json time_json(WallTime time) {
  return {
      {"unix", std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count()},
      {"text", rfc3339(time)}};
}

json info_json(const tls::CertificateInfo& info, WallTime now) {
  using Days = std::chrono::duration<std::int64_t, std::ratio<86400>>;
  return {{"names", info.names},
          {"issuer", info.issuer},
          {"key", info.key},
          {"not_before", time_json(info.not_before)},
          {"not_after", time_json(info.not_after)},
          {"days_left", std::chrono::floor<Days>(info.not_after - now).count()},
          {"sha256", info.fingerprint},
          {"self_signed", info.self_signed}};
}

json text_or_null(const std::string& text) {
  return text.empty() ? json() : json(text);
}

}  // namespace

std::vector<ListedCertificate> list_certificates(const conf::Scope& main,
                                                 tls::SecretReader& secrets) {
  Lister lister(secrets);
  for (const auto& http : main.children())
    if (http->context() == conf::Context::Http) lister.add_http(*http);
  return lister.take();
}

std::string to_json(const std::vector<ListedCertificate>& certificates, WallTime now) {
  json all = json::array();
  for (const auto& one : certificates) {
    json object{{"names", one.names},
                {"source", one.source},
                {"file", one.file},
                {"acme_issuer", text_or_null(one.issuer_name)},
                {"certificate", one.info ? info_json(*one.info, now) : json()},
                {"renew_at", one.renew_at ? time_json(*one.renew_at) : json()},
                {"error", text_or_null(one.error)}};
    if (one.note && one.note->failed_at) object["failed_at"] = time_json(*one.note->failed_at);
    if (one.note && one.note->next_try) object["next_try"] = time_json(*one.note->next_try);
    all.push_back(std::move(object));
  }
  return to_text(all, 2) + "\n";
}

std::string to_json(const tls::ProbeReport& report, WallTime now) {
  json chain = json::array();
  for (const auto& info : report.chain)
    chain.push_back(info_json(info, now));
  return to_text(json{{"protocol", report.protocol},
                      {"cipher", report.cipher},
                      {"group", text_or_null(report.group)},
                      {"alpn", text_or_null(report.alpn)},
                      {"chain", chain},
                      {"trusted", report.verification.empty()},
                      {"verification", text_or_null(report.verification)},
                      {"name_matches", report.name_matches},
                      {"status", report.status ? json(*report.status) : json()},
                      {"hsts", report.hsts ? json(*report.hsts) : json()}},
                 2) +
         "\n";
}

}  // namespace gatescope::acme
