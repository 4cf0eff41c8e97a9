#include "proxy/upgrade.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "proxy/base/text.h"
#include "proxy/inheritance.h"

extern char** environ;

namespace gatescope::server {

namespace {

constexpr std::string_view kOldSuffix = ".oldbin";  // nginx's
// How long who sent a WINCH may not know that the new program has ended.
constexpr std::chrono::seconds kNewsTravel{1};

/// As a shell finds it: a name without a slash along $PATH. Looked for anew each time, so that a
/// file that was put in its place is found.
Result<std::string> find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  const char* const path = std::getenv("PATH");
  for (const auto folder : split(path ? path : "", ':')) {
    auto candidate = fmt::format("{}/{}", folder.empty() ? "." : folder, name);
    struct stat facts {};
    if (::stat(candidate.c_str(), &facts) == 0 && S_ISREG(facts.st_mode) &&
        ::access(candidate.c_str(), X_OK) == 0)
      return candidate;
  }
  return make_error(ErrorKind::NotFound, Origin::Internal,
                    fmt::format("there is no program \"{}\" along PATH any more", name));
}

std::vector<char*> pointers(const std::vector<std::string>& words) {
  std::vector<char*> all;
  for (const auto& word : words)
    all.push_back(const_cast<char*>(word.c_str()));
  all.push_back(nullptr);
  return all;
}

/// Between fork() and exec: other threads may exist, so async-signal-safe calls only. An errno on
/// `report` says what failed.
[[noreturn]] void become(const char* program, char* const* argv, char* const* environment,
                         const std::vector<int>& kept, int report) {
  struct sigaction action {};
  action.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number)
    ::sigaction(number, &action, nullptr);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::syscall(SYS_close_range, 3u, UINT_MAX, CLOSE_RANGE_CLOEXEC);
  for (const int fd : kept)
    ::fcntl(fd, F_SETFD, 0);
  ::execve(program, argv, environment);
  const int error = errno;
  [[maybe_unused]] const auto written = ::write(report, &error, sizeof error);
  ::_exit(127);
}

std::string ending(int status) {
  return WIFSIGNALED(status) ? fmt::format("was ended by signal {}", WTERMSIG(status))
                             : fmt::format("ended with status {}", WEXITSTATUS(status));
}

}  // namespace

Result<void> Upgrade::begin(const std::string& pid_path, const net::HeldSockets& sockets,
                            std::string_view handover, MonoTime now) {
  const auto program = find_program(argv_.front());
  if (!program) return program.error();
  const auto old_path = pid_path + std::string(kOldSuffix);
  if (::rename(pid_path.c_str(), old_path.c_str()) != 0)
    return system_error(errno, fmt::format("rename() \"{}\" to \"{}\"", pid_path, old_path));
  if (auto started = start(*program, sockets, handover); !started) {
    if (::rename(old_path.c_str(), pid_path.c_str()) != 0)
      log_.write(LogLevel::Error,
                 system_error(errno, fmt::format("rename() \"{}\" back", old_path)).detail);
    return started;
  }
  state_ = State::Starting;
  pid_path_ = pid_path;
  began_ = now;
  log_.print(LogLevel::Notice, "changing binary: started \"{}\" as process {}", *program, pid_);
  return {};
}

Result<void> Upgrade::start(const std::string& program, const net::HeldSockets& sockets,
                            std::string_view handover) {
  int ends[2], report[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
    return system_error(errno, "socketpair()");
  UniqueFd ours(ends[0]), theirs(ends[1]), file;
  if (!handover.empty()) {
    auto written = write_handover(handover);
    if (!written) {
      log_.print(LogLevel::Warn, "{}: clients will shake hands in full", written.error().detail);
    } else {
      file = std::move(*written);
    }
  }
  if (::pipe2(report, O_CLOEXEC) != 0) return system_error(errno, "pipe2()");
  UniqueFd failure(report[0]), failing(report[1]);

  std::vector<int> kept{theirs.get()};
  if (file) kept.push_back(file.get());
  auto inherited =
      fmt::format("{}={};{}", kInheritedVariable, theirs.get(), file ? file.get() : -1);
  for (const auto& socket : sockets.all()) {
    kept.push_back(socket.fd);
    inherited += fmt::format(";{}:{}", socket.fd, socket.loop);
  }
  std::vector<std::string> environment{inherited};
  // The service manager's watch is for whoever serves, not for this process
  for (char** entry = environ; *entry != nullptr; ++entry)
    if (!std::string_view(*entry).starts_with("WATCHDOG_PID=")) environment.emplace_back(*entry);
  const auto argv = pointers(argv_), variables = pointers(environment);

  // No handler of ours may run in the child.
  sigset_t all, before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const int child = ::fork();
  if (child == 0) become(program.c_str(), argv.data(), variables.data(), kept, failing.get());
  const int fork_error = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (child < 0) return system_error(fork_error, "fork() for \"" + program + "\"");
  failing.reset();
  int error = 0;
  ssize_t got = 0;
  while ((got = ::read(failure.get(), &error, sizeof error)) < 0 && errno == EINTR) {
  }
  if (got > 0) {
    ::waitpid(child, nullptr, 0);
    return system_error(error, "execve() \"" + program + "\"");
  }
  pid_ = child;
  channel_ = std::move(ours);
  return {};
}

bool Upgrade::look() {
  if (!channel_) return false;
  char word = 0;
  const auto got = ::recv(channel_.get(), &word, 1, MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (got <= 0) channel_.reset();  // it ends, which its exit will tell
  if (got <= 0 || state_ != State::Starting) return false;
  state_ = State::Serving;
  log_.print(
      LogLevel::Notice,
      "the new program (process {0}) serves beside this one ({1}): WINCH and QUIT to {1} end "
      "this one, QUIT to {0} goes back",
      pid_, ::getpid());
  return true;
}

bool Upgrade::reap(MonoTime now) {
  int status = 0;
  if (state_ == State::None || ::waitpid(pid_, &status, WNOHANG) != pid_) return false;
  if (state_ == State::Starting) {
    log_.print(LogLevel::Error,
               "the new program (process {}) {} before it served; this one serves on", pid_,
               ending(status));
  } else {
    log_.print(LogLevel::Notice, "the new program (process {}) {}; this one serves on alone", pid_,
               ending(status));
  }
  const auto old_path = pid_path_ + std::string(kOldSuffix);
  if (::rename(old_path.c_str(), pid_path_.c_str()) != 0)
    log_.write(
        LogLevel::Error,
        system_error(errno, fmt::format("rename() \"{}\" to \"{}\"", old_path, pid_path_)).detail);
  state_ = State::None;
  pid_ = 0;
  channel_.reset();
  ended_ = now;
  return true;
}

bool Upgrade::just_ended(MonoTime now) const {
  return state_ == State::None && ended_ && now - *ended_ < kNewsTravel;
}

std::optional<MonoTime> Upgrade::deadline() const {
  if (state_ != State::Starting) return std::nullopt;
  return began_ + settings_.start_limit;
}

void Upgrade::expire(MonoTime now) {
  if (const auto due = deadline(); !due || now < *due) return;
  log_.print(LogLevel::Error, "the new program (process {}) does not serve after {} s, ending it",
             pid_, std::chrono::duration_cast<std::chrono::seconds>(now - began_).count());
  ::kill(pid_, SIGKILL);
  began_ = now;  // its end is told by SIGCHLD
}

std::string Upgrade::pid_file(const std::string& pid_path) const {
  return state_ == State::None ? pid_path : pid_path_ + std::string(kOldSuffix);
}

}  // namespace gatescope::server
