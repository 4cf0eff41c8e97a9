#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "conf/schema.h"
#include "proxy/base/log_file.h"

namespace gatescope::api {

enum class DatabaseKind { Embedded, Environment, Connection };
enum class SearchWhere { Local, Oeis, LocalThenOeis };

/// api.log as the old service rotated it: 20 MB, 9 old files.
inline const LogFileSettings kApiLogRotation{.rotate_at = 20u << 20, .keep = 9, .background = true};

/// A parameter of api_log after the path: size=20m (at least 4k) or keep=9 (at most 999). False: it
/// is neither, or not in these bounds. The keeper asks too.
bool take_api_log_rotation(std::string_view word, LogFileSettings& settings);

/// The block `numberscope { }` and `state_dir`: set on the main level, known at every level inside.
struct NumberscopeSettings final : conf::Settings {
  conf::Inherited<bool> present{false};  // the block was there
  conf::Inherited<DatabaseKind> database{DatabaseKind::Embedded};
  conf::Inherited<std::string> connection;  // with DatabaseKind::Connection
  conf::Inherited<std::string> env_file;    // absolute; empty: the process's environment only
  conf::Inherited<std::string> oeis{"https://oeis.org"};  // no slash at the end; empty: never asked
  conf::Inherited<std::string> oeis_agent{"numberscope/1.0 (+https://numberscope.colorado.edu)"};
  conf::Inherited<std::string> oeisdata;                     // absolute; empty: none
  conf::Inherited<std::string> state_dir;                    // absolute, as written
  conf::Inherited<std::string> default_state_dir;            // absolute; below the prefix
  conf::Inherited<std::uint64_t> api_cache_size{64u << 20};  // bytes

  // For later slices: checked and kept.
  conf::Inherited<SearchWhere> search{SearchWhere::Local};
  conf::Inherited<std::uint64_t> factor_workers{1};
  conf::Inherited<std::string> api_log;  // absolute; empty: none
  conf::Inherited<LogFileSettings> api_log_rotation{kApiLogRotation};

  const std::string& state_folder() const {
    return state_dir.get().empty() ? default_state_dir.get() : state_dir.get();
  }
  void inherit(const Settings& outer) override;
};

/// The tables: the block, its directives, state_dir, numberscope_api. The Loader must provide() the
/// ApiModule.
void add_numberscope_directives(conf::Schema& schema);

/// What a location names before the endpoints: "/api" of `location /api/`, "" of `location /`, and
/// "/api" where the pattern is no path (a regular expression, a name).
std::string prefix_of_location(const conf::Scope& location);

}  // namespace gatescope::api
