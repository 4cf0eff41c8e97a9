#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "conf/schema.h"
#include "conf/template.h"
#include "proxy/upstream/match.h"

namespace gatescope::upstream {

/// `health_check` of a location.
struct HealthCheckSpec {
  Duration interval{5000};         // from the end of a check to the next one's begin
  Duration jitter{0};              // added to it by chance
  unsigned fails = 1, passes = 1;  // in a row, until a server is taken out, or back
  std::string uri = "/";
  bool mandatory = false;      // a server is not used before it passed
  bool persistent = false;     // ... but after a reload, if it was used before
  std::string match;           // the name of a block; empty: status 200-399
  std::uint16_t port = 0;      // 0: the server's
  Duration keepalive_time{0};  // 0: a connection for each check
  /// What of a request's variables has a value without a request: the name that is asked for.
  std::vector<conf::VariableId> host_variables;
  conf::Place place;
};

struct HealthSettings final : conf::Settings {
  std::optional<HealthCheckSpec> check;  // never inherited
  void inherit(const Settings&) override {}
};

/// Of one match block. Read by make(), so that a block may stand behind its use.
struct MatchSettings final : conf::Settings {
  std::string name;  // empty: this scope is no match block
  MatchRules rules;
  void inherit(const Settings&) override {}
};

}  // namespace gatescope::upstream
