#pragma once

#include <functional>
#include <memory>
#include <string>

#include "api/database_choice.h"
#include "proxy/base/clock.h"
#include "proxy/base/log.h"
#include "proxy/net/socket_source.h"
#include "proxy/net/uv_loop.h"

namespace gatescope::api {

class EmbeddedPostgres;

/// The configured database for a command that works with it and blocks (`gatescope db`, `gatescope
/// oeis import`):
///
///     auto choice = choose_database(*plan.document(), options.prefix, conf_folder);
///     become_worker(plan);                               // when root: the database knows that
///     user auto database = CommandDatabase::open(*choice, log); auto connection =
///     open_connection((*database)->connection_string());    // api/pg_session.h
///
/// An embedded database is the running server's, else it is started here and stopped at the end; a
/// server that starts meanwhile uses it, and takes over afterwards. Used by one thread, the one
/// that opened it (the started server ends with it). Owned by the command.
class CommandDatabase {
 public:
  /// Waits until an embedded one takes connections. Nothing is asked of a given one yet. Errors:
  /// what is wrong with the embedded one and how to mend it; Timeout. `log`, which outlives this,
  /// gets what goes on.
  static Result<std::unique_ptr<CommandDatabase>> open(DatabaseChoice choice, Log& log,
                                                       Duration within = Duration(120'000));
  ~CommandDatabase();
  CommandDatabase(const CommandDatabase&) = delete;
  CommandDatabase& operator=(const CommandDatabase&) = delete;

  const DatabaseChoice& choice() const { return choice_; }
  /// libpq's keywords or URI.
  std::string connection_string() const;
  /// After a connection broke: waits until an embedded server, perhaps another one, takes
  /// connections. As open().
  Result<void> wait(Duration within = Duration(30'000));

 private:
  CommandDatabase(DatabaseChoice choice, Log& log);
  Result<void> wait_ready(Duration within);
  bool turn_until(const std::function<bool()>& holds, Duration within);

  const DatabaseChoice choice_;
  net::OwnSockets sockets_;
  const std::unique_ptr<net::UvLoop> loop_;
  std::unique_ptr<EmbeddedPostgres> embedded_;  // null: the database is another's
};

}  // namespace gatescope::api
