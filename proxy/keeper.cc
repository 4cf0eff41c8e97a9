#include "proxy/keeper.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "proxy/base/log_files.h"
#include "proxy/base/text.h"
#include "proxy/keeper_client.h"
#include "proxy/pid_file.h"
#include "proxy/rare_log.h"

namespace gatescope::server {

namespace {

constexpr int kSignals[] = {SIGHUP, SIGQUIT, SIGTERM, SIGINT, SIGUSR1, SIGUSR2, SIGWINCH, SIGCHLD};
// Milliseconds. A worker that dies sooner after its start than kSoon may do so for ever: then the
// pause grows from the first to the longest.
constexpr std::int64_t kSoon = 10'000, kFirstPause = 100, kLongestPause = 10'000;
// A worker that does not read must not stop the keeper.
constexpr timeval kSendPatience{10, 0};

std::int64_t now_ms() {
  timespec t{};
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

sigset_t signal_set() {
  sigset_t set;
  sigemptyset(&set);
  for (int s : kSignals)
    sigaddset(&set, s);
  return set;
}

KeeperMessage failed(std::string why, ErrorKind kind = ErrorKind::Forbidden) {
  KeeperMessage m;
  m.kind = kind == ErrorKind::Busy ? KeeperMessage::Kind::Busy : KeeperMessage::Kind::Failed;
  m.text = std::move(why);
  return m;
}

KeeperMessage ok(std::string text = {}, UniqueFd fd = {}) {
  KeeperMessage m;
  m.kind = KeeperMessage::Kind::Ok;
  m.text = std::move(text);
  m.fd = std::move(fd);
  return m;
}

}  // namespace

std::int64_t RestartPause::after(std::int64_t lived) {
  early_ = lived >= kSoon ? 0 : early_ + 1;
  if (early_ <= 1) return 0;
  return std::min(kLongestPause, kFirstPause << std::min(early_ - 2, 20u));
}

Keeper::Keeper(LaunchOptions options, LaunchPlan plan, WorkerMain worker,
               std::function<void()> on_ready)
    : options_(std::move(options)),
      worker_main_(std::move(worker)),
      on_ready_(std::move(on_ready)),
      plan_(std::move(plan)) {}

int Keeper::run(Inheritance inherited) {
  const auto set = signal_set();
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
  signals_.reset(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (auto taken = take_over(inherited); !taken) {
    log_.write(LogLevel::Emerg, taken.error().detail);
    return 1;
  }
  if (!signals_ || !start_worker(WorkerStart::First)) return 1;
  while (!over_) {
    wait_for_events();
    look_at_others();
    reap_workers();
    if (!over_ && stopping_ && workers_.empty()) end(exit_status_);
    if (!over_) on_due(now_ms());
  }
  return exit_status_;
}

void Keeper::wait_for_events() {
  std::vector<pollfd> watched;
  const auto watch = [&](int fd) { watched.push_back({fd, POLLIN, 0}); };
  watch(signals_.get());
  watch(upgrade_.descriptor());  // poll() passes over negative ones
  watch(predecessor_.descriptor());
  for (const auto& worker : workers_)
    watch(worker.channel ? worker.channel.get() : -1);
  const auto due = next_due();
  const int patience = due ? static_cast<int>(std::max<std::int64_t>(0, due - now_ms())) : -1;
  ::poll(watched.data(), watched.size(), patience);
  for (std::size_t i = 3; i < watched.size(); ++i)
    if (watched[i].revents) answer(workers_[i - 3]);
  signalfd_siginfo info{};
  while (::read(signals_.get(), &info, sizeof info) == sizeof info)
    if (info.ssi_signo != SIGCHLD)
      on_signal(static_cast<int>(info.ssi_signo), info.ssi_code == SI_KERNEL);
}

/// 0: nothing is due.
std::int64_t Keeper::next_due() const {
  std::int64_t next = 0;
  const auto consider = [&](std::int64_t at) {
    if (at != 0 && (next == 0 || at < next)) next = at;
  };
  consider(restart_at_);
  consider(handover_by_);
  if (upgrade_due_) consider(1);
  if (const auto at = upgrade_.deadline())
    consider(std::chrono::ceil<Duration>(at->time_since_epoch()).count());
  return next;
}

void Keeper::on_due(std::int64_t now) {
  if (restart_at_ && now >= restart_at_) {
    restart_at_ = 0;
    if (!start_worker(restart_as_)) start_later(kFirstPause, restart_as_);
  }
  if (upgrade_due_ || (handover_by_ && now >= handover_by_)) begin_upgrade();
  upgrade_.expire(SystemClock().now());
}

void Keeper::start_later(std::int64_t pause, WorkerStart start) {
  restart_at_ = std::max<std::int64_t>(1, now_ms() + pause);
  restart_as_ = start;
}

Keeper::Worker* Keeper::serving() {
  for (auto& worker : workers_)
    if (!worker.retiring) return &worker;
  return nullptr;
}

bool Keeper::start_worker(WorkerStart start) {
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) return false;
  UniqueFd ours(pair[0]), theirs(pair[1]);
  const int room = 4 * static_cast<int>(kKeeperPacket);
  for (int fd : pair)
    ::setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room);
  ::setsockopt(pair[0], SOL_SOCKET, SO_SNDTIMEO, &kSendPatience, sizeof kSendPatience);
  ::setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &kSendPatience, sizeof kSendPatience);
  const int worker = ::fork();
  if (worker < 0) return false;
  if (worker == 0) {
    const auto set = signal_set();
    ::signal(SIGUSR2, SIG_IGN);  // until it can be told what to do: that is asked for then
    ::sigprocmask(SIG_UNBLOCK, &set, nullptr);
    ours.reset();
    sockets_.forget();
    upgrade_.forget();
    predecessor_ = {};
    workers_.clear();
    ::_exit(worker_main_(std::move(theirs), plan_, start));
  }
  workers_.push_back({worker, std::move(ours), now_ms(), false});
  resting_ = false;
  return true;
}

void Keeper::reap_workers() {
  for (std::size_t i = 0; i < workers_.size();) {
    int status = 0;
    if (::waitpid(workers_[i].pid, &status, WNOHANG) != workers_[i].pid) {
      ++i;
      continue;
    }
    const Worker ended = std::move(workers_[i]);
    workers_.erase(workers_.begin() + static_cast<std::ptrdiff_t>(i));
    on_worker_exit(ended, status);
  }
}

void Keeper::end(int status) {
  exit_status_ = status;
  over_ = true;
  if (was_ready_) remove_pid_file(upgrade_.pid_file(plan_.pid_path));
}

void Keeper::on_worker_exit(const Worker& worker, int status) {
  // One that was only just started does not listen to signals yet, and what it was told ends it.
  const bool told =
      stopping_ && WIFSIGNALED(status) &&
      (WTERMSIG(status) == SIGTERM || WTERMSIG(status) == SIGINT || WTERMSIG(status) == SIGQUIT);
  const bool in_order = told || (WIFEXITED(status) && WEXITSTATUS(status) == 0);
  if (worker.retiring && !stopping_) {
    if (!in_order) log_.print(LogLevel::Alert, "a worker that was to end crashed");
    return;
  }
  if (stopping_ || in_order || !was_ready_) {
    exit_status_ = in_order ? 0 : WIFEXITED(status) ? WEXITSTATUS(status) : 1;
    if (workers_.empty() || !stopping_) end(exit_status_);
    return;
  }
  const auto pause = pause_.after(now_ms() - worker.started);
  log_.print(LogLevel::Alert, "worker exited {} {}, starting it again {}",
             WIFSIGNALED(status) ? "on signal" : "with code",
             WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
             pause == 0 ? std::string("now") : fmt::format("in {} ms", pause));
  start_later(
      pause, upgrade_.state() == Upgrade::State::None ? WorkerStart::Again : WorkerStart::AsBefore);
}

void Keeper::on_signal(int number, bool from_terminal) {
  const auto forward = [&](int signal) {
    for (const auto& worker : workers_)
      ::kill(worker.pid, signal);
  };
  switch (number) {
    case SIGUSR2:
      return change_binary();
    case SIGWINCH:
      if (from_terminal) return;  // its window has another size
      if (upgrade_.just_ended(SystemClock().now()))
        return log_.write(LogLevel::Notice, kNobodyElseServes);
      resting_ = true;
      restart_at_ = 0;
      return retire_worker();
    case SIGHUP:
      if (stopping_) return;
      if (auto* worker = serving()) {
        ::kill(worker->pid, SIGHUP);
      } else {
        // As nginx: beside a new program the way back is to what this one was
        start_later(0, upgrade_.state() == Upgrade::State::None ? WorkerStart::Again
                                                                : WorkerStart::AsBefore);
      }
      return;
    case SIGTERM:
    case SIGINT:
    case SIGQUIT:
      stopping_ = true;
      restart_at_ = handover_by_ = 0;
      // The worker's copies go with it: new clients are refused at once, as after nginx's master
      // closed its own
      (void)sockets_.retain({});
      if (number == SIGQUIT) return retire_worker();
      return forward(number);
    default:
      return forward(number);
  }
}

void Keeper::answer(Worker& worker) {
  auto question = receive_message(worker.channel.get());
  if (!question) {
    worker.channel.reset();  // closed, or its sender is in disorder
    return;
  }
  auto answer = answer_to(worker, *question);
  answer.number = question->number;
  if (!send_message(worker.channel.get(), answer)) worker.channel.reset();
}

KeeperMessage Keeper::answer_to(Worker& worker, const KeeperMessage& question) {
  using Kind = KeeperMessage::Kind;
  // What the worker may ask for is what serves (a worker that is started again may find a broken
  // configuration), and what the configuration says now: a reload may have changed it. That is read
  // only when the first does not decide: at a start all questions are of the first kind.
  const auto named = [&](auto&& names) {
    if (names(plan_)) return true;
    const auto plan = LaunchPlan::read(options_, reader_);
    return plan && names(*plan);
  };
  switch (question.kind) {
    case Kind::Listen: {
      const auto request = ListenRequest::parse(question.text);
      if (!request) return failed(request.error().detail);
      if (!named([&](const LaunchPlan& p) { return p.names_listen(request->endpoint); }))
        return failed("the configuration does not name " + request->endpoint.to_string());
      auto fd = sockets_.listening_socket(request->endpoint, request->options, request->loop);
      if (!fd) return failed(fd.error().detail, fd.error().kind);
      // Commands of whoever serves reach it, too
      const auto path = request->endpoint.path();
      if (!path.empty() && path == plan_.control_path)
        if (const auto* user = ::getpwnam(plan_.user.c_str()))
          if (::chown(path.c_str(), user->pw_uid, static_cast<gid_t>(-1)) != 0)
            log_.write(LogLevel::Warn, system_error(errno, "chown() \"" + path + "\"").detail);
      return ok({}, std::move(*fd));
    }
    case Kind::OpenLog: {
      if (question.text != "stderr" &&
          !named([&](const LaunchPlan& p) { return p.names_log(question.text); }))
        return failed("the configuration does not name the log " + question.text);
      OwnLogOpener opener;
      auto fd = opener.open_log(question.text);
      if (!fd) return failed(fd.error().detail);
      return ok({}, std::move(*fd));
    }
    case Kind::RotateLog: {
      const auto plan = LaunchPlan::read(options_, reader_);
      const auto keep = (plan ? *plan : plan_).may_rotate(question.text);
      if (!keep) return failed(keep.error().detail);
      OwnLogOpener opener;
      auto fd = opener.rotate_log(question.text, *keep);
      if (!fd) return failed(fd.error().detail);
      return ok({}, std::move(*fd));
    }
    case Kind::ReadSecret:
    case Kind::ReadSource: {
      const bool secret = question.kind == Kind::ReadSecret;
      if (!named([&](const LaunchPlan& p) {
            return secret ? p.names_secret(question.text) : p.names_source(question.text);
          }))
        return failed("the configuration does not name " + question.text);
      auto text = reader_.read(question.text);
      if (!text) return failed(text.error().detail);
      if (text->size() > kKeeperMessage)
        return failed(fmt::format("\"{}\" is larger than {} bytes", question.text, kKeeperMessage));
      return ok(std::move(*text));
    }
    case Kind::Retain: {
      if (worker.retiring) return ok();  // others have them
      std::vector<std::string> names;
      for (const auto line : split(question.text, '\n'))
        names.emplace_back(line);
      (void)sockets_.retain(names);
      return ok();
    }
    case Kind::Ready:
      return ready(worker, question.text == "as before" || !was_ready_
                               ? Result<LaunchPlan>(plan_)
                               : LaunchPlan::read(options_, reader_));
    case Kind::Task:
      return ok(task_of(worker));
    case Kind::HandOver:
      if (!handover_by_) return failed("nothing is to be handed over");
      handover_by_ = 0;
      handover_ = question.text;
      upgrade_due_ = true;  // when this is answered: nobody shall wait for the new program
      return ok();
    case Kind::Inherit:
      if (!inherited_state_) return ok();
      return ok({}, UniqueFd(::fcntl(inherited_state_.get(), F_DUPFD_CLOEXEC, 3)));
    default:
      return failed("unknown question");
  }
}

KeeperMessage Keeper::ready(Worker& worker, Result<LaunchPlan> now) {
  if (worker.retiring) return ok();
  const auto limit_before = plan_.open_files;
  const auto pid_before = plan_.pid_path;
  if (now) plan_ = std::move(*now);
  // While a new program has the pid file it stays where it is
  if (was_ready_ && upgrade_.state() != Upgrade::State::None) plan_.pid_path = pid_before;
  if (!was_ready_ || plan_.pid_path != pid_before) {
    if (auto written = write_pid_file(plan_.pid_path, ::getpid()); !written) {
      if (!was_ready_) return failed(written.error().detail);
      log_.write(LogLevel::Error, written.error().detail);
    } else if (was_ready_) {
      remove_pid_file(pid_before);
    }
  }
  if (plan_.open_files > 0 && plan_.open_files != limit_before) {
    const rlimit limit{plan_.open_files, plan_.open_files};
    if (::prlimit(worker.pid, RLIMIT_NOFILE, &limit, nullptr) != 0)
      log_.write(LogLevel::Warn, system_error(errno, "prlimit(RLIMIT_NOFILE)").detail);
  }
  if (!was_ready_) {
    was_ready_ = true;
    inherited_state_.reset();
    on_ready_();
    predecessor_.tell_serving();
  }
  return ok();
}

void Keeper::OwnLog::write(LogLevel level, std::string_view message) {
  RareLog(keeper_.plan_.error_log_of(keeper_.options_)).write(level, message);
}

}  // namespace gatescope::server
