#pragma once

// acme_issuer and acme_certificate: their tables, and what they come to.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "certs/acme/acme_settings.h"
#include "conf/schema.h"

namespace gatescope::acme {

/// Of the http level: the issuers by name, and, once resolve_certificates() ran, what each is to
/// obtain.
struct AcmeHttpSettings final : conf::Settings {
  std::map<std::string, IssuerSettings> issuers;
  std::vector<IssuerPlan> plans;
  void inherit(const Settings&) override {}
};

/// Of the block acme_issuer.
struct AcmeIssuerSettings final : conf::Settings {
  IssuerSettings values;
  conf::Inherited<std::string> uri, state_path, trusted_certificate;
  conf::Inherited<bool> verify{true}, accepts_terms{false};
  conf::Inherited<ChallengeKind> challenge{ChallengeKind::Http};
  conf::Inherited<std::string> profile, account_key, binding_kid;
  void inherit(const Settings&) override {}
};

/// Of a server: acme_certificate.
struct AcmeServerSettings final : conf::Settings {
  std::optional<CertificateSettings> certificate;
  void inherit(const Settings&) override {}
};

void add_acme_directives(conf::Schema& schema);

/// Where an issuer keeps its state when it does not say: below state_dir, else below the prefix.
struct StatePlace {
  std::string state_dir;  // absolute; empty: the configuration names none
  std::string prefix;     // with a final slash
};
std::string default_state_path(const StatePlace& place, std::string_view issuer);

/// After everything is read: settles the names of each certificate, makes the plans, and puts into
/// the servers' TLS settings what $acme_certificate stands for. Errors have their place.
Result<void> resolve_certificates(conf::Scope& main, const StatePlace& place,
                                  std::vector<conf::Warning>& warnings);

}  // namespace gatescope::acme
