#include "proxy/process.h"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "proxy/base/error_log.h"
#include "proxy/heap.h"
#include "proxy/keeper_client.h"
#include "proxy/net/uv_loop.h"
#include "proxy/pid_file.h"
#include "proxy/privileges.h"
#include "proxy/remembered_files.h"
#include "proxy/server.h"

namespace gatescope::server {

void BootLog::write(LogLevel level, std::string_view message) {
  if (const auto target = relay_.target()) return target->write(level, message);
  fmt::print(stderr, "gatescope: [{}] {}\n", name_of(level), message);
  if (path_.empty() || path_ == "stderr") return;
  OwnLogOpener own;
  auto fd = (opener_ ? *opener_ : own).open_log(path_);
  if (!fd) return;
  LogFile file(std::move(*fd), path_, {});
  ErrorLog(file, LogLevel::Debug, SystemClock()).write(level, message);
}

Result<void> become_worker(const LaunchPlan& plan) {
  const auto* user = ::getpwnam(plan.user.c_str());
  if (!user)
    return make_error(
        ErrorKind::NotFound, Origin::Internal,
        fmt::format("user \"{0}\" does not exist; make it with \"useradd --system {0}\"",
                    plan.user));
  gid_t gid = user->pw_gid;
  if (!plan.group.empty()) {
    const auto* group = ::getgrnam(plan.group.c_str());
    if (!group)
      return make_error(ErrorKind::NotFound, Origin::Internal,
                        fmt::format("group \"{}\" does not exist", plan.group));
    gid = group->gr_gid;
  }
  if (!plan.state_dir.empty()) {
    if (::mkdir(plan.state_dir.c_str(), 0700) != 0 && errno != EEXIST)
      return system_error(errno, "mkdir() \"" + plan.state_dir + "\"");
    if (::chown(plan.state_dir.c_str(), user->pw_uid, gid) != 0)
      return system_error(errno, "chown() \"" + plan.state_dir + "\"");
  }
  // The worker may not be allowed to make them where root's prefix is. One that is there already is
  // somebody's: it stays as it is.
  for (const auto& folder : plan.temp_folders) {
    if (::mkdir(folder.path.c_str(), 0700) != 0) {
      if (errno == EEXIST || !folder.named) continue;
      return system_error(errno, "mkdir() \"" + folder.path + "\"");
    }
    if (::chown(folder.path.c_str(), user->pw_uid, gid) != 0)
      return system_error(errno, "chown() \"" + folder.path + "\"");
  }
  if (user->pw_uid == 0) {
    refuse_new_privileges();  // who wants root to serve gets root
    return {};
  }
  if (::setgid(gid) != 0) return system_error(errno, "setgid()");
  if (::initgroups(plan.user.c_str(), gid) != 0) return system_error(errno, "initgroups()");
  if (::setuid(user->pw_uid) != 0) return system_error(errno, "setuid()");
  give_up_privileges();
  return {};
}

namespace {

/// worker_rlimit_nofile. Where the system does not allow so many, as many as it does.
Result<void> limit_files(const LaunchPlan& plan) {
  if (plan.open_files == 0) return {};
  rlimit limit{plan.open_files, plan.open_files};
  if (::setrlimit(RLIMIT_NOFILE, &limit) == 0) return {};
  const auto failed =
      system_error(errno, fmt::format("setrlimit(RLIMIT_NOFILE, {})", plan.open_files));
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = std::min<rlim_t>(plan.open_files, limit.rlim_max);
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
  return failed;
}

/// What the worker's world consists of, and what signals and reloads do to it.
class ServingProcess final : public net::SignalEvents, public ServerEvents {
 public:
  ServingProcess(const LaunchOptions& options, const LaunchPlan& plan, UniqueFd channel,
                 std::function<void()> on_ready)
      : options_(options),
        plan_(plan),
        on_ready_(std::move(on_ready)),
        boot_log_(options.error_log.empty() ? options.prefix + "logs/error.log"
                                            : options.error_log),
        keeper_(channel ? std::make_unique<KeeperClient>(std::move(channel)) : nullptr),
        sockets_(keeper_ ? static_cast<net::SocketSource&>(*keeper_) : own_sockets_),
        files_(keeper_ ? static_cast<conf::FileReader&>(*keeper_) : own_files_),
        remembered_(plan.document(), files_),
        more_loops_(sockets_, boot_log_),
        loop_(net::UvLoop::make(sockets_, boot_log_)) {
    if (keeper_) boot_log_.open_with(*keeper_);
  }

  int run(bool again) {
    make_server(files_);
    auto started = server_->start();
    if (!started && again) {
      boot_log_.print(LogLevel::Emerg, "{}; serving the configuration as it was before",
                      started.error().detail);
      as_before_ = true;
      make_server(remembered_);
      started = server_->start();
      remembered_.turn_to_present();  // a reload reads what is there then
    }
    if (!started) {
      boot_log_.write(LogLevel::Emerg, started.error().detail);
      return 1;
    }
    boot_log_.hand_over(server_->generation().error_log);
    loop_->watch_signals({SIGHUP, SIGQUIT, SIGTERM, SIGINT, SIGUSR1, SIGUSR2, SIGWINCH}, *this);
    if (auto ready = tell_ready(); !ready) {
      boot_log_.hand_over(nullptr);
      boot_log_.write(LogLevel::Emerg, ready.error().detail);
      return 1;
    }
    say_privileges();
    loop_->run();
    boot_log_.hand_over(nullptr);
    if (!keeper_) {
      remove_pid_file(plan_.pid_path);
      (void)own_sockets_.retain({});  // with their files
    }
    server_.reset();
    return 0;
  }

 private:
  /// A server that could not start holds nothing that the next one needs.
  void make_server(conf::FileReader& files) {
    server_.reset();
    server_ = std::make_unique<Server>(
        World{.loop = *loop_,
              .clock = clock_,
              .files = files,
              .secrets = keeper_ ? static_cast<tls::SecretReader&>(*keeper_) : own_secrets_,
              .logs = keeper_ ? static_cast<LogOpener&>(*keeper_) : own_logs_,
              .sockets = sockets_,
              .more_loops = more_loops_,
              .logs_in_background = true,
              .service = &service_},
        options_, *this);
  }

  Result<void> tell_ready() {
    if (!keeper_) {
      if (auto written = write_pid_file(plan_.pid_path, ::getpid()); !written) return written;
      on_ready_();
    } else if (auto ready = keeper_->ready(as_before_); !ready) {
      return ready;
    }
    tell_manager();
    return {};
  }

  void tell_manager() { service_.ready(keeper_ ? ::getppid() : ::getpid()); }

  /// What an intruder would find.
  void say_privileges() {
    const auto now = privileges_now();
    const auto* const user = ::getpwuid(::geteuid());
    const bool weak = !now.no_new_privileges || (keeper_ && !now.none());
    server_->log().print(weak ? LogLevel::Warn : LogLevel::Notice, "{} runs as user \"{}\": {}{}",
                         keeper_ ? "the worker" : "the process",
                         user ? std::string(user->pw_name) : fmt::format("{}", ::geteuid()),
                         now.in_words(),
                         keeper_ && ::geteuid() == 0 ? "; name a \"user\" that is not root" : "");
  }

  void on_signal(int number) override {
    server_->log().print(LogLevel::Notice, "signal {} ({}) received", number, ::strsignal(number));
    switch (number) {
      case SIGHUP:
        service_.reloading();
        return server_->reload();
      case SIGQUIT:
      case SIGWINCH:
        server_->finish();
        // Who comes now is refused and does not wait in a queue that nobody empties. A keeper
        // closes its own.
        if (!keeper_) (void)own_sockets_.retain({});
        return;
      case SIGTERM:
      case SIGINT:
        return server_->stop();
      case SIGUSR1:
        return server_->reopen_logs();
      default:
        server_->log().print(LogLevel::Warn,
                             "upgrading the binary is not built in yet, signal {} ignored", number);
    }
  }

  void on_server_stopped() override { loop_->stop(); }

  void on_reloaded(const Error* error) override {
    boot_log_.hand_over(server_->generation().error_log);
    tell_manager();
    if (error) return;
    if (keeper_)
      if (auto ready = keeper_->ready(); !ready)
        server_->log().print(LogLevel::Error, "{}", ready.error().detail);
    // Only now is it what a worker that is killed comes back with.
    server_->log().print(LogLevel::Notice, "configuration {} serves", server_->generation().number);
  }

  // Constant after construction
  const LaunchOptions& options_;
  const LaunchPlan& plan_;
  const std::function<void()> on_ready_;
  bool as_before_ = false;  // what was remembered serves

  BootLog boot_log_;
  const std::unique_ptr<KeeperClient> keeper_;  // null: there is none
  const SystemClock clock_;
  net::HeldSockets own_sockets_;
  net::SocketSource& sockets_;
  conf::SystemFileReader own_files_;
  conf::FileReader& files_;
  RememberedFiles remembered_;
  tls::OwnSecrets own_secrets_;
  OwnLogOpener own_logs_;
  net::UvLoops more_loops_;
  SystemdService service_;
  const std::unique_ptr<net::UvLoop> loop_;
  std::unique_ptr<Server> server_;  // destroyed before the loop
};

}  // namespace

int run_server(const LaunchOptions& options, const LaunchPlan& plan, UniqueFd channel, bool again,
               std::function<void()> on_ready) {
  ::signal(SIGPIPE, SIG_IGN);
  tune_heap();
  // While still root, who alone may have more than the system's usual. As nginx: the server is of
  // use without.
  if (auto limited = limit_files(plan); !limited)
    BootLog(options.error_log).write(LogLevel::Warn, limited.error().detail);
  if (channel) {
    if (auto became = become_worker(plan); !became) {
      BootLog(options.error_log).write(LogLevel::Emerg, became.error().detail);
      return 1;
    }
    ::prctl(PR_SET_PDEATHSIG,
            SIGQUIT);  // without its keeper the worker finishes what it has and goes
  } else {
    refuse_new_privileges();
  }
  return ServingProcess(options, plan, std::move(channel), std::move(on_ready)).run(again);
}

}  // namespace gatescope::server
