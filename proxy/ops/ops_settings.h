#pragma once

#include <string>

#include "conf/schema.h"

namespace gatescope::ops {

/// What a location shows; see ops_directives.cc.
enum class Shown { StubStatus, Metrics, HealthLive, HealthReady, StatusPage };

struct OpsSettings final : conf::Settings {
  Shown shown = Shown::StubStatus;  // when the location's handler is ours; never inherited
  bool needs_database = false;      // of HealthReady
  void inherit(const Settings&) override {}
};

}  // namespace gatescope::ops
