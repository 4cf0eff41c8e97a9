#include "proxy/keeper.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
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

#include "proxy/base/error_log.h"
#include "proxy/base/log_files.h"
#include "proxy/base/text.h"
#include "proxy/keeper_client.h"
#include "proxy/pid_file.h"

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

KeeperMessage failed(std::string why) {
  KeeperMessage m;
  m.kind = KeeperMessage::Kind::Failed;
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

int Keeper::run() {
  const auto set = signal_set();
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
  signals_.reset(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals_ || !start_worker()) return 1;
  for (;;) {
    wait_for_events();
    int status = 0;
    if (worker_ > 0 && ::waitpid(worker_, &status, WNOHANG) == worker_ && on_worker_exit(status))
      return exit_status_;
    if (stopping_ && worker_ < 0) {
      if (was_ready_) remove_pid_file(plan_.pid_path);
      return exit_status_;
    }
    if (restart_at_ && now_ms() >= restart_at_) {
      restart_at_ = 0;
      if (!start_worker()) start_later(kFirstPause);
    }
  }
}

void Keeper::wait_for_events() {
  pollfd watched[2] = {{signals_.get(), POLLIN, 0}, {channel_ ? channel_.get() : -1, POLLIN, 0}};
  const int patience =
      restart_at_ ? static_cast<int>(std::max<std::int64_t>(0, restart_at_ - now_ms())) : -1;
  ::poll(watched, 2, patience);
  if (watched[1].revents) answer();
  signalfd_siginfo info{};
  while (::read(signals_.get(), &info, sizeof info) == sizeof info)
    if (info.ssi_signo != SIGCHLD) on_signal(static_cast<int>(info.ssi_signo));
}

void Keeper::start_later(std::int64_t pause) {
  restart_at_ = std::max<std::int64_t>(1, now_ms() + pause);
}

bool Keeper::start_worker() {
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
    ::sigprocmask(SIG_UNBLOCK, &set, nullptr);
    ours.reset();
    sockets_.forget();
    ::_exit(worker_main_(std::move(theirs), plan_, was_ready_));
  }
  worker_ = worker;
  worker_started_ = now_ms();
  resting_ = false;
  channel_ = std::move(ours);
  return true;
}

bool Keeper::on_worker_exit(int status) {
  worker_ = -1;
  channel_.reset();
  const bool in_order = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  if (resting_ && in_order && !stopping_) return false;
  if (stopping_ || in_order || !was_ready_) {
    exit_status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 1;
    if (was_ready_) remove_pid_file(plan_.pid_path);
    return true;
  }
  const auto pause = pause_.after(now_ms() - worker_started_);
  log(LogLevel::Alert,
      fmt::format("worker exited {} {}, starting it again {}",
                  WIFSIGNALED(status) ? "on signal" : "with code",
                  WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
                  pause == 0 ? std::string("now") : fmt::format("in {} ms", pause)));
  start_later(pause);
  return false;
}

void Keeper::on_signal(int number) {
  if (number == SIGTERM || number == SIGINT || number == SIGQUIT) {
    stopping_ = true;
    restart_at_ = 0;
    // The worker's copies go with it: new clients are refused at once, as after nginx's master
    // closed its own
    (void)sockets_.retain({});
  }
  if (number == SIGWINCH && worker_ > 0) resting_ = true;
  if (number == SIGHUP && worker_ < 0 && !stopping_) start_later(0);
  if (worker_ > 0) ::kill(worker_, number);
}

Result<LaunchPlan> Keeper::plan_now() {
  return LaunchPlan::read(options_, reader_);
}

void Keeper::answer() {
  auto question = receive_message(channel_.get());
  if (!question) {
    channel_.reset();  // closed, or its sender is in disorder
    return;
  }
  auto answer = answer_to(*question);
  answer.number = question->number;
  if (!send_message(channel_.get(), answer)) channel_.reset();
}

KeeperMessage Keeper::answer_to(const KeeperMessage& question) {
  using Kind = KeeperMessage::Kind;
  // What the worker may ask for is what serves (a worker that is started again may find a broken
  // configuration), and what the configuration says now: a reload may have changed it. That is read
  // only when the first does not decide: at a start all questions are of the first kind.
  const auto named = [&](auto&& names) {
    if (names(plan_)) return true;
    const auto plan = plan_now();
    return plan && names(*plan);
  };
  switch (question.kind) {
    case Kind::Listen: {
      const auto request = ListenRequest::parse(question.text);
      if (!request) return failed(request.error().detail);
      if (!named([&](const LaunchPlan& p) { return p.names_listen(request->endpoint); }))
        return failed("the configuration does not name " + request->endpoint.to_string());
      auto fd = sockets_.listening_socket(request->endpoint, request->options, request->loop);
      if (!fd) return failed(fd.error().detail);
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
      const auto plan = plan_now();
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
      std::vector<std::string> names;
      for (const auto line : split(question.text, '\n'))
        names.emplace_back(line);
      (void)sockets_.retain(names);
      return ok();
    }
    case Kind::Ready:
      return ready(question.text == "as before" || !was_ready_ ? Result<LaunchPlan>(plan_)
                                                               : plan_now());
    default:
      return failed("unknown question");
  }
}

KeeperMessage Keeper::ready(Result<LaunchPlan> now) {
  const auto limit_before = plan_.open_files;
  const auto pid_before = plan_.pid_path;
  if (now) plan_ = std::move(*now);
  if (!was_ready_ || plan_.pid_path != pid_before) {
    if (auto written = write_pid_file(plan_.pid_path, ::getpid()); !written) {
      if (!was_ready_) return failed(written.error().detail);
      log(LogLevel::Error, written.error().detail);
    } else if (was_ready_) {
      remove_pid_file(pid_before);
    }
  }
  if (plan_.open_files > 0 && plan_.open_files != limit_before) {
    const rlimit limit{plan_.open_files, plan_.open_files};
    if (::prlimit(worker_, RLIMIT_NOFILE, &limit, nullptr) != 0)
      log(LogLevel::Warn, system_error(errno, "prlimit(RLIMIT_NOFILE)").detail);
  }
  if (!was_ready_) {
    was_ready_ = true;
    on_ready_();
  }
  return ok();
}

void Keeper::log(LogLevel level, const std::string& message) {
  // Rare events only: the file is opened for each, so that rotation never concerns the keeper
  auto path = plan_.error_log;
  if (path.empty()) path = options_.error_log;
  if (path.empty()) path = options_.prefix + "logs/error.log";
  auto file = LogFile::open(path, {});
  if (!file) return;
  SystemClock clock;
  ErrorLog(**file, LogLevel::Debug, clock).write(level, message);
}

}  // namespace gatescope::server
