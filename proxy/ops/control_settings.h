#pragma once

#include <string>
#include <string_view>

#include "conf/schema.h"

namespace gatescope::ops {

/// Where commands reach a running gatescope.
struct ControlSettings final : conf::Settings {
  /// Absolute; empty: where default_control_path() says.
  conf::Inherited<std::string> path{""};
  conf::Inherited<bool> off{false};
  void inherit(const Settings&) override {}
};

/// Beside the pid file: the first process can write there, as it cannot in the state folder, which
/// is the worker's alone, when a unit has taken most of root's rights away. Paths are absolute.
std::string default_control_path(std::string_view pid_path);

/// What a unix socket's path may have (sockaddr_un::sun_path less the NUL).
inline constexpr std::size_t kLongestSocketPath = 107;

void add_control_directive(conf::Schema& schema);

}  // namespace gatescope::ops
