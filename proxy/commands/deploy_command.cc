#include <fmt/format.h>
#include <grp.h>
#include <locale.h>
#include <pwd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <string>
#include <thread>

#include "proxy/base/text.h"
#include "proxy/commands/commands.h"
#include "proxy/commands/instance.h"
#include "proxy/commands/progress_bar.h"
#include "proxy/commands/site_roots.h"
#include "proxy/launch_plan.h"
#include "proxy/ops/deploy.h"

namespace gatescope::commands {

namespace {

struct DeployAsked {
  std::string source, site, build, base;
  std::size_t keep = 5;
  bool list = false, unchecked = false;
};

/// Which site, and who serves it.
struct DeployTarget {
  SiteRoot site;
  std::optional<ops::Reader> reader;
};

Result<DeployTarget> find_target(const std::string& asked, const LaunchOptions& options) {
  conf::SystemFileReader files;
  const auto plan = server::LaunchPlan::read(options, files);
  DeployTarget target;
  if (!plan && !asked.starts_with('/')) {
    Error error = plan.error();
    error.detail += "; \"--to /FOLDER\" deploys without a configuration";
    return error;
  }
  auto site = choose_site_root(
      plan ? site_roots(*plan->document(), options.prefix) : std::vector<SiteRoot>(), asked);
  if (!site) return site.error();
  target.site = std::move(*site);
  if (!plan) return target;
  // The one who started the server by hand serves as himself.
  auto reader = ops::reader_named(plan->user);
  if (reader && !plan->user_place.empty()) target.reader = std::move(*reader);
  return target;
}

/// Root in a folder of somebody else's could be led astray by him, and would leave files that he
/// cannot remove: it becomes that user first.
Result<void> become_owner_of(const std::string& root) {
  if (::geteuid() != 0) return {};
  const auto slash = root.rfind('/');
  const std::string folder = slash == 0 ? "/" : root.substr(0, slash);
  struct stat facts {};
  if (::stat(folder.c_str(), &facts) != 0)
    return make_error(ErrorKind::NotFound, Origin::Internal,
                      fmt::format("there is no folder {} for the site to be in: \"mkdir -p {}\"",
                                  folder, folder));
  if (facts.st_uid == 0) return {};
  const passwd* user = ::getpwuid(facts.st_uid);
  const std::string name = user ? user->pw_name : std::to_string(facts.st_uid);
  const gid_t group = user ? user->pw_gid : facts.st_gid;
  const bool groups = user ? ::initgroups(user->pw_name, group) == 0 : ::setgroups(0, nullptr) == 0;
  if (!groups || ::setgid(group) != 0 || ::setuid(facts.st_uid) != 0)
    return system_error(errno, "setuid()");
  fmt::print("as user {}, who owns {}\n", name, folder);
  return {};
}

class DeployDisplay final : public ops::DeployEvents {
 public:
  explicit DeployDisplay(const Clock& clock) : bar_(clock) {}
  void on_said(const std::string& line) override { bar_.line(line); }
  void on_compressed(std::uint64_t done, std::uint64_t total) override {
    bar_.show("compressing", done, total);
  }

 private:
  ProgressBar bar_;
};

int list_builds(const DeployTarget& target) {
  const auto& root = target.site.root;
  const auto store = ops::BuildStore::look(root);
  const auto builds = ops::BuildStore::is_there(root) ? store.list() : std::vector<ops::Build>();
  if (builds.empty()) {
    fmt::print("nothing was deployed to {} yet\n", root);
    return 0;
  }
  fmt::print("{}\n", root);
  for (const auto& build : builds)
    fmt::print("{} {:<26} {:>5} files  from {}\n", build.live ? "*" : " ", build.id,
               build.files.size(), build.from);
  if (store.live() != ops::BuildStore::Live::Build)
    fmt::print("  none of them is served: {} is something else now\n", root);
  return 0;
}

/// What it has in memory it looks at again now. A server that cannot be asked finds out within
/// open_file_cache_valid.
void tell_server(const Invocation& invocation) {
  constexpr Duration kPatience{5'000};
  if (const auto instance = Instance::find(invocation))
    static_cast<void>(instance->ask("cache clear files", kPatience));
}

std::string absolute_path(const std::string& path) {
  if (path.starts_with('/')) return path;
  std::string here(4096, '\0');
  return ::getcwd(here.data(), here.size()) ? std::string(here.c_str()) + "/" + path : path;
}

int run_deploy(const DeployAsked& asked, const Invocation& invocation) {
  if (!asked.list && asked.source.empty())
    return failed(
        make_error(ErrorKind::Invalid, Origin::Internal,
                   "what is to be deployed? \"gatescope deploy DIR\" or \"gatescope deploy "
                   "ARCHIVE\" (--list: which builds there are)"));
  const auto target = find_target(asked.site, invocation.launch);
  if (!target) return failed(target.error());
  if (asked.list) return list_builds(*target);
  const SystemClock clock;
  ops::DeployRequest request;
  request.root = target->site.root;
  request.source = absolute_path(asked.source);
  request.base = asked.base.empty() ? target->site.base : asked.base;
  if (!request.base.starts_with('/')) request.base.insert(0, "/");
  if (!request.base.ends_with('/')) request.base += '/';
  request.keep = asked.keep;
  request.check = !asked.unchecked;
  request.threads = std::max(1u, std::thread::hardware_concurrency());
  request.reader = target->reader;
  if (auto became = become_owner_of(request.root); !became) return failed(became.error());
  ::setlocale(LC_CTYPE, "C.UTF-8");    // names in archives may be in any script
  ::setpriority(PRIO_PROCESS, 0, 10);  // whoever is being served comes first
  ::umask(022);
  DeployDisplay display(clock);
  const auto done = ops::deploy(request, clock, display);
  if (!done) {
    Error error = done.error();
    error.detail += "\nNothing was changed.";
    return failed(error);
  }
  tell_server(invocation);
  return 0;
}

int run_rollback(const DeployAsked& asked, const Invocation& invocation) {
  const auto target = find_target(asked.site, invocation.launch);
  if (!target) return failed(target.error());
  if (auto became = become_owner_of(target->site.root); !became) return failed(became.error());
  const SystemClock clock;
  ::umask(022);
  DeployDisplay display(clock);
  const auto done = ops::roll_back(target->site.root, asked.build, clock, display);
  if (!done) return failed(done.error());
  tell_server(invocation);
  return 0;
}

void add_site_option(CLI::App& command, DeployAsked& asked) {
  command.add_option("--to", asked.site,
                     "a server's name or the site's folder, if there are several");
  command.fallthrough();
}

/// `gatescope deploy DIR|ARCHIVE`, `gatescope deploy --list`.
class DeployCommand final : public Command {
  CLI::App& declare(CLI::App& app) override {
    auto* deploy = app.add_subcommand("deploy", "serve a new build of the front end");
    deploy->add_option("build", asked_.source,
                       "the folder that the build wrote, or a .tar.gz, .tar.zst or .zip of it");
    deploy->add_flag("--list", asked_.list, "show the builds that are kept");
    deploy->add_option("--keep", asked_.keep, "how many builds are kept (5)")
        ->check(CLI::Range(std::size_t{1}, std::size_t{100}));
    deploy->add_option("--base", asked_.base, "the path that it was built for (/)");
    deploy->add_flag("--no-check", asked_.unchecked, "files that it names need not be there");
    add_site_option(*deploy, asked_);
    return *deploy;
  }
  int run(const Invocation& invocation) override { return run_deploy(asked_, invocation); }

  DeployAsked asked_;
};

/// `gatescope rollback [BUILD]`.
class RollbackCommand final : public Command {
  CLI::App& declare(CLI::App& app) override {
    auto* rollback = app.add_subcommand("rollback", "serve an earlier build again");
    rollback->add_option("build", asked_.build, "which; the one before, if none is named");
    add_site_option(*rollback, asked_);
    return *rollback;
  }
  int run(const Invocation& invocation) override { return run_rollback(asked_, invocation); }

  DeployAsked asked_;
};

}  // namespace

std::unique_ptr<Command> deploy_command() {
  return std::make_unique<DeployCommand>();
}

std::unique_ptr<Command> rollback_command() {
  return std::make_unique<RollbackCommand>();
}

}  // namespace gatescope::commands
