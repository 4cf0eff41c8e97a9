#include "certs/acme/acme_module.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "proxy/http/exchange.h"

namespace gatescope::acme {
namespace {

/// RFC 8555 8.3. A path that nobody waits for goes its usual way.
class ChallengeStep final : public http::RequestStep {
 public:
  explicit ChallengeStep(const ChallengeStore& challenges) : challenges_(challenges) {}

  http::StepResult run(http::Exchange& exchange) const override {
    constexpr std::string_view kPrefix = "/.well-known/acme-challenge/";
    const auto& request = exchange.request();
    if (!request.path.starts_with(kPrefix) || !request.is_get_or_head())
      return http::StepResult::Next;
    const auto text = challenges_.authorization(request.path.substr(kPrefix.size()));
    if (!text) return http::StepResult::Next;
    http::ResponseHead head;
    head.content_type = "application/octet-stream";
    head.content_length = text->size();
    exchange.answer(std::move(head), SharedBytes::copy_of(*text));
    return http::StepResult::Answered;
  }

 private:
  const ChallengeStore& challenges_;
};

const AcmeHttpSettings* settings_of(const conf::Scope& main) {
  for (const auto& http : main.children())
    if (http->context() == conf::Context::Http) return http->find<AcmeHttpSettings>();
  return nullptr;
}

}  // namespace

AcmeModule::AcmeModule(const World& world) : world_(world), pairs_(world.secrets) {}

AcmeModule::~AcmeModule() = default;

std::unique_ptr<http::RequestStep> AcmeModule::first_step(const conf::Scope& server) {
  const auto* settings = server.parent()->find<AcmeHttpSettings>();
  if (settings == nullptr || settings->plans.empty()) return nullptr;
  return std::make_unique<ChallengeStep>(challenges_);
}

Result<void> AcmeModule::resolve(conf::Scope& main, const StatePlace& place,
                                 std::vector<conf::Warning>& warnings) {
  if (auto resolved = resolve_certificates(main, place, warnings); !resolved) return resolved;
  const auto* settings = settings_of(main);
  if (settings == nullptr) return {};
  for (const auto& plan : settings->plans)
    for (const auto& certificate : plan.certificates)
      if (auto provided = provide(plan.settings, certificate, warnings); !provided) return provided;
  return {};
}

Result<void> AcmeModule::provide(const IssuerSettings& issuer,
                                 const CertificateSettings& certificate,
                                 std::vector<conf::Warning>& warnings) {
  const auto name = certificate.secret_name();
  const StateFolder folder(issuer.state_path);
  const auto file = certificate.file_name() + ".pem";
  pairs_.set_file(name, folder.file(file));
  const auto stored = folder.read(file);
  std::string why;
  if (stored && *stored) {
    const auto facts = read_bundle(**stored, folder.file(file));
    if (facts) {
      pairs_.set(name, **stored);
      return {};
    }
    why = "; " + facts.error().detail;
  } else if (!stored) {
    why = "; " + stored.error().detail;
  }
  warnings.push_back({certificate.place,
                      fmt::format("there is no certificate for {} from acme_issuer \"{}\" yet, a "
                                  "TEMPORARY SELF-SIGNED one is shown until it comes{}",
                                  certificate.shown(), issuer.name, why)});
  if (pairs_.has(name)) return {};
  auto temporary = make_temporary_bundle(certificate.identifiers, world_.clock.wall());
  if (!temporary) return temporary.error();
  pairs_.set(name, *std::move(temporary));
  return {};
}

void AcmeModule::apply(const conf::Scope& main, std::shared_ptr<Log> log,
                       tls::CertificateWatch& watch) {
  log_.relay_to(std::move(log));
  watch_ = &watch;
  const auto* settings = settings_of(main);
  std::vector<std::unique_ptr<Issuer>> before = std::exchange(issuers_, {});
  std::vector<Issuer*> fresh;
  for (const auto& plan : settings ? settings->plans : std::vector<IssuerPlan>()) {
    const auto same = std::ranges::find_if(
        before, [&](const auto& old) { return old && old->plan().key() == plan.key(); });
    if (same != before.end()) {
      issuers_.push_back(std::move(*same));
      continue;
    }
    issuers_.push_back(make_issuer(plan));
    fresh.push_back(issuers_.back().get());
  }
  std::vector<StateFolder> folders;
  for (const auto& issuer : issuers_)
    folders.emplace_back(issuer->plan().settings.state_path);
  challenges_.look_in(std::move(folders), world_.tickets, world_.caches);
  before.clear();  // those that changed let go of their folders before others take them
  for (auto* issuer : fresh)
    issuer->start();
}

std::unique_ptr<Issuer> AcmeModule::make_issuer(const IssuerPlan& plan) {
  if (!lane_) lane_ = world_.loop.make_lane({.name = "gs-acme", .threads = 1, .queue_limit = 256});
  auto& clients = world_.https ? *world_.https : static_cast<net::HttpsClients&>(curl_);
  const Issuer::Parts parts{.loop = world_.loop,
                            .lane = lane_,
                            .secrets = world_.secrets,
                            .proving = {challenges_, world_.tickets, world_.caches},
                            .log = log_};
  // Chance is only for spreading load: when it began is as good as any.
  const auto seed =
      static_cast<std::uint64_t>(world_.loop.clock().now().time_since_epoch().count()) ^
      std::hash<std::string>()(plan.settings.name);
  return std::make_unique<Issuer>(parts, clients.make(world_.loop, {.agent = "gatescope"}), plan,
                                  seed, static_cast<IssuerEvents&>(*this));
}

void AcmeModule::on_certificate(const std::string& secret_name, const std::string& bundle) {
  pairs_.set(secret_name, bundle);
  if (watch_ != nullptr) watch_->look_now();
}

void AcmeModule::rest() {
  issuers_.clear();
}

void AcmeModule::stop() {
  watch_ = nullptr;
  issuers_.clear();
  lane_.reset();
}

}  // namespace gatescope::acme
