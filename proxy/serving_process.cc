#include "proxy/serving_process.h"

#include <fmt/format.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "proxy/pid_file.h"
#include "proxy/privileges.h"
#include "proxy/rare_log.h"

namespace gatescope::server {

ServingProcess::ServingProcess(const LaunchOptions& options, const LaunchPlan& plan,
                               UniqueFd channel, std::function<void()> on_ready)
    : options_(options),
      plan_(plan),
      on_ready_(std::move(on_ready)),
      boot_log_(options.error_log.empty() ? options.prefix + "logs/error.log" : options.error_log),
      keeper_(channel ? std::make_unique<KeeperClient>(std::move(channel)) : nullptr),
      sockets_(keeper_ ? static_cast<net::SocketSource&>(*keeper_) : own_sockets_, boot_log_,
               [](Duration pause) { std::this_thread::sleep_for(pause); }),
      files_(keeper_ ? static_cast<conf::FileReader&>(*keeper_) : own_files_),
      remembered_(plan.document(), files_),
      more_loops_(sockets_, boot_log_),
      loop_(net::UvLoop::make(sockets_, boot_log_)),
      upgrade_(options.argv, boot_log_),
      start_limit_(loop_->make_timer(*this)) {
  if (keeper_) boot_log_.open_with(*keeper_);
}

ServingProcess::~ServingProcess() = default;

int ServingProcess::run(WorkerStart start, Inheritance inherited) {
  std::string handed_over;
  const auto state = keeper_              ? keeper_->inherited()
                     : inherited.handover ? read_handover(inherited.handover.get())
                                          : Result<std::string>(std::string());
  if (state) {
    handed_over = *state;
  } else {
    boot_log_.write(LogLevel::Warn, state.error().detail);
  }
  if (inherited.any()) {
    predecessor_ = Predecessor(std::move(inherited.channel));
    for (auto& socket : inherited.sockets)
      if (auto taken = own_sockets_.inherit(std::move(socket.fd), socket.loop); !taken) {
        boot_log_.write(LogLevel::Emerg, taken.error().detail);
        return 1;
      }
    own_sockets_.share_files(true);
    boot_log_.print(LogLevel::Notice, "using {} sockets of process {}", inherited.sockets.size(),
                    predecessor_.pid());
  }
  if (!begin(start, handed_over)) {
    if (!keeper_) (void)own_sockets_.retain({});
    return 1;
  }
  std::vector<int> signals{SIGHUP, SIGQUIT, SIGTERM, SIGINT, SIGUSR1, SIGUSR2};
  // A keeper gets these; what a terminal sends to all of its processes is not for the worker
  if (!keeper_) signals.insert(signals.end(), {SIGWINCH, SIGCHLD});
  loop_->watch_signals(signals, *this);
  if (auto ready = tell_ready(); !ready) {
    boot_log_.hand_over(nullptr);
    boot_log_.write(LogLevel::Emerg, ready.error().detail);
    return 1;
  }
  if (keeper_) {
    do_task();  // it may have wanted something before it could be told
  } else {
    watch_others();
  }
  say_privileges();
  loop_->run();
  clear_up();
  return 0;
}

void ServingProcess::clear_up() {
  boot_log_.hand_over(nullptr);
  if (!keeper_) {
    remove_pid_file(upgrade_.pid_file(plan_.pid_path));
    (void)own_sockets_.retain({});  // with their files
  }
  new_watch_.reset();
  old_watch_.reset();
  serving_.reset();
  retiring_.clear();
}

/// Something serves. False: nothing can, and it was said why.
bool ServingProcess::begin(WorkerStart start, const std::string& handed_over) {
  Result<void> started;
  if (start != WorkerStart::AsBefore) started = start_server(files_, handed_over);
  if (start == WorkerStart::AsBefore || (!started && start == WorkerStart::Again)) {
    if (!started)
      boot_log_.print(LogLevel::Emerg, "{}; serving the configuration as it was before",
                      started.error().detail);
    as_before_ = true;
    remembered_.turn_to_past();
    started = start_server(remembered_, handed_over);
    remembered_.turn_to_present();  // a reload reads what is there then
  }
  if (!started) {
    boot_log_.write(LogLevel::Emerg, started.error().detail);
    return false;
  }
  boot_log_.hand_over(serving_->server().generation().error_log);
  return true;
}

Result<void> ServingProcess::start_server(conf::FileReader& files, const std::string& handed_over) {
  serving_.reset();
  serving_ = std::make_unique<Instance>(
      *this, World{.loop = *loop_,
                   .clock = clock_,
                   .files = files,
                   .secrets = keeper_ ? static_cast<tls::SecretReader&>(*keeper_) : own_secrets_,
                   .logs = keeper_ ? static_cast<LogOpener&>(*keeper_) : own_logs_,
                   .sockets = sockets_,
                   .more_loops = more_loops_,
                   .logs_in_background = true,
                   .service = &service_,
                   .control = true});
  serving_->server().take_over(handed_over);
  auto started = serving_->server().start();
  if (!started) serving_.reset();
  return started;
}

Result<void> ServingProcess::tell_ready() {
  if (keeper_) {
    if (auto ready = keeper_->ready(as_before_); !ready) return ready;
  } else {
    if (auto written = write_pid_file(plan_.pid_path, ::getpid()); !written) return written;
    on_ready_();
    predecessor_.tell_serving();
  }
  tell_manager();
  return {};
}

void ServingProcess::tell_manager() {
  service_.ready(keeper_ ? ::getppid() : ::getpid());
}

/// What an intruder would find.
void ServingProcess::say_privileges() {
  const auto now = privileges_now();
  const auto* const user = ::getpwuid(::geteuid());
  const bool weak = !now.no_new_privileges || (keeper_ && !now.none());
  log().print(weak ? LogLevel::Warn : LogLevel::Notice, "{} runs as user \"{}\": {}{}",
              keeper_ ? "the worker" : "the process",
              user ? std::string(user->pw_name) : fmt::format("{}", ::geteuid()), now.in_words(),
              keeper_ && ::geteuid() == 0 ? "; name a \"user\" that is not root" : "");
}

Log& ServingProcess::log() {
  return serving_ ? serving_->server().log() : static_cast<Log&>(boot_log_);
}

void ServingProcess::on_signal(int number) {
  if (number == SIGCHLD) return on_child();
  if (number != SIGUSR2 || !keeper_)
    log().print(LogLevel::Notice, "signal {} ({}) received", number, ::strsignal(number));
  switch (number) {
    case SIGHUP:
      if (!serving_) return resume();
      service_.reloading();
      return serving_->server().reload();
    case SIGWINCH:
      return rest();
    case SIGQUIT:
      return end(true);
    case SIGTERM:
    case SIGINT:
      return end(false);
    case SIGUSR1:
      if (serving_) serving_->server().reopen_logs();
      return;
    default:
      return keeper_ ? do_task() : change_binary();
  }
}

void ServingProcess::end(bool gracefully) {
  ending_ = true;
  // Who comes now is refused and does not wait in a queue that nobody empties. A keeper closes its
  // own.
  if (!keeper_) (void)own_sockets_.retain({});
  if (gracefully) {
    retire(others_serve());
  } else {
    if (serving_) serving_->server().stop();
    for (const auto& instance : retiring_)
      instance->server().stop();
  }
  if (!serving_ && retiring_.empty()) loop_->stop();
}

/// Then nothing needs to be closed in haste: they have the new clients. Who has lost its keeper is
/// what is left of a program, beside which the one before it may serve again.
bool ServingProcess::others_serve() const {
  if (keeper_ && !keeper_->alive()) return true;
  return upgrade_.state() == Upgrade::State::Serving || predecessor_.alive();
}

/// What serves takes nobody new any more.
void ServingProcess::retire(bool gently) {
  if (!serving_) return;
  retiring_.push_back(std::move(serving_));
  auto& server = retiring_.back()->server();
  auto texts = std::make_shared<conf::Document>();
  texts->files = server.generation().configuration.document->files;
  remembered_.remember(std::move(texts));
  gently ? server.wind_down() : server.finish();
}

void ServingProcess::on_stopped(Instance& instance) {
  if (ending_ && retiring_.size() + (serving_ ? 1 : 0) == 1) return loop_->stop();
  // It is on the stack
  loop_->post([this, ended = &instance] {
    // What it logged to goes with it
    if (!serving_ || serving_.get() == ended)
      boot_log_.hand_over(std::make_shared<RareLog>(plan_.error_log_of(options_)));
    if (serving_.get() == ended) serving_.reset();
    std::erase_if(retiring_, [&](const auto& one) { return one.get() == ended; });
    if (ending_ && !serving_ && retiring_.empty()) loop_->stop();
  });
}

void ServingProcess::on_reloaded(const Error* error) {
  if (!serving_) return;
  boot_log_.hand_over(serving_->server().generation().error_log);
  tell_manager();
  if (error) return;
  if (keeper_)
    if (auto ready = keeper_->ready(); !ready)
      serving_->server().log().print(LogLevel::Error, "{}", ready.error().detail);
  // Only now is it what a worker that is killed comes back with.
  serving_->server().log().print(LogLevel::Notice, "configuration {} serves",
                                 serving_->server().generation().number);
}

}  // namespace gatescope::server
