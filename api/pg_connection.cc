#include "api/pg_connection.h"

#include <fmt/format.h>

#include <stdexcept>
#include <utility>

#include "api/database.h"
#include "api/pg_library.h"
#include "api/postgres_files.h"

namespace gatescope::api {

namespace {

/// libpq's texts have several lines, and end in a line feed.
std::string one_line(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const char put = c == '\n' || c == '\t' ? ' ' : c;
    if (put != ' ' || (!out.empty() && out.back() != ' ')) out += put;
  }
  while (!out.empty() && out.back() == ' ')
    out.pop_back();
  return out;
}

Error error_of(ErrorKind kind, const std::string& detail) {
  return make_error(kind, Origin::Internal, "database: " + detail);
}

/// How to mend what stands in the way of a first connection.
std::string mend(const std::string& why) {
  if (const auto at = why.find("FATAL: database \""); at != std::string::npos) {
    const auto begin = why.find('"', at) + 1;
    const auto name = why.substr(begin, why.find('"', begin) - begin);
    return fmt::format("; make it with: createdb -T template0 -E UTF8 {}", name);
  }
  if (why.find("Peer authentication failed") != std::string::npos) {
    const auto user = own_os_user();
    return fmt::format("; this process is the system user \"{}\"",
                       user ? user->name : std::string("?"));
  }
  return {};
}

}  // namespace

std::unique_ptr<pqxx::connection> connect_plainly(const std::string& where, Access access) {
  if (auto loaded = libpq().load(); !loaded) throw std::runtime_error(loaded.error().detail);
  std::string complete = with_parameter(where, "connect_timeout", "2");
  complete = with_parameter(std::move(complete), "application_name", "gatescope");
  if (access == Access::ReadWrite)
    complete = with_parameter(std::move(complete), "target_session_attrs", "read-write");
  auto connection = std::make_unique<pqxx::connection>(complete);
#if PQXX_VERSION_MAJOR < 7  // later ones do not reconnect by themselves, and this one says so too
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  connection->inhibit_reactivation(true);
#pragma GCC diagnostic pop
#endif
  return connection;
}

Result<std::unique_ptr<pqxx::connection>> open_connection(const std::string& where, Access access) {
  try {
    auto connection = connect_plainly(where, access);
    pqxx::nontransaction t(*connection);
    t.exec("SET client_encoding = 'UTF8'");
    return connection;
  } catch (const std::exception& e) {
    const std::string why = one_line(e.what());
    return error_of(ErrorKind::Unavailable, why + mend(why));
  }
}

Error database_error(const std::exception& thrown) {
  const std::string what = one_line(thrown.what());
  // libpqxx 6.4 forgets its state
  if (dynamic_cast<const pqxx::insufficient_privilege*>(&thrown) != nullptr)
    return error_of(ErrorKind::Forbidden, what);
  if (const auto* sql = dynamic_cast<const pqxx::sql_error*>(&thrown)) {
    const std::string state = sql->sqlstate();
    const std::string detail = what + " (" + state + ")";
    // Statements and locks that took too long
    if (state == "57014" || state == "55P03") return error_of(ErrorKind::Timeout, detail);
    // Operator intervention; lack of resources, the disk's too; its files' errors; a server that
    // became a standby
    if (state.starts_with("57") || state.starts_with("53") || state.starts_with("58") ||
        state == "25006")
      return error_of(ErrorKind::Unavailable, detail);
    return error_of(ErrorKind::Internal, detail);
  }
  // In doubt: it broke during COMMIT. Rolled back: a deadlock.
  if (dynamic_cast<const pqxx::transaction_rollback*>(&thrown) != nullptr ||
      dynamic_cast<const pqxx::broken_connection*>(&thrown) != nullptr ||
      dynamic_cast<const pqxx::in_doubt_error*>(&thrown) != nullptr) {
    return error_of(ErrorKind::Unavailable, what);
  }
  return error_of(ErrorKind::Internal, what);
}

}  // namespace gatescope::api
