#include "proxy/commands/run_program.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "proxy/base/unique_fd.h"

namespace gatescope::commands {

namespace {

constexpr std::size_t kMostSaid = 64 * 1024;

}  // namespace

Result<ProgramOutcome> run_program(const std::vector<std::string>& argv, Duration patience) {
  std::vector<char*> words;
  for (const auto& word : argv)
    words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  int output[2], report[2];
  if (::pipe2(output, O_CLOEXEC) != 0) return system_error(errno, "pipe2()");
  UniqueFd heard(output[0]), said(output[1]);
  if (::pipe2(report, O_CLOEXEC) != 0) return system_error(errno, "pipe2()");
  UniqueFd failure(report[0]), failing(report[1]);
  const int child = ::fork();
  if (child == 0) {
    const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    ::dup2(null, 0);
    ::dup2(said.get(), 1);
    ::dup2(said.get(), 2);
    ::execv(words[0], words.data());
    const int error = errno;
    (void)!::write(failing.get(), &error, sizeof error);
    ::_exit(127);
  }
  if (child < 0) return system_error(errno, "fork()");
  said.reset();
  failing.reset();
  int error = 0;
  if (::read(failure.get(), &error, sizeof error) > 0) {
    ::waitpid(child, nullptr, 0);
    return system_error(error, "execve() \"" + argv.front() + "\"");
  }
  ProgramOutcome outcome;
  const auto until = SystemClock().now() + patience;
  bool late = false;
  for (;;) {
    const auto left = std::chrono::ceil<Duration>(until - SystemClock().now()).count();
    pollfd one{heard.get(), POLLIN, 0};
    const int ready = ::poll(&one, 1, static_cast<int>(std::clamp<std::int64_t>(left, 0, 1 << 30)));
    if (ready < 0 && errno == EINTR) continue;
    late = ready <= 0;
    char part[4096];
    const auto got = late ? 0 : ::read(heard.get(), part, sizeof part);
    if (got <= 0) break;
    if (outcome.said.size() < kMostSaid) outcome.said.append(part, static_cast<std::size_t>(got));
  }
  if (late) ::kill(child, SIGKILL);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (late)
    return make_error(ErrorKind::Timeout, Origin::Internal,
                      fmt::format("\"{}\" has not ended within {} s", argv.front(),
                                  std::chrono::ceil<std::chrono::seconds>(patience).count()));
  outcome.status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  return outcome;
}

}  // namespace gatescope::commands
