#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <string>

#include "proxy/commands/commands.h"
#include "proxy/ops/file_steps.h"
#include "proxy/ops/install.h"

namespace gatescope::commands {

namespace {

class InstallDisplay final : public ops::InstallEvents {
 public:
  void on_step(ops::Step step, const std::string& text) override {
    fmt::print("{:<6} {}\n", ops::name_of(step), text);
    std::fflush(stdout);  // before what a started program says
  }
};

/// A typed yes, where data would be lost.
Result<void> confirm_purge(const ops::InstallRequest& request) {
  const std::string what = fmt::format(
      "--purge removes {0}/etc/gatescope, {0}/var/log/gatescope and {0}/var/lib/gatescope "
      "with the embedded database, certificates and every deployed build",
      request.root);
  if (::isatty(STDIN_FILENO) == 0)
    return make_error(ErrorKind::Invalid, Origin::Internal,
                      what + "; nothing done: say --yes, or call this on a terminal");
  fmt::print("{}.\nType yes to go on: ", what);
  std::fflush(stdout);
  std::string answer;
  std::getline(std::cin, answer);
  if (answer == "yes") return {};
  return make_error(ErrorKind::Cancelled, Origin::Internal, "nothing done");
}

/// What both take.
void add_place_options(CLI::App& command, ops::InstallRequest& request) {
  command.add_flag("--dry-run", request.dry_run, "only show what would be done");
  command.add_option("--root", request.root,
                     "a folder that holds another system, as / does this one");
  // For the package's own scripts: files are dpkg's.
  command.add_flag("--from-package", request.from_package)->group("");
  command.fallthrough();
}

void complete(ops::InstallRequest& request) {
  while (request.root.size() > 1 && request.root.ends_with('/'))
    request.root.pop_back();
  if (request.root == "/") request.root.clear();
  if (!request.root.empty() && !request.root.starts_with('/'))
    if (char* const here = ::getcwd(nullptr, 0)) {
      request.root = std::string(here) + "/" + request.root;
      std::free(here);
    }
  request.program = ops::link_text("/proc/self/exe").value_or("");
  request.systemd = ops::is_folder("/run/systemd/system");
  ::umask(022);
}

/// `sudo gatescope install`.
class InstallCommand final : public Command {
  CLI::App& declare(CLI::App& app) override {
    auto* install =
        app.add_subcommand("install", "make this machine ready to serve: user, folders, service");
    add_place_options(*install, request_);
    return *install;
  }
  int run(const Invocation&) override {
    complete(request_);
    InstallDisplay display;
    ops::SystemPrograms programs;
    const auto done = ops::install(request_, programs, display);
    return done ? 0 : failed(done.error());
  }

  ops::InstallRequest request_;
};

/// `sudo gatescope uninstall [--purge]`.
class UninstallCommand final : public Command {
  CLI::App& declare(CLI::App& app) override {
    auto* uninstall = app.add_subcommand("uninstall", "the reverse; data and configuration stay");
    add_place_options(*uninstall, request_);
    uninstall->add_flag("--purge", request_.purge,
                        "they go, too: database, certificates, builds, logs");
    uninstall->add_flag("--yes", yes_, "do not ask");
    return *uninstall;
  }
  int run(const Invocation&) override {
    complete(request_);
    if (request_.purge && !yes_ && !request_.dry_run)
      if (auto sure = confirm_purge(request_); !sure) return failed(sure.error());
    InstallDisplay display;
    ops::SystemPrograms programs;
    const auto done = ops::uninstall(request_, programs, display);
    return done ? 0 : failed(done.error());
  }

  ops::InstallRequest request_;
  bool yes_ = false;
};

}  // namespace

std::unique_ptr<Command> install_command() {
  return std::make_unique<InstallCommand>();
}

std::unique_ptr<Command> uninstall_command() {
  return std::make_unique<UninstallCommand>();
}

}  // namespace gatescope::commands
