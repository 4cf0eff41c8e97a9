#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <iostream>
#include <string>

#include "api/command_database.h"
#include "api/pg_admin.h"
#include "proxy/commands/commands.h"
#include "proxy/commands/stderr_log.h"
#include "proxy/process.h"

namespace gatescope::commands {

namespace {

struct DatabaseAsked {
  enum class Action { Status, Init, Clear, Reset };
  Action action = Action::Status;
  bool yes = false;  // clear, reset: do not ask
};
using Action = DatabaseAsked::Action;

constexpr Duration kComesBackWithin{30'000};

std::string size_text(std::int64_t bytes) {
  constexpr std::array kUnits{"bytes", "kB", "MB", "GB", "TB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 10'000 && unit + 1 < kUnits.size(); ++unit)
    value /= 1024;
  return fmt::format("{:.0f} {}", value, kUnits[unit]);
}

std::string place(const api::DatabaseChoice& choice, const api::DatabaseStatus& status) {
  if (choice.embedded())
    return fmt::format("embedded PostgreSQL in {}/postgres", choice.state_folder);
  return fmt::format("\"{}\", as \"{}\"", status.database, status.user);
}

void print(const api::DatabaseChoice& choice, const api::DatabaseStatus& status) {
  const auto line = [](std::string_view label, const std::string& text) {
    fmt::print("{:<14}{}\n", label, text);
  };
  line("database", place(choice, status));
  line("server", fmt::format("PostgreSQL {}{}", status.server_version,
                             status.standby ? ", a standby: it cannot be written to" : ""));
  line("encoding", status.encoding == "UTF8" ? status.encoding
                                             : status.encoding +
                                                   ", but UTF8 is needed: \"gatescope "
                                                   "db init\" says how to mend it");
  if (status.schema_version == 0)
    line("schema", "none yet: \"gatescope db init\" makes it, and so does a server");
  else if (status.schema_version < status.newest_version)
    line("schema", fmt::format("{}, this gatescope brings it to {}", status.schema_version,
                               status.newest_version));
  else if (status.schema_version > status.newest_version)
    line("schema", fmt::format("{}, of a newer gatescope (this one knows {})",
                               status.schema_version, status.newest_version));
  else
    line("schema", fmt::format("{}, up to date", status.schema_version));
  line("size", size_text(status.bytes));
  line("connections", fmt::format("{} of gatescope, the server allows {} in all",
                                  status.connections, status.max_connections));
  line("claims", status.expired_claims == 0
                     ? fmt::format("{}", status.claims)
                     : fmt::format("{}, {} of them expired", status.claims, status.expired_claims));
  line("stuck rows",
       status.stuck == 0
           ? "0"
           : fmt::format("{}: requested by the old service and never got; the next request of each "
                         "fetches it again",
                         status.stuck));
  if (status.tables.empty()) return;
  fmt::print("\n{:<28}{:>12}{:>12}\n", "table", "rows", "size");
  for (const auto& table : status.tables)
    fmt::print("{:<28}{:>12}{:>12}\n", table.name, table.rows, size_text(table.bytes));
}

/// A typed yes, where much may be lost: in production, and in a database that was there before us,
/// unless APP_ENVIRONMENT says that it is none.
Result<void> confirm(const DatabaseAsked& asked, const api::DatabaseChoice& choice,
                     const api::DatabaseStatus& status) {
  const bool harmless =
      choice.embedded() ? !choice.production()
                        : choice.environment == "development" || choice.environment == "testing";
  if (harmless || asked.yes) return {};
  std::int64_t rows = 0;
  for (const auto& table : status.tables)
    rows += table.rows;
  const std::string what = fmt::format(
      "{} {}{}: {} rows would be lost", asked.action == Action::Clear ? "clear" : "reset",
      place(choice, status), choice.production() ? ", in production" : "", rows);
  if (::isatty(STDIN_FILENO) == 0) {
    return make_error(ErrorKind::Invalid, Origin::Internal,
                      what + "; nothing done: say --yes, or call this on a terminal");
  }
  fmt::print("{}.\nType yes to go on: ", what);
  std::fflush(stdout);
  std::string answer;
  std::getline(std::cin, answer);
  if (answer == "yes") return {};
  return make_error(ErrorKind::Cancelled, Origin::Internal, "nothing done");
}

Result<void> act(const DatabaseAsked& asked, const api::CommandDatabase& database) {
  const std::string where = database.connection_string();
  if (asked.action == Action::Init) {
    if (auto made = api::init_database(where); !made) return made;
  } else if (asked.action != Action::Status) {
    const auto status = api::database_status(where);
    if (!status) return status.error();
    if (auto sure = confirm(asked, database.choice(), *status); !sure) return sure;
    auto done =
        asked.action == Action::Clear ? api::clear_database(where) : api::reset_database(where);
    if (!done) return done;
  }
  const auto status = api::database_status(where);
  if (!status) return status.error();
  print(database.choice(), *status);
  return {};
}

int run_database(const DatabaseAsked& asked, const LaunchOptions& options) {
  conf::SystemFileReader files;
  const auto plan = server::LaunchPlan::read(options, files);
  if (!plan) return failed(plan.error());
  // Files that only root may read are read before root is given up for the user who has the
  // embedded database, and whom another's may know.
  auto choice = api::choose_database(*plan->document(), options.prefix,
                                     options.conf_path.substr(0, options.conf_path.rfind('/') + 1));
  if (!choice) return failed(choice.error());
  if (::geteuid() == 0)
    if (auto became = server::become_worker(*plan); !became) return failed(became.error());
  StderrLog log;
  auto database = api::CommandDatabase::open(std::move(*choice), log);
  if (!database) return failed(database.error());
  auto done = act(asked, **database);
  // Another command may have started the embedded server that this one used, and have ended it with
  // its own end. These two may be said again without harm.
  const bool harmless = asked.action == Action::Init || asked.action == Action::Status;
  const MonoTime until = SystemClock().now() + kComesBackWithin;
  while (!done && harmless && (*database)->choice().embedded() &&
         done.error().kind == ErrorKind::Unavailable && SystemClock().now() < until) {
    if (auto back = (*database)->wait(); !back) return failed(back.error());
    done = act(asked, **database);
  }
  return done ? 0 : failed(done.error());
}

/// `gatescope db status | init | clear | reset`: with the database that the configuration names,
/// whether a server runs on it or not.
class DatabaseCommand final : public Command {
  CLI::App& declare(CLI::App& app) override {
    auto* database = app.add_subcommand("db", "the database that the configuration names");
    const auto add = [&](const char* name, Action action, const char* help) {
      auto* command = database->add_subcommand(name, help);
      command->callback([this, action] { asked_.action = action; });
      command->fallthrough();
      if (action == Action::Clear || action == Action::Reset)
        command->add_flag("--yes", asked_.yes, "do not ask");
    };
    add("status", Action::Status, "what it is and what it holds");
    add("init", Action::Init, "make its tables, or bring them up to date");
    add("clear", Action::Clear, "empty its tables");
    add("reset", Action::Reset, "drop its tables and make them again");
    database->require_subcommand(1);
    database->fallthrough();
    return *database;
  }

  int run(const Invocation& invocation) override { return run_database(asked_, invocation.launch); }

  DatabaseAsked asked_;
};

}  // namespace

std::unique_ptr<Command> database_command() {
  return std::make_unique<DatabaseCommand>();
}

}  // namespace gatescope::commands
