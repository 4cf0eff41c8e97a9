// The command line, and the order in which processes come to be: parent of a daemon, keeper (when
// started as root), worker.

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <exception>
#include <filesystem>

#include "certs/openssl_memory.h"
#include "proxy/commands/command_line.h"
#include "proxy/commands/nginx_flags.h"
#include "proxy/keeper.h"
#include "proxy/pid_file.h"
#include "proxy/process.h"
#include "proxy/version.h"

namespace gatescope::server {

namespace {

using commands::CommandLine;

constexpr const char* kDefaultPrefix = "/var/lib/gatescope/";
constexpr const char* kDefaultConf = "/etc/gatescope/gatescope.conf";

int emerg(const LaunchOptions& options, const std::string& detail) {
  BootLog(options.error_log).write(LogLevel::Emerg, detail);
  return 1;
}

std::string absolute(const std::string& path, const std::string& base) {
  return path.starts_with('/') ? path : base + path;
}

LaunchOptions launch_options(const CommandLine& line, std::vector<std::string> argv) {
  LaunchOptions options;
  std::error_code ignored;
  const auto here = std::filesystem::current_path(ignored).string() + "/";
  options.prefix = line.prefix.empty() ? kDefaultPrefix : absolute(line.prefix, here);
  if (!options.prefix.ends_with('/')) options.prefix += '/';
  options.conf_path = line.conf.empty() ? kDefaultConf : absolute(line.conf, options.prefix);
  if (!line.error_log.empty())
    options.error_log =
        line.error_log == "stderr" ? line.error_log : absolute(line.error_log, options.prefix);
  options.extra = line.extra;
  options.argv = std::move(argv);
  return options;
}

/// The parent of a daemon waits at the other end for the word that every socket listens, so that
/// its exit status is true.
class Background {
 public:
  /// In the parent: waits until the child is ready or has ended, and returns the exit status of the
  /// program.
  std::optional<int> enter() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return 1;
    const int child = ::fork();
    if (child < 0) return 1;
    if (child > 0) {
      ::close(ends[1]);
      char word = 0;
      if (::read(ends[0], &word, 1) == 1) return 0;
      int status = 0;
      ::waitpid(child, &status, 0);
      return WIFEXITED(status) && WEXITSTATUS(status) != 0 ? WEXITSTATUS(status) : 1;
    }
    ::close(ends[0]);
    ::setsid();
    pipe_.reset(ends[1]);
    return std::nullopt;
  }

  void tell_parent() {
    if (!pipe_) return;
    (void)!::write(pipe_.get(), "r", 1);
    pipe_.reset();
    UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
    if (null)
      for (int fd : {0, 1, 2})
        ::dup2(null.get(), fd);
  }

 private:
  UniqueFd pipe_;  // none: in the foreground
};

int serve(const LaunchOptions& options) {
  conf::SystemFileReader files;
  auto plan = LaunchPlan::read(options, files);
  if (!plan) return emerg(options, plan.error().detail);
  auto inherited = Inheritance::take();
  if (!inherited) return emerg(options, inherited.error().detail);
  make_pid_folder(plan->pid_path);
  Background background;
  // The program that this one replaces is in the background already, or waits for it as its child
  if (plan->daemon && !inherited->any())
    if (const auto status = background.enter()) return *status;
  const auto on_ready = [&background] { background.tell_parent(); };
  if (::geteuid() != 0 && !plan->user_place.empty())
    BootLog(options.error_log)
        .print(LogLevel::Warn,
               "the \"user\" directive makes sense only if started by root, ignored in {}",
               plan->user_place);
  if (::geteuid() != 0)
    return run_server(options, *plan, {}, WorkerStart::First, std::move(*inherited), on_ready);
  Keeper keeper(
      options, *plan,
      [&](UniqueFd channel, const LaunchPlan& current, WorkerStart start) {
        return run_server(options, current, std::move(channel), start, {}, [] {});
      },
      on_ready);
  return keeper.run(std::move(*inherited));
}

int run(int argc, char** argv) {
  auto line = commands::parse_command_line(argc, argv);
  if (!line) {
    fmt::print(stderr, "gatescope: {}\n", line.error().detail);
    return 1;
  }
  const commands::Invocation invocation{launch_options(*line, {argv, argv + argc}), line->quiet};
  using Action = CommandLine::Action;
  switch (line->action) {
    case Action::Help:
      fmt::print("{}", line->text);
      return 0;
    case Action::Version:
      fmt::print(stderr, "gatescope version: gatescope/{}\n", GATESCOPE_VERSION);
      return 0;
    case Action::VersionAndBuild:
      fmt::print(stderr,
                 "gatescope version: gatescope/{} ({})\nbuilt by gcc {}\nbuilt with {}\nTLS SNI "
                 "support enabled\n",
                 GATESCOPE_VERSION, GATESCOPE_COMMIT, __VERSION__, GATESCOPE_BUILT_WITH);
      return 0;
    case Action::Test:
    case Action::TestAndDump:
      return commands::test_configuration(invocation, line->action == Action::TestAndDump);
    case Action::Signal:
      return commands::send_signal(invocation, line->signal);
    case Action::Command:
      return line->command->run(invocation);
    case Action::Serve:
      return serve(invocation.launch);
  }
  return 1;
}

}  // namespace

}  // namespace gatescope::server

int main(int argc, char** argv) {
  gatescope::tls::keep_openssl_memory();
  try {
    return gatescope::server::run(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "gatescope: [emerg] {}\n", error.what());
    return 1;
  }
}
