#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <string>
#include <utility>
#include <vector>

#include "proxy/base/unique_fd.h"
#include "proxy/net/guarded_process.h"
#include "proxy/net/process_guard.h"
#include "proxy/net/users_lock.h"
#include "proxy/net/uv_core.h"
#include "proxy/net/uv_stream.h"

namespace gatescope::net {

namespace {

/// Everything the child needs, made before fork(): other threads exist, so the child may not
/// allocate.
struct ChildPlan {
  std::vector<char*> argv, environment;  // null at the end
  const char* directory = nullptr;       // null: stay
  bool drop = false;                     // become uid, gid, groups
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;
  UniqueFd input, output;
  bool talks = false;  // `input` becomes Process::kAnswers too
  int death_signal = 0;
  pid_t parent = 0;
  UniqueFd report;  // where a failure before exec is written; CLOEXEC
  UniqueFd users;   // none: no guard
};

/// What the child could not do.
struct Failure {
  enum Step : int { Descriptors, Identity, Directory, Exec } step;
  int error;
};

const char* name_of(Failure::Step step) {
  switch (step) {
    case Failure::Descriptors:
      return "preparing the descriptors of";
    case Failure::Identity:
      return "changing the user of";
    case Failure::Directory:
      return "chdir() for";
    case Failure::Exec:
      break;
  }
  return "execve()";
}

std::vector<char*> pointers_to(const std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (const std::string& s : strings)
    result.push_back(const_cast<char*>(s.c_str()));
  result.push_back(nullptr);
  return result;
}

Result<void> look_up_user(const std::string& name, ChildPlan& plan) {
  std::vector<char> room(16 * 1024);
  passwd entry{};
  passwd* found = nullptr;
  const int status = ::getpwnam_r(name.c_str(), &entry, room.data(), room.size(), &found);
  if (found == nullptr) {
    if (status != 0) return system_error(status, "getpwnam(\"" + name + "\")");
    return make_error(ErrorKind::NotFound, Origin::Internal, "no such user: \"" + name + "\"");
  }
  if (entry.pw_uid == ::geteuid() && entry.pw_gid == ::getegid()) return {};
  plan.drop = true;
  plan.uid = entry.pw_uid;
  plan.gid = entry.pw_gid;
  int count = 64;
  plan.groups.resize(static_cast<std::size_t>(count));
  if (::getgrouplist(name.c_str(), plan.gid, plan.groups.data(), &count) < 0) {
    plan.groups.resize(static_cast<std::size_t>(count));
    ::getgrouplist(name.c_str(), plan.gid, plan.groups.data(), &count);
  }
  plan.groups.resize(static_cast<std::size_t>(count));
  return {};
}

/// Not where the child's kAnswers is to be.
UniqueFd out_of_the_way(UniqueFd fd) {
  if (fd.get() > Process::kAnswers) return fd;
  return UniqueFd(::fcntl(fd.get(), F_DUPFD_CLOEXEC, Process::kAnswers + 1));
}

/// Our end of the conversation, if the child talks.
Result<UniqueFd> open_files(const ProcessOptions& options, ChildPlan& plan) {
  UniqueFd ours;
  if (options.talks) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
      return system_error(errno, "socketpair()");
    ours = UniqueFd(ends[0]);
    plan.input = out_of_the_way(UniqueFd(ends[1]));
    plan.talks = true;
  } else {
    plan.input = UniqueFd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (!plan.input) return system_error(errno, "open() \"/dev/null\"");
  }
  const std::string path = options.output.empty() ? "/dev/null" : options.output;
  plan.output = UniqueFd(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640));
  if (!plan.output) return system_error(errno, "open() \"" + path + "\"");
  return ours;
}

// The child between fork() and exec: async-signal-safe calls only. The identity is changed by plain
// system calls: glibc's wrappers signal every thread of the process, and here is one.
[[noreturn]] void give_up(const ChildPlan& plan, Failure::Step step) {
  const Failure failure{step, errno};
  [[maybe_unused]] const auto n = ::write(plan.report.get(), &failure, sizeof(failure));
  ::_exit(127);
}

void reset_signals() {
  struct sigaction action {};
  action.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number)
    ::sigaction(number, &action, nullptr);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

bool drop_identity(const ChildPlan& plan) {
  return ::syscall(SYS_setgroups, plan.groups.size(), plan.groups.data()) == 0 &&
         ::syscall(SYS_setresgid, plan.gid, plan.gid, plan.gid) == 0 &&
         ::syscall(SYS_setresuid, plan.uid, plan.uid, plan.uid) == 0;
}

/// Nothing else of ours stays open: a listening socket that lived on here would take clients whom
/// nobody answers.
[[noreturn]] void become_guard(const ChildPlan& plan) {
  constexpr int kUsers = 3, kReport = 4;
  if (::dup2(plan.users.get(), kUsers) < 0 || ::dup2(plan.report.get(), kReport) < 0 ||
      ::syscall(SYS_close_range, 5u, UINT_MAX, 0) != 0)
    give_up(plan, Failure::Descriptors);
  ::fcntl(kUsers, F_SETFD, FD_CLOEXEC);
  ::fcntl(kReport, F_SETFD, FD_CLOEXEC);
  guard({plan.argv[0], plan.argv.data(), plan.environment.data(), kUsers, kReport});
}

[[noreturn]] void run_child(const ChildPlan& plan) {
  reset_signals();
  ::setsid();  // a terminal's Ctrl-C is for us; we end our children in order
  ::umask(077);
  const int last = plan.talks ? Process::kAnswers : 2;
  if (::dup2(plan.input.get(), 0) < 0 || ::dup2(plan.output.get(), 1) < 0 ||
      ::dup2(plan.output.get(), 2) < 0 || (plan.talks && ::dup2(plan.input.get(), last) < 0) ||
      ::syscall(SYS_close_range, static_cast<unsigned>(last + 1), UINT_MAX, CLOSE_RANGE_CLOEXEC) !=
          0) {
    give_up(plan, Failure::Descriptors);
  }
  if (plan.drop && !drop_identity(plan)) give_up(plan, Failure::Identity);
  if (plan.death_signal != 0) {
    // After the change of identity, which clears it.
    ::prctl(PR_SET_PDEATHSIG, plan.death_signal);
    if (::getppid() != plan.parent) ::_exit(127);  // it died before
  }
  if (plan.directory != nullptr && ::chdir(plan.directory) != 0) {
    give_up(plan, Failure::Directory);
  }
  if (plan.users) become_guard(plan);
  ::execve(plan.argv[0], plan.argv.data(), plan.environment.data());
  give_up(plan, Failure::Exec);
}

pid_t fork_child(const ChildPlan& plan) {
  // No handler of ours may run in the child.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t pid = ::fork();
  if (pid == 0) run_child(plan);
  const int error = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = error;
  return pid;
}

int reap(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

enum class Kinship {
  Child,        // ends with the object
  GuardedOnly,  // a child that lives as long as its guard sees users
  Stranger,     // somebody else's
};

/// A process, watched by its pidfd. Owned by its user.   Running -> Ended (reaped, told)
class UvProcess final : public Process, private DescriptorEvents {
 public:
  UvProcess(Loop& loop, pid_t pid, Kinship kinship, UniqueFd pidfd, std::unique_ptr<Stream> stream,
            ProcessEvents& events)
      : pid_(pid),
        kinship_(kinship),
        events_(events),
        stream_(std::move(stream)),
        pidfd_(std::move(pidfd)),
        watch_(loop.watch(pidfd_.get(), *this)) {
    watch_->set(true, false);
  }
  ~UvProcess() override {
    if (state_ == State::Ended || kinship_ != Kinship::Child) return;
    signal(SIGKILL);
    reap(pid_);
  }
  int pid() const override { return pid_; }
  // By the descriptor: a stranger's number may have become somebody else's.
  void signal(int number) override {
    if (state_ == State::Running)
      ::syscall(SYS_pidfd_send_signal, pidfd_.get(), number, nullptr, 0);
  }
  std::unique_ptr<Stream> take_stream() override { return std::move(stream_); }
  void lower_priority() override;

 private:
  enum class State { Running, Ended };

  void on_ready(int, bool, bool) override {
    if (state_ == State::Ended) return;
    watch_->set(false, false);
    const int status = kinship_ == Kinship::Stranger ? 0 : reap(pid_);
    state_ = State::Ended;
    events_.on_exit(status);
  }

  const pid_t pid_;
  const Kinship kinship_;
  ProcessEvents& events_;
  std::unique_ptr<Stream> stream_;  // null: none, or taken
  const UniqueFd pidfd_;
  const std::unique_ptr<DescriptorWatch> watch_;
  State state_ = State::Running;
};

void UvProcess::lower_priority() {
  if (state_ != State::Running) return;
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(pid_), 19);
  const sched_param none{};
  ::sched_setscheduler(pid_, SCHED_IDLE, &none);
  // It leads a session of its own. Where the kernel shares the processor out by sessions first, all
  // of the above counts inside that one only.
  const std::string path = "/proc/" + std::to_string(pid_) + "/autogroup";
  const UniqueFd group(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  [[maybe_unused]] const auto n = ::write(group.get(), "19", 2);
}

/// `core`: null: the process does not talk. `users`: empty: no guard.
Result<std::unique_ptr<Process>> start_process(Loop& loop, UvCore* core,
                                               const ProcessOptions& options,
                                               const std::string& users, ProcessEvents& events) {
  if (options.argv.empty()) {
    return make_error(ErrorKind::Invalid, Origin::Internal, "no program to run");
  }
  const std::string& program = options.argv.front();
  ChildPlan plan;
  plan.argv = pointers_to(options.argv);
  plan.environment = pointers_to(options.environment);
  if (!options.directory.empty()) plan.directory = options.directory.c_str();
  plan.death_signal = options.death_signal;
  plan.parent = ::getpid();
  if (!options.run_as.empty()) {
    if (auto found = look_up_user(options.run_as, plan); !found) return found.error();
  }
  auto ours = open_files(options, plan);
  if (!ours) return ours.error();
  std::unique_ptr<Stream> stream;
  if (options.talks) {
    auto opened =
        open_uv_stream(*core, std::move(ours).value(), Endpoint::unix_path("child").value(),
                       Endpoint(), Origin::Internal);
    if (!opened) return opened.error();
    stream = std::move(opened).value();
  }
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return system_error(errno, "pipe2()");
  const UniqueFd answer(ends[0]);
  plan.report = out_of_the_way(UniqueFd(ends[1]));
  if (!plan.report || !plan.input) return system_error(errno, "fcntl()");
  if (!users.empty()) {
    plan.users = out_of_the_way(UniqueFd(::open(users.c_str(), O_RDWR | O_CLOEXEC)));
    if (!plan.users) return system_error(errno, "open() \"" + users + "\"");
  }

  const pid_t pid = fork_child(plan);
  if (pid < 0) return system_error(errno, "fork() for \"" + program + "\"");
  plan.report.reset();
  plan.input.reset();  // else its end would never be seen
  plan.users.reset();  // the guard's alone
  Failure failure{};
  ssize_t count = 0;
  while ((count = ::read(answer.get(), &failure, sizeof(failure))) < 0 && errno == EINTR) {
  }
  if (count == sizeof(int)) failure = {Failure::Exec, static_cast<int>(failure.step)};  // a guard's
  if (count > 0) {
    reap(pid);
    return system_error(failure.error, std::string(name_of(failure.step)) + " \"" + program + "\"");
  }
  UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));  // CLOEXEC by nature
  if (!pidfd) {
    const int error = errno;
    ::kill(pid, SIGKILL);
    reap(pid);
    return system_error(error, "pidfd_open()");
  }
  return std::unique_ptr<Process>(
      std::make_unique<UvProcess>(loop, pid, users.empty() ? Kinship::Child : Kinship::GuardedOnly,
                                  std::move(pidfd), std::move(stream), events));
}

}  // namespace

Result<std::unique_ptr<Process>> spawn_process(UvCore& core, const ProcessOptions& options,
                                               ProcessEvents& events) {
  return start_process(core.loop, &core, options, {}, events);
}

Result<std::unique_ptr<Process>> spawn_guarded(Loop& loop, const ProcessOptions& options,
                                               const std::string& users, ProcessEvents& events) {
  ProcessOptions silent = options;
  silent.talks = false;
  silent.death_signal = 0;
  return start_process(loop, nullptr, silent, users, events);
}

Result<std::unique_ptr<Process>> watch_process(Loop& loop, int pid, ProcessEvents& events) {
  UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!pidfd) return system_error(errno, "pidfd_open()");
  return std::unique_ptr<Process>(
      std::make_unique<UvProcess>(loop, pid, Kinship::Stranger, std::move(pidfd), nullptr, events));
}

Result<UsersFile> UsersFile::open(const std::string& path) {
  UsersFile file;
  file.fd_.reset(::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file.fd_) return system_error(errno, "open() \"" + path + "\"");
  return file;
}

bool UsersFile::enter() {
  return lock_as_user(fd_.get());
}

bool UsersFile::has_others() const {
  return is_locked_by_others(fd_.get(), kUsersByte);
}

bool UsersFile::is_guarded() const {
  return is_locked_by_others(fd_.get(), kGuardByte);
}

}  // namespace gatescope::net
