#pragma once

#include <cstdint>
#include <string>

#include "conf/schema.h"
#include "proxy/base/clock.h"

namespace gatescope::server {

inline constexpr std::uint64_t kMaxLoops = 256;  // worker_processes

/// The main level's own settings: the process, not what it serves. Defaults are nginx's.
struct MainSettings final : conf::Settings {
  conf::Inherited<std::string> user{"nobody"},
      group{""};  // who the worker becomes when started as root
  conf::Inherited<bool> daemon{true};
  conf::Inherited<std::string> pid{"logs/gatescope.pid"};          // absolute when set
  conf::Inherited<std::uint64_t> worker_processes{1};              // event loops
  conf::Inherited<std::uint64_t> worker_rlimit_nofile{0};          // 0: as it is
  conf::Inherited<Duration> worker_shutdown_timeout{Duration(0)};  // 0: wait for ever
  conf::Inherited<std::uint64_t> worker_connections{512};
  void inherit(const Settings&) override {}
};

/// user, daemon, pid, worker_*, events and its contents.
void add_main_directives(conf::Schema& schema);

}  // namespace gatescope::server
