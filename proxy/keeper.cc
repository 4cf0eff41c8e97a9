#include "proxy/keeper.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "proxy/base/error_log.h"
#include "proxy/base/log_files.h"
#include "proxy/base/text.h"
#include "proxy/keeper_client.h"
#include "proxy/net/uv_loop.h"
#include "proxy/pid_file.h"

namespace gatescope::server {

namespace {

constexpr int kSignals[] = {SIGHUP, SIGQUIT, SIGTERM, SIGINT, SIGUSR1, SIGUSR2, SIGWINCH, SIGCHLD};
constexpr std::int64_t kRestartPause =
    1000;  // ms: a worker that dies at once must not be started in a circle

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

Keeper::Keeper(LaunchOptions options, LaunchPlan plan, WorkerMain worker,
               std::function<void()> on_ready)
    : options_(std::move(options)),
      plan_(std::move(plan)),
      worker_main_(std::move(worker)),
      on_ready_(std::move(on_ready)) {}

int Keeper::run() {
  const auto set = signal_set();
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
  UniqueFd signals(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals || !start_worker()) return 1;
  for (;;) {
    pollfd watched[2] = {{signals.get(), POLLIN, 0}, {channel_ ? channel_.get() : -1, POLLIN, 0}};
    const int patience =
        restart_at_ ? static_cast<int>(std::max<std::int64_t>(0, restart_at_ - now_ms())) : -1;
    ::poll(watched, 2, patience);
    if (watched[1].revents) answer();
    signalfd_siginfo info{};
    while (::read(signals.get(), &info, sizeof info) == sizeof info)
      if (info.ssi_signo != SIGCHLD) forward(static_cast<int>(info.ssi_signo));
    int status = 0;
    if (worker_ > 0 && ::waitpid(worker_, &status, WNOHANG) == worker_ && on_worker_exit(status))
      return exit_status_;
    if (restart_at_ && now_ms() >= restart_at_) {
      restart_at_ = 0;
      if (stopping_) return exit_status_;
      if (!start_worker()) restart_at_ = now_ms() + kRestartPause;
    }
    if (stopping_ && worker_ < 0) return exit_status_;
  }
}

bool Keeper::start_worker() {
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) return false;
  UniqueFd ours(pair[0]), theirs(pair[1]);
  const int room = 2 * static_cast<int>(kKeeperPacket);
  for (int fd : pair)
    ::setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room);
  ready_ = false;
  worker_ = ::fork();
  if (worker_ < 0) return false;
  if (worker_ == 0) {
    const auto set = signal_set();
    ::sigprocmask(SIG_UNBLOCK, &set, nullptr);
    ours.reset();
    sockets_.clear();
    ::_exit(worker_main_(std::move(theirs), plan_));
  }
  channel_ = std::move(ours);
  return true;
}

bool Keeper::on_worker_exit(int status) {
  worker_ = -1;
  channel_.reset();
  const bool in_order = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  if (stopping_ || in_order || !was_ready_) {
    exit_status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 1;
    if (was_ready_) remove_pid_file(plan_.pid_path);
    return true;
  }
  log(LogLevel::Alert,
      WIFSIGNALED(status)
          ? fmt::format("worker exited on signal {}, starting it again", WTERMSIG(status))
          : fmt::format("worker exited with code {}, starting it again", WEXITSTATUS(status)));
  restart_at_ = ready_ ? now_ms() : now_ms() + kRestartPause;
  return false;
}

/// The files of unix sockets that are about to be closed, as nginx's master does. `kept`: those
/// that stay.
void Keeper::remove_socket_files(const std::vector<std::string_view>& kept) {
  constexpr std::string_view kUnix = "unix:";
  for (const auto& [name, fd] : sockets_)
    if (name.starts_with(kUnix) && std::find(kept.begin(), kept.end(), name) == kept.end())
      ::unlink(name.c_str() + kUnix.size());
}

void Keeper::forward(int signal) {
  if (signal == SIGTERM || signal == SIGINT || signal == SIGQUIT) {
    stopping_ = true;
    remove_socket_files({});
    sockets_.clear();  // the worker's copies go with it: new clients are refused at once, as after
                       // nginx's master closed its own
  }
  if (worker_ > 0) ::kill(worker_, signal);
}

Result<LaunchPlan> Keeper::plan_now() {
  return LaunchPlan::read(options_, reader_);
}

void Keeper::answer() {
  auto question = receive_message(channel_.get());
  if (!question) {
    if (question.error().kind == ErrorKind::Closed) channel_.reset();
    return;
  }
  (void)send_message(channel_.get(), answer_to(*question));
}

KeeperMessage Keeper::answer_to(const KeeperMessage& question) {
  using Kind = KeeperMessage::Kind;
  // What the worker may ask for is what the configuration says now: a reload may have changed it
  auto plan = plan_now();
  const auto& allowed = plan ? *plan : plan_;
  switch (question.kind) {
    case Kind::Listen: {
      auto request = parse_listen_request(question.text);
      if (!request) return failed(request.error().detail);
      if (!allowed.names_listen(request->first))
        return failed("the configuration does not name " + request->first.to_string());
      return listen(question.text);
    }
    case Kind::OpenLog: {
      if (!allowed.names_log(question.text) && question.text != "stderr")
        return failed("the configuration does not name the log " + question.text);
      OwnLogOpener opener;
      auto fd = opener.open_log(question.text);
      if (!fd) return failed(fd.error().detail);
      return ok({}, std::move(*fd));
    }
    case Kind::RotateLog: {
      const auto keep = allowed.may_rotate(question.text);
      if (!keep) return failed(keep.error().detail);
      OwnLogOpener opener;
      auto fd = opener.rotate_log(question.text, *keep);
      if (!fd) return failed(fd.error().detail);
      return ok({}, std::move(*fd));
    }
    case Kind::ReadSecret:
    case Kind::ReadSource: {
      const bool named = question.kind == Kind::ReadSecret ? allowed.names_secret(question.text)
                                                           : allowed.names_source(question.text);
      if (!named) return failed("the configuration does not name " + question.text);
      auto text = reader_.read(question.text);
      if (!text) return failed(text.error().detail);
      if (text->size() > kKeeperPacket)
        return failed(fmt::format("\"{}\" is larger than {} bytes", question.text, kKeeperPacket));
      return ok(std::move(*text));
    }
    case Kind::Retain: {
      const auto names = split(question.text, '\n');
      remove_socket_files(names);
      std::erase_if(sockets_, [&](const auto& held) {
        return std::find(names.begin(), names.end(), held.first) == names.end();
      });
      if (plan) plan_ = std::move(*plan);
      return ok();
    }
    case Kind::Ready: {
      ready_ = true;
      if (was_ready_) return ok();
      if (auto written = write_pid_file(plan_.pid_path, ::getpid()); !written)
        return failed(written.error().detail);
      was_ready_ = true;
      on_ready_();
      return ok();
    }
    default:
      return failed("unknown question");
  }
}

KeeperMessage Keeper::listen(const std::string& text) {
  const auto request = parse_listen_request(text);
  const auto name = request->first.to_string();
  auto& held = sockets_[name];
  if (!held) {
    auto bound = net::bind_listening_socket(request->first, request->second);
    if (!bound) {
      sockets_.erase(name);
      return failed(bound.error().detail);
    }
    held = std::move(*bound);
  }
  return ok({}, UniqueFd(::fcntl(held.get(), F_DUPFD_CLOEXEC, 3)));
}

void Keeper::log(LogLevel level, const std::string& message) {
  // Rare events only: the file is opened for each, so that rotation never concerns the keeper
  const auto path =
      options_.error_log.empty() ? options_.prefix + "logs/error.log" : options_.error_log;
  auto file = LogFile::open(path, {});
  if (!file) return;
  SystemClock clock;
  ErrorLog(**file, LogLevel::Debug, clock).write(level, message);
}

}  // namespace gatescope::server
