#include "api/embedded_postgres.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <utility>

namespace gatescope::api {

namespace {

constexpr Duration kFirstProbe{5}, kLastProbe{100};  // readiness is near, then it may take long
constexpr Duration kFirstBackOff{100}, kLastBackOff{30'000};
constexpr Duration kWatch{100};      // another's lock, a server that is to go
constexpr Duration kSteady{60'000};  // up for so long: its next death is news
constexpr std::string_view kSocketName = "/.s.PGSQL.5432";

// Small: about 20 MB; nothing of it is reachable by the network (measured in doc/architecture.md).
constexpr const char* kServerSettings[] = {
    "listen_addresses=",
    "port=5432",
    "shared_buffers=16MB",
    "max_connections=12",
    "wal_level=minimal",
    "max_wal_senders=0",
    "max_worker_processes=0",
    "max_parallel_workers=0",
    "wal_buffers=256kB",
    "max_logical_replication_workers=0",
    "dynamic_shared_memory_type=mmap",
    "jit=off",
};

std::string describe(int status) {
  if (WIFSIGNALED(status)) return fmt::format("was ended by signal {}", WTERMSIG(status));
  return fmt::format("ended with status {}", WEXITSTATUS(status));
}

/// The signals of a stop, from polite to final: fast shutdown; immediate (recovery at the next
/// start; needed because a fast one during crash recovery took 60 s); kill.
constexpr int kStopSignals[] = {SIGINT, SIGQUIT, SIGKILL};

}  // namespace

std::string_view name_of(EmbeddedPostgres::State state) {
  constexpr std::string_view kNames[] = {"idle",         "adopting", "adopted", "evicting",
                                         "initialising", "starting", "ready",   "backing off",
                                         "stopping",     "stopped"};
  return kNames[static_cast<std::size_t>(state)];
}

EmbeddedPostgres::EmbeddedPostgres(net::Loop& loop, Log& log, EmbeddedPostgresSettings settings,
                                   Stats* stats)
    : loop_(loop),
      log_(log),
      settings_(std::move(settings)),
      folder_(settings_.state_dir + "/postgres"),
      data_(folder_ + "/data"),
      sockets_(folder_ + "/run"),
      lock_path_(settings_.state_dir + "/postgres.lock"),
      users_path_(settings_.state_dir + "/postgres.users"),
      log_path_(settings_.state_dir + "/postgres.log"),
      timer_(loop.make_timer(*this)) {
  if (stats == nullptr) return;
  shown_state_ = &stats->gauge("embedded_postgres_state", "state",
                               "0 idle, 1 adopting, 2 adopted, 3 evicting, 4 initialising, 5 "
                               "starting, 6 ready, 7 backing off, 8 stopping, 9 stopped.");
  starts_ = &stats->counter("embedded_postgres_starts", "starts", "Starts of the server.");
}

EmbeddedPostgres::~EmbeddedPostgres() = default;

std::string EmbeddedPostgres::connection_string() const {
  std::string path = "'";
  for (const char c : sockets_) {
    if (c == '\'' || c == '\\') path += '\\';
    path += c;
  }
  return fmt::format("host={}' port=5432 user={} dbname={}", path, kUser, kDatabase);
}

void EmbeddedPostgres::enter(State state) {
  state_ = state;
  entered_ = loop_.clock().now();
  if (shown_state_ != nullptr) shown_state_->set(static_cast<std::int64_t>(state));
}

void EmbeddedPostgres::notify() {
  if (events_ != nullptr) events_->on_database_changed();
}

void EmbeddedPostgres::start() {
  if (state_ == State::Idle || state_ == State::Stopped) begin();
}

void EmbeddedPostgres::begin() {
  if (auto prepared = prepare_folders(); !prepared) return back_off(prepared.error().detail);
  if (!users_) {
    auto users = net::UsersFile::open(users_path_);
    if (!users) return back_off(users.error().detail);
    users_ = std::move(*users);
  }
  if (!users_.enter()) {
    // Nobody used the server a moment ago, so it is being stopped
    evicted_.reset();
    enter(State::Evicting);
    timer_->start(kWatch);
    return;
  }
  if (!lock_) {
    auto lock = try_lock(lock_path_);
    if (!lock) return back_off(lock.error().detail);
    lock_ = std::move(*lock);
  }
  if (lock_) return begin_as_owner();
  log_.print(LogLevel::Notice, "embedded PostgreSQL: another gatescope runs it, using that one");
  enter(State::Adopting);
  delay_ = kFirstProbe;
  probe();
}

Result<void> EmbeddedPostgres::prepare_folders() {
  const std::string socket = sockets_ + std::string(kSocketName);
  constexpr std::size_t kLongest = 107;  // sizeof(sockaddr_un::sun_path) less the NUL
  if (socket.size() > kLongest) {
    return make_error(ErrorKind::Invalid, Origin::Internal,
                      fmt::format("the socket \"{}\" of embedded PostgreSQL would have a path of "
                                  "{} bytes, the system allows {}: choose a state_dir that is "
                                  "shorter by {}",
                                  socket, socket.size(), kLongest, socket.size() - kLongest));
  }
  auto binaries = find_postgres_binaries();
  if (!binaries) return binaries.error();
  auto user = postgres_os_user();
  if (!user) return user.error();
  auto own = own_os_user();
  if (!own) return own.error();
  binaries_ = std::move(*binaries);
  user_ = std::move(*user);
  own_user_ = std::move(*own);
  if (!std::filesystem::exists(settings_.state_dir)) {
    // Passable, not readable: what is in there has modes of its own.
    if (auto made = make_folder(settings_.state_dir, 0711, own_user_); !made) return made;
  }
  if (auto open = check_passable(folder_, user_); !open) return open;
  if (auto made = make_folder(folder_, 0700, user_); !made) return made;
  return make_folder(sockets_, 0700, user_);
}

void EmbeddedPostgres::begin_as_owner() {
  evicted_ = living_postmaster(data_);
  if (evicted_ && users_.is_guarded()) {
    if (auto taken = take_over_server(*evicted_); !taken) back_off(taken.error().detail);
    return;
  }
  if (evicted_) {
    log_.print(LogLevel::Notice,
               "embedded PostgreSQL: process {} was left by a gatescope that ended, stopping it",
               *evicted_);
    enter(State::Evicting);
    insisted_ = 0;
    ::kill(*evicted_, kStopSignals[insisted_++]);
    timer_->start(kFirstProbe);
    return;
  }
  const bool made = std::filesystem::exists(data_ + "/PG_VERSION");
  auto begun = made ? start_server() : initialise();
  if (!begun) back_off(begun.error().detail);
}

/// It was another gatescope's, which has gone, and runs on.
Result<void> EmbeddedPostgres::take_over_server(pid_t postmaster) {
  auto server = net::watch_process(loop_, postmaster, *this);
  if (!server) return server.error();
  server_ = std::move(*server);
  log_.print(LogLevel::Notice,
             "embedded PostgreSQL: process {} of a gatescope that ended is this one's now",
             postmaster);
  if (state_ == State::Adopted) {
    postmaster_ = postmaster;
    enter(State::Ready);
    return {};
  }
  enter(State::Starting);
  delay_ = kFirstProbe;
  timer_->start(delay_);
  return {};
}

Result<std::unique_ptr<net::Process>> EmbeddedPostgres::spawn(std::vector<std::string> argv,
                                                              int death_signal) {
  const net::ProcessOptions options{
      .argv = std::move(argv),
      .environment = {"PATH=/usr/bin:/bin:" + binaries_, "LC_ALL=C.UTF-8"},
      .directory = folder_,
      .run_as = user_.name,
      .output = log_path_,
      .death_signal = death_signal};
  return death_signal != 0 ? loop_.spawn(options, *this)
                           : net::spawn_guarded(loop_, options, users_path_, *this);
}

Result<void> EmbeddedPostgres::initialise() {
  // Made beside its place: a crash half-way leaves nothing that looks like a cluster.
  const std::string fresh = data_ + ".new";
  std::error_code failed;
  std::filesystem::remove_all(fresh, failed);
  if (failed) return system_error(failed.value(), "removing \"" + fresh + "\" failed");
  log_.print(LogLevel::Notice, "embedded PostgreSQL: making a cluster in \"{}\"", data_);
  auto process = spawn({binaries_ + "/initdb", "-D", fresh, "-U", std::string(kUser), "-A", "peer",
                        "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions"},
                       SIGKILL);
  if (!process) return process.error();
  server_ = std::move(*process);
  enter(State::Initialising);
  timer_->start(settings_.initdb_limit);
  return {};
}

Result<void> EmbeddedPostgres::finish_initialising() {
  const std::string fresh = data_ + ".new";
  if (auto written = write_access_rules(fresh); !written) return written;
  // Once for the whole disk instead of initdb's thousand times (0.05 s instead of 4 s here); a
  // power cut after the rename would leave a cluster that looks whole.
  {
    const UniqueFd fd(::open(fresh.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd || ::syncfs(fd.get()) != 0)
      return system_error(errno, "syncfs() \"" + fresh + "\" failed");
  }
  if (::rename(fresh.c_str(), data_.c_str()) != 0)
    return system_error(errno, "rename() \"" + fresh + "\" failed");
  return start_server();
}

Result<void> EmbeddedPostgres::write_access_rules(const std::string& data) {
  // At every start: the user that we are may have changed.
  std::string names = fmt::format("own {} {}\n", own_user_.name, kUser);
  if (user_.name != own_user_.name) names += fmt::format("own {} {}\n", user_.name, kUser);
  if (auto written = write_atomically(data + "/pg_ident.conf", names, user_); !written)
    return written;
  return write_atomically(data + "/pg_hba.conf", "local all all peer map=own\n", user_);
}

Result<void> EmbeddedPostgres::start_server() {
  if (auto written = write_access_rules(data_); !written) return written;
  remove_misleading_pid_file(data_);
  std::vector<std::string> argv{binaries_ + "/postgres", "-D", data_, "-c",
                                "unix_socket_directories=" + sockets_};
  for (const char* setting : kServerSettings) {
    argv.emplace_back("-c");
    argv.emplace_back(setting);
  }
  auto process = spawn(std::move(argv), 0);
  if (!process) return process.error();
  server_ = std::move(*process);
  if (starts_ != nullptr) starts_->add();
  enter(State::Starting);
  delay_ = kFirstProbe;
  timer_->start(delay_);
  return {};
}

void EmbeddedPostgres::probe() {
  const auto where = net::Endpoint::unix_path(sockets_ + std::string(kSocketName));
  if (!where) return back_off(where.error().detail);
  PostgresProbeEvents& events = *this;  // a private base: only we can see that
  probe_ = std::make_unique<PostgresProbe>(loop_, *where, std::string(kUser),
                                           std::string(kDatabase), events);
}

void EmbeddedPostgres::on_probed(Verdict verdict, const std::string& why) {
  loop_.discard(std::move(probe_));
  if (state_ == State::Starting) return on_starting_probed(verdict, why);
  if (state_ != State::Adopting) return;
  timer_->start(kWatch);
  if (verdict == Verdict::Refused && last_failure_.empty()) {
    last_failure_ = "another gatescope's server refuses us: " + why;
    log_.print(LogLevel::Error, "embedded PostgreSQL: {}", last_failure_);
  }
  if (verdict != Verdict::Ready) return;
  last_failure_.clear();
  enter(State::Adopted);
  notify();
}

void EmbeddedPostgres::on_starting_probed(Verdict verdict, const std::string& why) {
  if (verdict == Verdict::Ready) {
    timer_->stop();
    enter(State::Ready);
    last_failure_.clear();
    postmaster_ = living_postmaster(data_).value_or(server_->pid());
    log_.print(LogLevel::Notice, "embedded PostgreSQL: ready, process {}", postmaster_);
    return notify();
  }
  if (verdict == Verdict::Refused) return back_off("it refuses us: " + why);
  if (loop_.clock().now() - entered_ > settings_.start_limit)
    return back_off("it does not get ready: " + why);
  delay_ = std::min(delay_ * 2, kLastProbe);
  timer_->start(delay_);
}

void EmbeddedPostgres::on_exit(int status) {
  const int pid = state_ == State::Ready ? postmaster_ : server_->pid();
  loop_.discard(std::move(server_));
  switch (state_) {
    case State::Initialising:
      if (status == 0) {
        if (auto begun = finish_initialising(); !begun) back_off(begun.error().detail);
        return;
      }
      return back_off(fmt::format("initdb {}, see \"{}\"", describe(status), log_path_));
    case State::Ready:
      if (loop_.clock().now() - entered_ > kSteady) failures_ = 0;
      [[fallthrough]];
    case State::Starting:
      return back_off(fmt::format("process {} {}, see \"{}\"", pid, describe(status), log_path_));
    case State::Stopping:
      return finish_stop();
    default:
      return;
  }
}

void EmbeddedPostgres::back_off(const std::string& why) {
  const bool was_ready = ready();
  if (why != last_failure_) log_.print(LogLevel::Error, "embedded PostgreSQL: {}", why);
  last_failure_ = why;
  loop_.discard(std::move(probe_));
  if (server_) server_->signal(SIGQUIT);
  loop_.discard(std::move(server_));
  enter(State::BackingOff);
  timer_->start(std::min(kFirstBackOff * (1u << std::min(failures_, 10u)), kLastBackOff));
  ++failures_;
  if (was_ready) notify();
}

void EmbeddedPostgres::on_timer(net::Timer&) {
  switch (state_) {
    case State::Adopting:
    case State::Adopted: {
      if (auto lock = try_lock(lock_path_); lock && *lock) {
        lock_ = std::move(*lock);  // the other one has gone
        return begin();
      }
      if (state_ == State::Adopting) return probe();
      timer_->start(kWatch);
      return;
    }
    case State::Evicting:
      if (!living_postmaster(data_) || !evicted_) return begin();
      insist();
      timer_->start(kWatch);
      return;
    case State::Initialising:
      return back_off("initdb takes too long");
    case State::Starting:
      return probe();
    case State::BackingOff:
      return begin();
    case State::Stopping:
      insist();
      timer_->start(kWatch);
      return;
    case State::Stopped:
      if (const net::Task stopped = std::move(stopped_)) stopped();
      return;
    case State::Idle:
    case State::Ready:
      return;
  }
}

/// Sends the next signal when the last one has had its time.
void EmbeddedPostgres::insist() {
  const auto since = loop_.clock().now() - entered_;
  if (insisted_ >= static_cast<int>(std::size(kStopSignals)) ||
      since < settings_.patience * insisted_)
    return;
  const int number = kStopSignals[insisted_++];
  log_.print(LogLevel::Warn, "embedded PostgreSQL: does not stop, sending signal {}", number);
  if (state_ == State::Evicting && evicted_)
    ::kill(*evicted_, number);
  else if (server_)
    server_->signal(number);
}

void EmbeddedPostgres::stop(net::Task done) {
  stopped_ = std::move(done);
  loop_.discard(std::move(probe_));
  const bool left_to_others = users_ && users_.has_others();
  if (!server_ || state_ == State::Initialising || left_to_others) {
    if (server_ && left_to_others)
      log_.print(LogLevel::Notice, "embedded PostgreSQL: process {} is left to another gatescope",
                 server_pid());
    loop_.discard(std::move(server_));
    return finish_stop();
  }
  enter(State::Stopping);
  insisted_ = 0;
  server_->signal(kStopSignals[insisted_++]);
  timer_->start(kWatch);
  notify();
}

void EmbeddedPostgres::finish_stop() {
  lock_.reset();
  users_ = {};
  enter(State::Stopped);
  timer_->start(Duration(0));  // `done` is not called from inside
}

}  // namespace gatescope::api
