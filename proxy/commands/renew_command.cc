#include "proxy/commands/renew_command.h"

#include <fmt/format.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "certs/acme/acme_directives.h"
#include "certs/acme/challenge_store.h"
#include "certs/acme/issuer.h"
#include "proxy/base/text.h"
#include "proxy/commands/command_server.h"
#include "proxy/commands/stderr_log.h"
#include "proxy/process.h"

namespace gatescope::commands {

namespace {

using Plans = std::vector<acme::IssuerPlan>;

constexpr std::string_view kProduction = "https://acme-v02.api.letsencrypt.org/directory";
constexpr std::string_view kStaging = "https://acme-staging-v02.api.letsencrypt.org/directory";
/// The protocol's own deadlines are shorter: half an hour for a validation.
constexpr Duration kRenewPatience = std::chrono::minutes(45);

Error invalid(std::string detail) {
  return make_error(ErrorKind::Invalid, Origin::Internal, std::move(detail));
}

/// Files that only root may read, read before root is given up.
class ReadBefore final : public tls::SecretReader {
 public:
  void read_now(const tls::NamedFile& file) {
    if (!file.empty() && !file.path.starts_with("data:"))
      texts_.try_emplace(file.path, files_.read_secret(file.path));
  }
  Result<std::string> read_secret(const std::string& path) override {
    const auto found = texts_.find(path);
    return found != texts_.end() ? found->second : files_.read_secret(path);
  }

 private:
  tls::OwnSecrets files_;
  std::map<std::string, Result<std::string>> texts_;
};

/// A folder that is gone with this object: the state of a dry run.
class ScratchFolder {
 public:
  static Result<std::unique_ptr<ScratchFolder>> make() {
    std::string path = (std::filesystem::temp_directory_path() / "gatescope-dry-XXXXXX").string();
    if (::mkdtemp(path.data()) == nullptr) return system_error(errno, "mkdtemp() \"" + path + "\"");
    return std::make_unique<ScratchFolder>(std::move(path));
  }
  explicit ScratchFolder(std::string path) : path_(std::move(path)) {}
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  const std::string path_;
};

Plans plans_of(const conf::Scope& main) {
  Plans plans;
  for (const auto& http : main.children())
    if (http->context() == conf::Context::Http)
      for (const auto& plan : http->get<acme::AcmeHttpSettings>().plans)
        plans.push_back(plan);
  return plans;
}

/// Those that have one of the names; all of them without names.
Result<Plans> choose(Plans plans, const std::vector<std::string>& names) {
  std::vector<std::string> known;
  for (const auto& plan : plans)
    for (const auto& certificate : plan.certificates)
      known.insert(known.end(), certificate.identifiers.begin(), certificate.identifiers.end());
  if (known.empty())
    return invalid(
        "the configuration has no acme_certificate: other certificates are renewed by whoever "
        "obtained them (certbot renew)");
  std::vector<std::string> wanted;
  for (const auto& name : names) {
    wanted.push_back(lower(name));
    if (std::ranges::find(known, wanted.back()) == known.end())
      return invalid(fmt::format("no acme_certificate is for \"{}\", there are: {}", name,
                                 fmt::join(known, ", ")));
  }
  const auto is_left_out = [&](const acme::CertificateSettings& certificate) {
    return !wanted.empty() && std::ranges::none_of(certificate.identifiers, [&](const auto& name) {
      return std::ranges::find(wanted, name) != wanted.end();
    });
  };
  for (auto& plan : plans)
    std::erase_if(plan.certificates, is_left_out);
  std::erase_if(plans, [](const auto& plan) { return plan.certificates.empty(); });
  return plans;
}

/// Where an authority can be tried; an error when nobody knows.
Result<std::string> directory_for_trying(const RenewAsked& asked, const std::string& uri) {
  if (!asked.directory.empty()) return asked.directory;
  if (uri == kProduction || uri == kStaging) return std::string(kStaging);
  return invalid(
      fmt::format("no directory for trying is known of {}: name it with --server URL", uri));
}

/// One after the other, each with what it has to do.
class RenewRun final : private acme::IssuerEvents,
                       private net::TimerEvents,
                       private net::SignalEvents {
 public:
  RenewRun(net::UvLoop& loop, const Clock& clock, tls::SecretReader& secrets, bool dry)
      : loop_(loop),
        secrets_(secrets),
        dry_(dry),
        tickets_(clock),
        caches_(clock),
        lane_(loop.make_lane({.name = "gs-acme", .threads = 1, .queue_limit = 256})),
        patience_(loop.make_timer(*this)) {
    // What was put up is taken down.
    loop.watch_signals({SIGINT, SIGTERM, SIGHUP}, *this);
  }

  /// False: not all of it could be obtained. `shared`: where the server looks for challenges.
  bool run(const acme::IssuerPlan& plan, const std::string& shared) {
    if (interrupted_) return false;
    waiting_ = plan.certificates.size();
    failed_ = false;
    challenges_.publish_in(acme::StateFolder(shared));
    const acme::Issuer::Parts parts{.loop = loop_,
                                    .lane = lane_,
                                    .secrets = secrets_,
                                    .proving = {challenges_, tickets_, caches_},
                                    .log = log_};
    auto issuer = std::make_unique<acme::Issuer>(
        parts, curl_.make(loop_, {.agent = "gatescope", .proxy = {}}), plan, std::random_device()(),
        static_cast<acme::IssuerEvents&>(*this));
    patience_->start(kRenewPatience);
    loop_.post([&issuer] { issuer->renew_now(); });
    while (waiting_ > 0)
      loop_.run_turn();
    patience_->stop();
    // What it has to write is written before it goes.
    while (lane_->waiting() > 0)
      loop_.run_turn();
    issuer.reset();  // no callback is on the stack, and it knows what ends with us
    return !failed_;
  }

 private:
  void on_certificate(const std::string&, const std::string&) override {}
  void on_tried(const acme::CertificateSettings& certificate,
                const acme::Failure* failure) override {
    if (waiting_ > 0) --waiting_;
    if (failure != nullptr) {
      failed_ = true;  // the issuer has said why
      return;
    }
    fmt::print("{}: {}\n", certificate.shown(),
               dry_ ? "would be obtained; nothing was stored" : "renewed");
  }
  void on_timer(net::Timer&) override { give_up("no end within 45 minutes"); }
  void on_signal(int) override {
    interrupted_ = true;
    give_up("interrupted");
  }
  void give_up(std::string_view why) {
    fmt::print(stderr, "gatescope: {}\n", why);
    failed_ = true;
    waiting_ = 0;
  }

  // Constant after construction
  net::UvLoop& loop_;
  tls::SecretReader& secrets_;
  const bool dry_;
  StderrLog log_{LogLevel::Notice};
  tls::TicketKeys tickets_;
  tls::SessionCaches caches_;
  net::CurlClients curl_;
  const std::shared_ptr<net::WorkerLane> lane_;
  const std::unique_ptr<net::Timer> patience_;

  acme::ChallengeStore challenges_;
  std::size_t waiting_ = 0;  // certificates of the issuer that works
  bool failed_ = false;
  bool interrupted_ = false;
};

/// The folder of a certificate that is not obtained yet is the server's to make, or ours.
Result<void> make_state_folder(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return {};
  if (!std::filesystem::create_directory(path, error))
    return system_error(error.value(), "mkdir() \"" + path + "\"");
  std::filesystem::permissions(path, std::filesystem::perms::owner_all, error);
  return {};
}

Result<bool> renew(const RenewAsked& asked, const LaunchOptions& options) {
  if (!asked.directory.empty() && !asked.dry_run)
    return invalid("--server is for a dry run: the configuration names the authority (uri)");
  conf::SystemFileReader files;
  const auto launch = server::LaunchPlan::read(options, files);
  if (!launch) return launch.error();
  StderrLog log(LogLevel::Notice);
  CommandServer command(options, log);
  const auto generation = command.server().read();
  if (!generation) return generation.error();
  auto plans = choose(plans_of(*(*generation)->configuration.main), asked.names);
  if (!plans) return plans.error();
  ReadBefore secrets;
  for (const auto& plan : *plans) {
    secrets.read_now(plan.settings.account_key);
    secrets.read_now(plan.settings.binding_key);
  }
  if (::geteuid() == 0)
    if (auto became = server::become_worker(*launch); !became) return became.error();
  RenewRun run(command.loop(), command.clock(), secrets, asked.dry_run);
  bool all = true;
  for (auto plan : *plans) {
    const std::string shared = plan.settings.state_path;
    if (auto made = make_state_folder(shared); !made) return made.error();
    if (!asked.dry_run) {
      all = run.run(plan, shared) && all;
      continue;
    }
    auto directory = directory_for_trying(asked, plan.settings.uri);
    if (!directory) return directory.error();
    const auto scratch = ScratchFolder::make();
    if (!scratch) return scratch.error();
    plan.settings.uri = *std::move(directory);
    plan.settings.state_path = (*scratch)->path();
    all = run.run(plan, shared) && all;
  }
  return all;
}

}  // namespace

int run_renew_command(const RenewAsked& asked, const LaunchOptions& options) {
  const auto done = renew(asked, options);
  if (!done) return failed(done.error());
  return *done ? 0 : 1;
}

}  // namespace gatescope::commands
