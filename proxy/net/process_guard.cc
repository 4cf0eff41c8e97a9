#include "proxy/net/process_guard.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <initializer_list>

#include "proxy/net/users_lock.h"

namespace gatescope::net {

namespace {

constexpr unsigned kPatience = 5;  // seconds between two signals

// A signal handler has nothing else to look at; this process is a fork that does nothing but this.
volatile sig_atomic_t guarded = 0, signals_sent = 0;

/// As the program ended, so ends the guard.
void on_child(int) noexcept {
  const int saved = errno;
  int status = 0;
  if (::waitpid(guarded, &status, WNOHANG) != guarded) {
    errno = saved;
    return;
  }
  if (WIFEXITED(status)) ::_exit(WEXITSTATUS(status));
  ::signal(WTERMSIG(status), SIG_DFL);
  sigset_t one;
  sigemptyset(&one);
  sigaddset(&one, WTERMSIG(status));
  ::sigprocmask(SIG_UNBLOCK, &one, nullptr);
  ::raise(WTERMSIG(status));
  ::_exit(128 + WTERMSIG(status));
}

void pass_on(int number) noexcept {
  ::kill(guarded, number);
}

void insist(int) noexcept {
  constexpr int kSignals[] = {SIGINT, SIGQUIT, SIGKILL};
  if (signals_sent > 2) return;
  ::kill(guarded, kSignals[signals_sent]);
  signals_sent = signals_sent + 1;
  ::alarm(kPatience);
}

void handle(int number, void (*handler)(int) noexcept) {
  struct sigaction action {};
  action.sa_handler = handler;
  sigfillset(&action.sa_mask);
  ::sigaction(number, &action, nullptr);
}

}  // namespace

void guard(const GuardedProgram& program) {
  ::prctl(PR_SET_NAME, "gs-guard");
  if (!lock_as_guard(program.users)) ::_exit(125);  // another one is there
  sigset_t all, none;
  sigfillset(&all);
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &all, nullptr);
  // Not fork(): libuv's handler of it closes what has the numbers of its own descriptors, which
  // here are program.report
  const pid_t self = ::getpid(), child = ::_Fork();
  if (child == 0) {
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::prctl(PR_SET_PDEATHSIG, SIGINT);
    if (::getppid() != self) ::_exit(127);
    ::execve(program.path, program.argv, program.environment);
    const int error = errno;
    [[maybe_unused]] const auto written = ::write(program.report, &error, sizeof error);
    ::_exit(127);
  }
  if (child < 0) ::_exit(126);
  guarded = child;
  ::close(program.report);
  handle(SIGCHLD, on_child);
  handle(SIGALRM, insist);
  for (const int number : {SIGINT, SIGQUIT, SIGTERM})
    handle(number, pass_on);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  while (!wait_until_unused(program.users)) {
  }
  insist(0);
  for (;;)
    ::pause();
}

}  // namespace gatescope::net
