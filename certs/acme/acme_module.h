#pragma once

#include <memory>
#include <string>
#include <vector>

#include "certs/acme/acme_directives.h"
#include "certs/acme/issued_pairs.h"
#include "certs/acme/issuer.h"
#include "certs/certificate_watch.h"
#include "proxy/base/relay_log.h"
#include "proxy/http/routing_builder.h"

namespace gatescope::acme {

/// Everything of ACME that outlives a configuration: the issuers at work, what authorities may ask
/// of us, the certificates that were obtained. Owned by Server, on loop 0's thread but for what
/// says otherwise.
///   (made) -> apply() at the first and at each later configuration -> stop()
class AcmeModule final : public http::LocationPart, private IssuerEvents {
 public:
  struct World {
    net::Loop& loop;
    const Clock& clock;  // for any thread
    tls::SecretReader& secrets;
    tls::TicketKeys& tickets;
    tls::SessionCaches& caches;
    net::HttpsClients* https = nullptr;  // null: the real ones
  };
  /// All of `world` outlives the module.
  explicit AcmeModule(const World& world);
  ~AcmeModule() override;

  void add_directives(conf::Schema& schema) { add_acme_directives(schema); }
  /// Files, and what $acme_certificate stands for. From any thread.
  tls::SecretReader& secrets() { return pairs_; }
  const tls::NameProofs& proofs() const { return challenges_; }
  ChallengeStore& challenges() { return challenges_; }

  /// On a worker thread, when all is read and before TLS contexts are made: settles the plans, and
  /// sees to it that each certificate can be read: from the state folder, else a temporary one.
  Result<void> resolve(conf::Scope& main, const StatePlace& place,
                       std::vector<conf::Warning>& warnings);
  Result<void> contribute(const conf::Scope&, http::Location&, http::VariableTable&) override {
    return {};
  }
  /// Answers http-01.
  std::unique_ptr<http::RequestStep> first_step(const conf::Scope& server) override;

  /// When `main`'s configuration becomes the current one: issuers whose plan did not change go on.
  /// `watch` is told of new certificates, until stop().
  void apply(const conf::Scope& main, std::shared_ptr<Log> log, tls::CertificateWatch& watch);
  void stop();
  /// Nothing is renewed until the next apply(): another program does (a binary upgrade). What
  /// authorities ask is answered all the same; an order that was under way is gone on with there.
  void rest();

 private:
  Result<void> provide(const IssuerSettings& issuer, const CertificateSettings& certificate,
                       std::vector<conf::Warning>& warnings);
  void on_certificate(const std::string& secret_name, const std::string& bundle) override;
  std::unique_ptr<Issuer> make_issuer(const IssuerPlan& plan);

  // Constant after construction.
  const World world_;
  net::CurlClients curl_;

  RelayLog log_;
  IssuedPairs pairs_;
  ChallengeStore challenges_;
  std::shared_ptr<net::WorkerLane> lane_;  // null: there was no issuer yet
  std::vector<std::unique_ptr<Issuer>> issuers_;
  tls::CertificateWatch* watch_ = nullptr;  // null: not applied, or stopped
};

}  // namespace gatescope::acme
