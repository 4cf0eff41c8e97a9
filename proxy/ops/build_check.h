#pragma once

#include <string>
#include <vector>

namespace gatescope::ops {

struct BuildCheck {
  std::vector<std::string> problems;  // each a sentence that names file, fault and mend
  std::size_t named = 0;              // files that index.html leads to, itself included
};

/// Whether the folder is a site that works: index.html is there, and so is every file that it
/// names, or that style sheets and modules name which it leads to. `base`: the path under which the
/// site is reached, "/" unless it was built for another ("/app/").
BuildCheck check_build(const std::string& root, const std::string& base);

}  // namespace gatescope::ops
