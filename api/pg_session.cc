#include "api/pg_session.h"

#include <sys/socket.h>

#include "api/pg_library.h"
#include "api/pg_schema.h"

namespace gatescope::api {

namespace {

std::int64_t steady_now() {
  return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::milliseconds(1);
}

constexpr std::int64_t kRefusedFor = 500;  // milliseconds

Error unavailable(std::string_view what) {
  while (!what.empty() && (what.back() == '\n' || what.back() == ' '))
    what.remove_suffix(1);
  return make_error(ErrorKind::Unavailable, Origin::Internal, "database: " + std::string(what));
}

Error of_sql(const pqxx::sql_error& e) {
  const std::string state = e.sqlstate();
  const std::string what = "database: " + std::string(e.what()) + " (" + state + ")";
  if (state == "57014") return make_error(ErrorKind::Timeout, Origin::Internal, what);
  // Operator intervention, lack of resources: as good as away.
  if (state.starts_with("57") || state.starts_with("53"))
    return make_error(ErrorKind::Unavailable, Origin::Internal, what);
  return make_error(ErrorKind::Internal, Origin::Internal, what);
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
  } catch (const pqxx::broken_connection& e) {
    broken = true;
    return unavailable(e.what());
  } catch (const pqxx::in_doubt_error& e) {  // it broke during COMMIT
    broken = true;
    return unavailable(e.what());
  } catch (const pqxx::sql_error& e) {
    const Error error = of_sql(e);
    broken = error.kind == ErrorKind::Unavailable;
    if (e.sqlstate() == "42P01" || e.sqlstate() == "3F000") {  // somebody dropped our tables
      const std::lock_guard lock(shared_.mutex);
      shared_.schema_ready = false;
      broken = true;
    }
    return error;
  } catch (const std::exception& e) {
    broken = true;  // no idea what state it is in
    return make_error(ErrorKind::Internal, Origin::Internal, "database: " + std::string(e.what()));
  }
}

Result<void> PgSession::connect(const std::string& connection_string, PgCut& cut) {
  connection_.reset();
  if (auto loaded = libpq().load(); !loaded) return loaded;
  if (steady_now() < shared_.refused_until) return unavailable("it was not reachable just now");
  std::string complete = with_parameter(connection_string, "connect_timeout", "2");
  complete = with_parameter(std::move(complete), "application_name", "gatescope");
  try {
    connection_ = std::make_unique<pqxx::connection>(complete);
  } catch (const std::exception& e) {
    shared_.refused_until = steady_now() + kRefusedFor;
    return unavailable(e.what());
  }
  connected_to_ = connection_string;
#if PQXX_VERSION_MAJOR < 7  // later ones do not reconnect by themselves, and this one says so too
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  connection_->inhibit_reactivation(true);
#pragma GCC diagnostic pop
#endif
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
  }
  prepare_statements(*connection_);
  return {};
}

}  // namespace gatescope::api
