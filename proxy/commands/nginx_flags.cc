#include "proxy/commands/nginx_flags.h"

#include <fmt/format.h>
#include <signal.h>

#include <cerrno>

#include "proxy/commands/command_server.h"
#include "proxy/pid_file.h"
#include "proxy/process.h"

namespace gatescope::commands {

namespace {

int emerg(const LaunchOptions& options, const std::string& detail) {
  server::BootLog(options.error_log).write(LogLevel::Emerg, detail);
  return 1;
}

}  // namespace

int test_configuration(const Invocation& invocation, bool dump) {
  const auto& options = invocation.launch;
  server::BootLog log(options.error_log);
  CommandServer command(options, log);
  auto loaded = command.server().check();
  if (!loaded) {
    log.write(LogLevel::Emerg, loaded.error().detail);
    fmt::print(stderr, "gatescope: configuration file {} test failed\n", options.conf_path);
    return 1;
  }
  if (!invocation.quiet)
    for (const auto& warning : command.server().lint(**loaded))
      log.write(LogLevel::Warn,
                fmt::format("{} in {}", warning.text, conf::to_string(warning.place)));
  if (!invocation.quiet) {
    fmt::print(stderr, "gatescope: the configuration file {} syntax is ok\n", options.conf_path);
    fmt::print(stderr, "gatescope: configuration file {} test is successful\n", options.conf_path);
  }
  if (dump)
    for (const auto& file : (*loaded)->configuration.document->files)
      if (file.path != "command line")
        fmt::print("# configuration file {}:\n{}\n", file.path, file.text);
  return 0;
}

int send_signal(const Invocation& invocation, const std::string& signal) {
  const auto& options = invocation.launch;
  // As with nginx: whoever has made a mistake is told here, and not in a log that he does not read.
  if (signal == "reload") {
    server::BootLog log(options.error_log);
    CommandServer command(options, log);
    if (auto loaded = command.server().check(); !loaded)
      return emerg(options, loaded.error().detail);
  }
  conf::SystemFileReader files;
  auto plan = server::LaunchPlan::read(options, files);
  if (!plan) return emerg(options, plan.error().detail);
  auto pid = server::read_pid_file(plan->pid_path);
  if (!pid) return emerg(options, pid.error().detail);
  const int number = signal == "stop"     ? SIGTERM
                     : signal == "quit"   ? SIGQUIT
                     : signal == "reopen" ? SIGUSR1
                                          : SIGHUP;
  if (::kill(*pid, number) != 0)
    return emerg(options, system_error(errno, fmt::format("kill({}, {})", *pid, number)).detail);
  return 0;
}

}  // namespace gatescope::commands
