#include "api/pg_changes.h"

#include <algorithm>
#include <utility>

#include "api/pg_connection.h"
#include "api/pg_lane.h"
#include "api/pg_notify.h"
#include "api/pg_session.h"

namespace gatescope::api {

namespace {

constexpr long kListenFor = 5;  // seconds: then the server is asked whether it is still there
// Of one piece of work: past it the server is silent, and its socket is shut down.
constexpr Duration kPatience{10'000};
constexpr std::string_view kImportedByCommand = "imported";  // from psql, too
constexpr Duration kFirstRest{100}, kLongestRest{2'000};

class Receiver final : public pqxx::notification_receiver {
 public:
  explicit Receiver(pqxx::connection& connection)
      : pqxx::notification_receiver(connection, kChannel) {}
  void operator()(const std::string& payload, int) override { heard.push_back(payload); }
  std::vector<std::string> heard;
};

}  // namespace

/// The connection, and what receives on it.
struct PgEar {
  std::unique_ptr<pqxx::connection> connection;  // null: none
  std::unique_ptr<Receiver> receiver;
  std::string connected_to;

  void hang_up() {
    receiver.reset();
    connection.reset();
  }
};

/// What one piece of work brought.
struct PgChanges::Heard {
  bool connected = false;  // only now
  std::vector<std::string> payloads;
  std::optional<Error> failure;
};

PgChanges::PgChanges(net::Loop& loop, Log& log, const Database& database, std::string own,
                     Stats* stats)
    : loop_(loop),
      log_(log),
      database_(database),
      own_(std::move(own)),
      ear_(std::make_shared<PgEar>()),
      lane_(loop.make_lane({.name = "changes", .threads = 1})),
      deadline_(loop.make_timer(*this)),
      rest_(loop.make_timer(*this)) {
  if (stats != nullptr) {
    heard_ = &stats->counter("database_changes_heard", "notifications",
                             "Changes of the database by other gatescopes.");
    connects_ =
        &stats->counter("database_listens", "connections", "Connections made to hear of changes.");
    up_ = &stats->gauge("database_up", "", kUpHelp);
  }
  rest_->start(Duration(0));
}

PgChanges::~PgChanges() {
  if (cut_) cut_->cut();
  ticket_.reset();
  lane_.reset();  // waits for its thread
}

void PgChanges::listen() {
  if (!database_.ready()) {
    if (up_ != nullptr) up_->set(0);
    return rest_->start(kFirstRest);
  }
  if (state_ == State::Resting) state_ = State::Connecting;
  auto heard = std::make_shared<Heard>();
  cut_ = std::make_shared<PgCut>();
  auto ticket = lane_->submit(
      [ear = ear_, where = database_.connection_string(), cut = cut_, heard](unsigned) {
        try {
          if (ear->connection == nullptr || ear->connected_to != where) {
            ear->hang_up();
            ear->connection = connect_plainly(where);
            cut->use(ear->connection->sock());
            ear->receiver = std::make_unique<Receiver>(*ear->connection);
            ear->connected_to = where;
            heard->connected = true;
          } else {
            cut->use(ear->connection->sock());
            if (ear->connection->await_notification(kListenFor, 0) == 0)
              pqxx::nontransaction(*ear->connection).exec("SELECT 1");
            heard->payloads.swap(ear->receiver->heard);
          }
        } catch (const std::exception& e) {
          heard->failure = database_error(e);
        }
        cut->use(-1);
        if (heard->failure || cut->is_cut()) ear->hang_up();
      },
      [this, heard] { on_heard(*heard); });
  if (!ticket) return rest_->start(kLongestRest);
  ticket_ = std::move(*ticket);
  deadline_->start(kPatience);
}

void PgChanges::on_heard(const Heard& heard) {
  deadline_->stop();
  ticket_.reset();
  if (heard.failure || cut_->is_cut()) {
    const std::string why = heard.failure ? heard.failure->detail : "database: it is silent";
    if (why != last_failure_) {
      log_.print(LogLevel::Warn, "no changes of other gatescopes are heard: {}", why);
      last_failure_ = why;
    }
    state_ = State::Resting;
    if (up_ != nullptr) up_->set(0);
    return rest_->start(std::min(kFirstRest * (1 << std::min(failures_++, 5u)), kLongestRest));
  }
  rest_->start(Duration(0));  // the next one, whatever the events do
  if (up_ != nullptr) up_->set(1);
  if (heard.connected) {
    if (!last_failure_.empty())
      log_.print(LogLevel::Notice, "changes of other gatescopes are heard again");
    last_failure_.clear();
    failures_ = 0;
    state_ = State::Listening;
    if (connects_ != nullptr) connects_->add();
    if (events_ != nullptr) events_->on_changes_missed();
    return;
  }
  for (const auto& payload : heard.payloads)
    tell(payload);
}

void PgChanges::tell(const std::string& payload) {
  if (payload == kImportedByCommand) {
    if (events_ != nullptr) events_->on_imported();
    return;
  }
  const auto blank = payload.find(' ');
  if (blank == std::string::npos || payload.substr(0, blank) == own_) return;
  if (heard_ != nullptr) heard_->add();
  if (events_ == nullptr) return;
  const std::string_view what = std::string_view(payload).substr(blank + 1);
  if (what == "*") return events_->on_imported();
  if (const auto id = SequenceId::parse(what)) events_->on_changed(*id);
}

void PgChanges::on_timer(net::Timer& timer) {
  if (&timer == deadline_.get()) return cut_->cut();  // its end comes as always
  listen();
}

}  // namespace gatescope::api
