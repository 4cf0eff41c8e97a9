#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "proxy/base/result.h"

namespace gatescope::api {

class DatabaseEvents {
 public:
  virtual ~DatabaseEvents() = default;
  /// It became ready, or ceased to be.
  virtual void on_database_changed() = 0;
};

/// Where the database is and whether it is worth trying. One user, on the loop's thread.
class Database {
 public:
  virtual ~Database() = default;
  virtual void set_events(DatabaseEvents* events) = 0;  // null: nobody
  /// False while one that we run ourselves is being made or started: wait instead of trying.
  virtual bool ready() const = 0;
  /// It comes back by itself within moments (we restart it): try again rather than give up.
  virtual bool restarts() const = 0;
  /// libpq's keywords or URI.
  virtual std::string connection_string() const = 0;
};

/// Somebody else's server, named by a connection string. It is always worth trying.
class GivenDatabase final : public Database {
 public:
  explicit GivenDatabase(std::string connection) : connection_(std::move(connection)) {}
  void set_events(DatabaseEvents*) override {}
  bool ready() const override { return true; }
  bool restarts() const override { return false; }
  std::string connection_string() const override { return connection_; }

 private:
  const std::string connection_;
};

/// The text of a file; the keeper may read it for us, with rights that we lack.
using ReadText = std::function<Result<std::string>(const std::string& path)>;
Result<std::string> read_own_text(const std::string& path);

/// What the .env file of the old service and the variables of the process say; those of the process
/// come first, as in the old service.
class Environment {
 public:
  /// `file` may be empty.
  static Result<Environment> read(const std::string& file, const ReadText& read = read_own_text);

  /// APP_ENVIRONMENT; empty: not said.
  std::string application() const { return look_up("APP_ENVIRONMENT"); }
  /// The connection string that is meant: POSTGRES_USER, _PASSWORD, _DB
  /// (APP_ENVIRONMENT=testing: POSTGRES_DISPOSABLE_DB), _HOST (localhost), _PORT (5432). Error: no
  /// database is named.
  Result<std::string> connection() const;

 private:
  std::string look_up(const char* name) const;
  std::string file_;  // its path; empty: none
  std::map<std::string, std::string, std::less<>> variables_;
};

/// Adds `keyword=value` to a connection string of either form, unless it names the keyword.
std::string with_parameter(std::string connection, std::string_view keyword,
                           std::string_view value);

}  // namespace gatescope::api
