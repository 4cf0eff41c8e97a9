#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <fstream>
#include <optional>

#include "proxy/base/text.h"
#include "proxy/commands/commands.h"
#include "proxy/commands/instance.h"
#include "proxy/commands/log_reader.h"
#include "proxy/commands/program_file.h"
#include "proxy/commands/run_program.h"
#include "proxy/commands/wait_for_exit.h"
#include "proxy/pid_file.h"

namespace gatescope::commands {

namespace {

constexpr Duration kLookInterval{50}, kLookAtHealth{500};
constexpr Duration kTestPatience{60'000}, kHealthPatience{5'000}, kRollbackPatience{20'000};

void pause_for(Duration time) {
  ::poll(nullptr, 0, static_cast<int>(time.count()));
}

void step(std::string_view text) {
  fmt::print("{}\n", text);
  std::fflush(stdout);
}

int process_in(const std::string& pid_file) {
  const auto pid = server::read_pid_file(pid_file);
  return pid ? *pid : 0;
}

bool lives(int pid) {
  return pid > 0 && ::kill(pid, 0) == 0;
}

int parent_of(std::uint64_t pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string text;
  std::getline(file, text);
  const auto name_end = text.rfind(')');  // "7 (name) S 1 ..."
  if (name_end == std::string::npos || name_end + 4 > text.size()) return 0;
  const auto rest = std::string_view(text).substr(name_end + 4);
  return static_cast<int>(parse_unsigned(rest.substr(0, rest.find(' '))).value_or(0));
}

/// One exchange of the program: check, USR2, wait, watch, then WINCH and QUIT to the old one, or
/// QUIT to the new one.
class Exchange {
 public:
  Exchange(const Invocation& invocation, const Instance& instance, std::string program)
      : invocation_(invocation),
        instance_(instance),
        pid_path_(instance.plan().pid_path),
        old_(instance.pid()),
        program_(std::move(program)),
        log_(instance.plan().error_log_of(invocation.launch)) {}

  int run(const std::string& binary, std::chrono::seconds wait, std::chrono::seconds watch);

 private:
  Result<void> check(const std::string& candidate);
  Result<int> start(Duration patience);
  Result<void> look_after(int fresh, Duration time);
  std::optional<bool> health(int fresh) const;
  int go_back(int fresh, const std::string& why);
  int finish_old(int fresh, Duration patience);
  void say_log();
  int started_process() const;

  const Invocation& invocation_;
  const Instance& instance_;
  const std::string pid_path_;
  const int old_;
  ProgramFile program_;
  LogReader log_;
  std::string logged_;  // since the start
  bool was_healthy_ = false;
};

/// `candidate` is run with the configuration that the running one has.
Result<void> Exchange::check(const std::string& candidate) {
  const auto version = run_program({candidate, "-v"}, kTestPatience);
  if (!version) return version.error();
  if (version->status != 0 || version->said.find("gatescope") == std::string::npos)
    return make_error(
        ErrorKind::Invalid, Origin::Internal,
        fmt::format("\"{}\" is no gatescope: asked for its version it {}", candidate,
                    version->said.empty() ? "said nothing" : "said: " + version->said));
  const auto& launch = invocation_.launch;
  std::vector<std::string> argv{candidate, "-t", "-q", "-c", launch.conf_path, "-p", launch.prefix};
  if (!launch.extra.empty()) argv.insert(argv.end(), {"-g", launch.extra});
  const auto tested = run_program(argv, kTestPatience);
  if (!tested) return tested.error();
  if (tested->status != 0)
    return make_error(ErrorKind::Invalid, Origin::Internal,
                      "the new program refuses the configuration:\n" + tested->said);
  const auto said = version->said.find('/');
  step(fmt::format("checked    \"{}\": version {}, takes the configuration", candidate,
                   trim(std::string_view(version->said)
                            .substr(said == std::string::npos ? 0 : said + 1)
                            .substr(0, version->said.find('\n') - said - 1))));
  return {};
}

/// USR2, until the new one serves: its number.
Result<int> Exchange::start(Duration patience) {
  (void)log_.last_lines(0);
  if (::kill(old_, SIGUSR2) != 0) return system_error(errno, fmt::format("kill({}, USR2)", old_));
  const auto until = SystemClock().now() + patience;
  const auto failed = [&](std::string_view why) {
    return make_error(ErrorKind::Unavailable, Origin::Internal, std::string(why));
  };
  for (;;) {
    const int now = process_in(pid_path_);
    if (now > 0 && now != old_ && process_in(pid_path_ + ".oldbin") == old_) return now;
    if (!lives(old_)) return failed("the running program has ended meanwhile");
    logged_ += log_.more();
    for (const char* words :
         {"cannot change the binary", "before it served", "signal USR2 is ignored"})
      if (logged_.find(words) != std::string::npos)
        return failed("the new program does not serve, the old one serves on");
    if (SystemClock().now() >= until)
      return failed(fmt::format("the new program does not serve after {} s",
                                std::chrono::ceil<std::chrono::seconds>(patience).count()));
    pause_for(kLookInterval);
  }
}

/// Whether that process, or its worker, says it is well; nullopt: it does not say.
std::optional<bool> Exchange::health(int fresh) const {
  const auto answer = instance_.ask("status", kHealthPatience);
  if (!answer) return std::nullopt;
  const auto at = answer->text.find("\"pid\":");
  if (at != std::string::npos && fresh > 0) {
    const auto digits = answer->text.substr(at + 6, answer->text.find_first_of(",}", at) - at - 6);
    // A worker of the old one may still answer for a moment
    const auto pid = parse_unsigned(digits).value_or(0);
    const bool is_its_worker = parent_of(pid) == fresh;
    if (pid != static_cast<std::uint64_t>(fresh) && !is_its_worker) return std::nullopt;
  }
  return answer->verdict == "healthy";
}

Result<void> Exchange::look_after(int fresh, Duration time) {
  const auto failed = [](std::string why) {
    return make_error(ErrorKind::Unavailable, Origin::Internal, std::move(why));
  };
  const auto began = SystemClock().now(), until = began + time;
  const bool answers = !instance_.plan().control_path.empty();
  std::optional<bool> well;
  for (;;) {
    if (!lives(fresh) || process_in(pid_path_) != fresh)
      return failed(fmt::format("the new program (process {}) has ended", fresh));
    well = health(fresh);
    const auto now = SystemClock().now();
    // For a moment the old one's worker may still have the socket
    if (now >= until && (well || !answers || now >= began + kHealthPatience)) break;
    pause_for(std::clamp<Duration>(std::chrono::ceil<Duration>(until - now), kLookInterval,
                                   kLookAtHealth));
  }
  if (answers && !well) return failed("the new program does not answer at its control socket");
  if (well && !*well && was_healthy_)
    return failed(
        "the new program says that it is not well, which the old one was; see "
        "\"gatescope status\"");
  return {};
}

int Exchange::go_back(int fresh, const std::string& why) {
  fmt::print(stderr, "gatescope: {}\n", why);
  say_log();
  if (fresh > 0 && lives(fresh)) {
    for (const int signal : {SIGQUIT, SIGTERM, SIGKILL}) {
      ::kill(fresh, signal);
      if (wait_for_exit(fresh, kRollbackPatience)) break;
    }
  }
  if (auto back = program_.put_back(); !back)
    fmt::print(stderr, "gatescope: {}\n", back.error().detail);
  const auto until = SystemClock().now() + kRollbackPatience;
  while (process_in(pid_path_) != old_ && SystemClock().now() < until)
    pause_for(kLookInterval);
  if (process_in(pid_path_) == old_ && lives(old_)) {
    step(fmt::format("went back  process {} serves on as before", old_));
  } else {
    fmt::print(stderr, "gatescope: the pid file \"{}\" does not name process {} again\n", pid_path_,
               old_);
  }
  return 1;
}

/// What the error log says since the start, where it says what went wrong.
void Exchange::say_log() {
  logged_ += log_.more();
  for (const auto line : split(logged_, '\n'))
    for (const char* level : {"[emerg]", "[alert]", "[crit]", "[error]"})
      if (line.find(level) != std::string_view::npos) fmt::print(stderr, "  {}\n", line);
}

/// Of a program that was started and has not said that it serves; 0: none.
int Exchange::started_process() const {
  constexpr std::string_view kBefore = "\" as process ";
  const auto at = logged_.rfind(kBefore);
  if (at == std::string::npos) return 0;
  const auto rest = std::string_view(logged_).substr(at + kBefore.size());
  const auto pid = static_cast<int>(parse_unsigned(rest.substr(0, rest.find('\n'))).value_or(0));
  return parent_of(static_cast<std::uint64_t>(pid)) == old_ ? pid : 0;
}

int Exchange::finish_old(int fresh, Duration patience) {
  ::kill(old_, SIGWINCH);
  ::kill(old_, SIGQUIT);
  if (wait_for_exit(old_, patience)) {
    step(fmt::format("finished   process {} has ended, process {} serves", old_, fresh));
  } else {
    step(
        fmt::format("finished   process {} serves; process {} still answers what it has begun "
                    "(downloads, WebSockets), and ends by itself",
                    fresh, old_));
  }
  return 0;
}

int Exchange::run(const std::string& binary, std::chrono::seconds wait,
                  std::chrono::seconds watch) {
  if (const int other = process_in(pid_path_ + ".oldbin"); lives(other)) {
    fmt::print(stderr,
               "gatescope: an upgrade is under way already: process {} is to replace process {}; "
               "QUIT to one of them ends it\n",
               old_, other);
    return 1;
  }
  const auto candidate = binary.empty() ? program_.path() : binary;
  if (auto checked = check(candidate); !checked) {
    fmt::print(stderr, "gatescope: {}\n", trim(checked.error().detail));
    return 1;
  }
  was_healthy_ = health(0).value_or(false);
  if (!binary.empty()) {
    if (auto replaced = program_.replace_by(binary); !replaced) {
      fmt::print(stderr, "gatescope: {}\n", replaced.error().detail);
      return 1;
    }
    step(fmt::format("installed  \"{0}\"; the one before is \"{0}.before\"", program_.path()));
  }
  const auto fresh = start(wait);
  if (!fresh) return go_back(started_process(), fresh.error().detail);
  step(fmt::format("started    process {} serves beside process {}", *fresh, old_));
  if (auto well = look_after(*fresh, watch); !well) return go_back(*fresh, well.error().detail);
  step(fmt::format("watched    for {} s: it is well", watch.count()));
  return finish_old(*fresh, wait);
}

/// `gatescope upgrade [BINARY]`. Exit status: 0 the new one serves, 1 the old one serves on, 2 none
/// runs.
class UpgradeCommand final : public Command {
  CLI::App& declare(CLI::App& app) override {
    auto* upgrade = app.add_subcommand(
        "upgrade", "exchange the program while it serves, and watch the new one");
    upgrade->add_option("binary", binary_,
                        "the new program, which takes the place of the one that runs; without: "
                        "what lies there already");
    upgrade->add_option("--watch", watch_, "seconds to watch before the old one goes (5)")
        ->check(CLI::Range(0u, 3600u));
    upgrade->add_option("--wait", wait_, "seconds that the new one may take to start (60)")
        ->check(CLI::Range(1u, 3600u));
    upgrade->fallthrough();
    return *upgrade;
  }

  int run(const Invocation& invocation) override {
    const auto instance = Instance::find(invocation);
    if (!instance) return not_asked(instance.error());
    const auto program = program_path_of(instance->pid());
    if (!program) return not_asked(program.error());
    std::error_code failed_to_say;
    if (!binary_.empty()) binary_ = std::filesystem::absolute(binary_, failed_to_say).string();
    return Exchange(invocation, *instance, *program)
        .run(binary_, std::chrono::seconds(wait_), std::chrono::seconds(watch_));
  }

  std::string binary_;
  unsigned watch_ = 5, wait_ = 60;
};

}  // namespace

std::unique_ptr<Command> upgrade_command() {
  return std::make_unique<UpgradeCommand>();
}

}  // namespace gatescope::commands
