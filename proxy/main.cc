// The command line, and the order in which processes come to be: parent of a daemon, keeper (when
// started as root), worker.

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <exception>
#include <filesystem>

#include "api/sample/write_sample.h"
#include "certs/dev_certificate.h"
#include "conf/reference.h"
#include "proxy/base/time_words.h"
#include "proxy/certificates_command.h"
#include "proxy/command_line.h"
#include "proxy/command_server.h"
#include "proxy/database_command.h"
#include "proxy/import_command.h"
#include "proxy/keeper.h"
#include "proxy/pid_file.h"
#include "proxy/process.h"
#include "proxy/version.h"

namespace gatescope::server {

namespace {

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

int test_configuration(const CommandLine& line, const LaunchOptions& options) {
  BootLog log(options.error_log);
  CommandServer command(options, log);
  auto loaded = command.server().check();
  if (!loaded) {
    log.write(LogLevel::Emerg, loaded.error().detail);
    fmt::print(stderr, "gatescope: configuration file {} test failed\n", options.conf_path);
    return 1;
  }
  for (const auto& warning : (*loaded)->configuration.warnings)
    if (!line.quiet)
      log.write(LogLevel::Warn,
                fmt::format("{} in {}", warning.text, conf::to_string(warning.place)));
  if (!line.quiet) {
    fmt::print(stderr, "gatescope: the configuration file {} syntax is ok\n", options.conf_path);
    fmt::print(stderr, "gatescope: configuration file {} test is successful\n", options.conf_path);
  }
  if (line.action == CommandLine::Action::TestAndDump)
    for (const auto& file : (*loaded)->configuration.document->files)
      if (file.path != "command line")
        fmt::print("# configuration file {}:\n{}\n", file.path, file.text);
  return 0;
}

int send_signal(const CommandLine& line, const LaunchOptions& options) {
  conf::SystemFileReader files;
  auto plan = LaunchPlan::read(options, files);
  if (!plan) return emerg(options, plan.error().detail);
  auto pid = read_pid_file(plan->pid_path);
  if (!pid) return emerg(options, pid.error().detail);
  const int number = line.signal == "stop"     ? SIGTERM
                     : line.signal == "quit"   ? SIGQUIT
                     : line.signal == "reopen" ? SIGUSR1
                                               : SIGHUP;
  if (::kill(*pid, number) != 0)
    return emerg(options, system_error(errno, fmt::format("kill({}, {})", *pid, number)).detail);
  return 0;
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

int make_dev_certificate(const CommandLine& line) {
  auto made = tls::ensure_dev_certificate(line.folder, line.names, SystemClock());
  if (!made) return emerg({}, made.error().detail);
  const auto ca = made->ca.string();
  fmt::print(
      "{} {}\n"
      "good until {}; this command makes it anew when less than 30 days are left, and a server "
      "that runs notices\n"
      "certificate authority: {}\n"
      "  curl:      curl --cacert {} https://{}/\n"
      "  chromium:  certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n \"gatescope development\" -i {}\n"
      "             (package libnss3-tools; then start chromium anew)\n",
      made->made_now ? "made" : "still good:", made->certificate.string(), in_words(made->ends), ca,
      ca, line.names.front(), ca);
  return 0;
}

int make_sample(const CommandLine& line) {
  auto report = api::write_sample(line.folder, [](std::size_t done, std::size_t total) {
    if (::isatty(2))
      fmt::print(stderr, "\r{} of {} sequences{}", done, total, done == total ? "\n" : "");
  });
  if (!report) return emerg({}, report.error().detail);
  fmt::print("{}: the sample is there\n", line.folder);
  return 0;
}

int print_reference() {
  NullLog log;
  const LaunchOptions nothing;
  CommandServer command(nothing, log);
  conf::Schema schema;
  command.server().describe(schema);
  fmt::print("{}", conf::directive_reference(schema));
  return 0;
}

int run(int argc, char** argv) {
  auto line = parse_command_line(argc, argv);
  if (!line) return emerg({}, line.error().detail);
  const auto options = launch_options(*line, {argv, argv + argc});
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
      return test_configuration(*line, options);
    case Action::Signal:
      return send_signal(*line, options);
    case Action::CertDev:
      return make_dev_certificate(*line);
    case Action::OeisSample:
      return make_sample(*line);
    case Action::OeisImport:
      return run_import_command(*line, options);
    case Action::ConfReference:
      return print_reference();
    case Action::Database:
      return run_database_command(*line, options);
    case Action::Certificates:
      return run_certificates_command(*line, options);
    case Action::Serve:
      return serve(options);
  }
  return 1;
}

}  // namespace

}  // namespace gatescope::server

int main(int argc, char** argv) {
  try {
    return gatescope::server::run(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "gatescope: [emerg] {}\n", error.what());
    return 1;
  }
}
