#include "api/command_database.h"

#include <utility>

#include "api/embedded_postgres.h"

namespace gatescope::api {

namespace {

// In a row: what passes by itself (backends of a server that was killed) has done so by then.
constexpr unsigned kEnoughFailures = 4;
constexpr Duration kStopWithin{20'000};
// Until EmbeddedPostgres has noticed that a server went, ours or another gatescope's.
constexpr Duration kNotice{300};

}  // namespace

CommandDatabase::CommandDatabase(DatabaseChoice choice, Log& log)
    : choice_(std::move(choice)), loop_(net::UvLoop::make(sockets_, log)) {
  if (!choice_.embedded()) return;
  embedded_ = std::make_unique<EmbeddedPostgres>(
      *loop_, log, EmbeddedPostgresSettings{.state_dir = choice_.state_folder}, nullptr);
  embedded_->start();
}

Result<std::unique_ptr<CommandDatabase>> CommandDatabase::open(DatabaseChoice choice, Log& log,
                                                               Duration within) {
  std::unique_ptr<CommandDatabase> database(new CommandDatabase(std::move(choice), log));
  if (auto ready = database->wait_ready(within); !ready) return ready.error();
  return database;
}

CommandDatabase::~CommandDatabase() {
  if (!embedded_) return;
  bool stopped = false;
  embedded_->stop([&stopped] { stopped = true; });
  turn_until([&] { return stopped; }, kStopWithin);
  embedded_.reset();  // killed, if it still runs: nothing committed is lost
}

std::string CommandDatabase::connection_string() const {
  return embedded_ ? embedded_->connection_string() : choice_.connection;
}

Result<void> CommandDatabase::wait(Duration within) {
  if (!embedded_) return {};
  turn_until([] { return false; }, kNotice);
  return wait_ready(within);
}

Result<void> CommandDatabase::wait_ready(Duration within) {
  if (!embedded_) return {};
  const unsigned before = embedded_->failures();
  const auto settled = [this, before] {
    return embedded_->ready() || embedded_->failures() >= before + kEnoughFailures;
  };
  const bool in_time = turn_until(settled, within);
  if (embedded_->ready()) return {};
  return make_error(in_time ? ErrorKind::Unavailable : ErrorKind::Timeout, Origin::Internal,
                    "embedded PostgreSQL in \"" + choice_.state_folder + "\": " +
                        (embedded_->last_failure().empty()
                             ? std::string(name_of(embedded_->state())) + ", not ready in time"
                             : embedded_->last_failure()));
}

bool CommandDatabase::turn_until(const std::function<bool()>& holds, Duration within) {
  struct : net::TimerEvents {
    void on_timer(net::Timer&) override {}
  } nothing;
  const auto tick = loop_->make_timer(nothing);  // a turn waits for something to happen
  const MonoTime end = SystemClock().now() + within;
  while (!holds() && SystemClock().now() < end) {
    tick->start(Duration(20));
    loop_->run_turn();
  }
  return holds();
}

}  // namespace gatescope::api
