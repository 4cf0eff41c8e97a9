#pragma once

#include <string>

#include "api/api_directives.h"
#include "conf/syntax.h"
#include "proxy/base/result.h"

namespace gatescope::api {

/// Which database a configuration means. A value: commands make it before they give root up, who
/// alone may be allowed to read the files.
struct DatabaseChoice {
  std::string connection;    // libpq's keywords or URI; empty: the embedded one
  std::string state_folder;  // absolute
  std::string environment;   // APP_ENVIRONMENT of env_file or the process; empty: not said

  bool embedded() const { return connection.empty(); }
  bool production() const { return environment == "production"; }
};
Result<DatabaseChoice> choose_database(const NumberscopeSettings& settings);

/// The same of a configuration as written: its block `numberscope` and its state_dir are loaded,
/// and nothing else, so that neither keys nor addresses are touched. `prefix` and `conf_folder` end
/// in a slash. Error Invalid: what is wrong, with the place.
Result<DatabaseChoice> choose_database(const conf::Document& document, const std::string& prefix,
                                       const std::string& conf_folder);

}  // namespace gatescope::api
