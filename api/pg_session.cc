#include "api/pg_session.h"

#include <sys/socket.h>

#include <utility>

#include "api/pg_connection.h"
#include "api/pg_schema.h"

namespace gatescope::api {

namespace {

std::int64_t steady_now() {
  return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::milliseconds(1);
}

constexpr std::int64_t kRefusedFor = 500;  // milliseconds

Error unavailable(std::string detail) {
  return make_error(ErrorKind::Unavailable, Origin::Internal, std::move(detail));
}

}  // namespace

void PgCut::cut() {
  const std::lock_guard lock(mutex_);
  cut_ = true;
  if (fd_ >= 0) ::shutdown(fd_, SHUT_RDWR);
}

bool PgCut::is_cut() const {
  const std::lock_guard lock(mutex_);
  return cut_;
}

void PgCut::use(int fd) {
  const std::lock_guard lock(mutex_);
  fd_ = fd;
  if (cut_ && fd_ >= 0) ::shutdown(fd_, SHUT_RDWR);
}

Result<void> PgSession::work(const std::string& connection_string, PgCut& cut, const PgWork& work) {
  const bool fresh = connection_ == nullptr;
  bool broken = false;
  auto result = attempt(connection_string, cut, work, broken);
  cut.use(-1);
  if (!broken) return result;
  connection_.reset();
  if (fresh || cut.is_cut()) return result;
  // A kept connection breaks whenever the server was restarted in between: once more with a new
  // one.
  broken = false;
  result = attempt(connection_string, cut, work, broken);
  cut.use(-1);
  if (broken) connection_.reset();
  return result;
}

Result<void> PgSession::attempt(const std::string& connection_string, PgCut& cut,
                                const PgWork& work, bool& broken) {
  try {
    if (connection_ == nullptr || connected_to_ != connection_string) {
      if (auto connected = connect(connection_string, cut); !connected) {
        broken = true;
        return connected;
      }
    }
    cut.use(connection_->sock());
    return work(*this);
  } catch (const pqxx::sql_error& e) {
    auto error = database_error(e);
    broken = error.kind == ErrorKind::Unavailable;
    // Somebody dropped our tables, or a part of them.
    if (e.sqlstate() == "42P01" || e.sqlstate() == "3F000" || e.sqlstate() == "42703") {
      const std::lock_guard lock(shared_.mutex);
      shared_.schema_ready = false;
      broken = true;
    }
    return error;
  } catch (const std::exception& e) {
    broken = true;  // it is gone, or in a state that nobody knows
    return database_error(e);
  }
}

Result<void> PgSession::connect(const std::string& connection_string, PgCut& cut) {
  connection_.reset();
  if (steady_now() < shared_.refused_until)
    return unavailable("database: it was not reachable just now");
  try {
    connection_ = connect_plainly(connection_string);
  } catch (const std::exception& e) {
    shared_.refused_until = steady_now() + kRefusedFor;
    return unavailable(database_error(e).detail);
  }
  connected_to_ = connection_string;
  cut.use(connection_->sock());
  {
    const std::lock_guard lock(shared_.mutex);
    if (!shared_.schema_ready) {
      if (auto prepared = prepare_database(*connection_); !prepared) return prepared;
      shared_.schema_ready = true;
    }
  }
  {
    pqxx::nontransaction t(*connection_);
    t.exec("SET client_encoding = 'UTF8'");
    t.exec("SET statement_timeout = 10000");  // longer than any deadline of ours: a second net
    // A job that was cut off must not go on waiting for a lock there, and hold a connection.
    t.exec(
        "SELECT set_config(name, '1000', false) FROM pg_settings WHERE name = "
        "'client_connection_check_interval'");
  }
  prepare_statements(*connection_);
  return {};
}

}  // namespace gatescope::api
