#pragma once

#include <initializer_list>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "proxy/base/clock.h"
#include "proxy/base/log.h"
#include "proxy/base/log_file.h"

namespace gatescope::api {

/// api.log: what the API fetched and stored, and what went wrong with that; one JSON object a line,
/// keys sorted, with "event", "level", "timestamp" and the event's own fields. Events have the
/// names that the old service gave them, where it had them ("request issue"). Owned by ApiModule,
/// survives reloads. Thread-safe; never waits for the disk where a writer's thread runs.
class ApiLog {
 public:
  using Field = std::pair<std::string_view, std::string>;

  /// `clock`: for any thread.
  explicit ApiLog(const Clock& clock) : clock_(clock) {}

  /// From now on; the file outlives this. Null: events go nowhere.
  void write_to(LogFile* file, SharedLogSettings settings);
  /// And there too, debug events as well (APP_ENVIRONMENT=development). Null: not.
  void show_on(LogFile* console);

  /// Values are text in any encoding. `tags` as the old service's "tags": a list of what was wrong.
  void event(LogLevel level, std::string_view event, std::initializer_list<Field> fields = {},
             std::initializer_list<std::string_view> tags = {});

 private:
  const Clock& clock_;

  std::mutex mutex_;  // guards what follows
  LogFile* file_ = nullptr;
  SharedLogSettings settings_;
  LogFile* console_ = nullptr;
};

}  // namespace gatescope::api
