#pragma once

#include <optional>
#include <string>
#include <vector>

#include "proxy/base/clock.h"
#include "proxy/base/result.h"
#include "proxy/ops/builds.h"
#include "proxy/ops/precompress.h"
#include "proxy/ops/reach.h"
#include "proxy/ops/unpack.h"

namespace gatescope::ops {

/// What happens meanwhile, for whoever watches.
class DeployEvents : public CompressEvents {
 public:
  /// A step was done, or something should be known.
  virtual void on_said(const std::string& line) = 0;
};

struct DeployRequest {
  std::string root;              // of the site, absolute
  std::string source;            // a folder or an archive
  std::string base = "/";        // the path under which the site is reached
  std::size_t keep = 5;          // builds, the live one included; at least 1
  bool check = true;             // false: what index.html names need not be there
  unsigned threads = 1;          // that compress
  std::optional<Reader> reader;  // who serves it; none: nobody knows
  TreeLimits limits;
};

/// Puts a new build in the place of the one that is served (proxy/ops/builds.h): copies or unpacks
/// it beside, checks it, compresses it, exchanges it in one step, removes old ones. What is the
/// same as in the live build is not copied or compressed again. An error says what is wrong and
/// where, and then what is served is as it was. Blocking; for a command.
Result<void> deploy(const DeployRequest& request, const Clock& clock, DeployEvents& events);

/// Serves an older build again: `id`, or the one before the live one when it is empty.
Result<void> roll_back(const std::string& root, const std::string& id, const Clock& clock,
                       DeployEvents& events);

}  // namespace gatescope::ops
