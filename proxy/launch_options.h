#pragma once

#include <string>
#include <vector>

namespace gatescope::server {

/// Where the configuration comes from: the command line, made absolute.
struct LaunchOptions {
  std::string prefix;             // -p, ends in '/'
  std::string conf_path;          // -c
  std::string extra;              // -g
  std::string error_log;          // -e: until the configuration says otherwise; "stderr"; empty:
                                  // logs/error.log below the prefix
  std::vector<std::string> argv;  // as it was started: how a new program is started in its place
};

}  // namespace gatescope::server
