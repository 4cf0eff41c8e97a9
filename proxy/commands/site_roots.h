#pragma once

#include <string>
#include <vector>

#include "conf/syntax.h"
#include "proxy/base/result.h"

namespace gatescope::commands {

/// A folder of files that the configuration serves.
struct SiteRoot {
  std::vector<std::string> names;  // of its server
  std::string root;                // absolute, without a final slash
  std::string base = "/";          // the path under which it is reached
  std::string place;               // FILE:LINE of the location or server
  bool application = false;        // one page whose paths exist only in the browser
};

/// Of every server and location, with what they inherit; those with variables in their path are
/// left out. Read off the text: whether the rest of the configuration is right does not matter.
std::vector<SiteRoot> site_roots(const conf::Document& document, const std::string& prefix);

/// The one that is meant: `asked` is a server's name or the folder itself; empty: the only one, or
/// the only application. Else an error that lists them.
Result<SiteRoot> choose_site_root(const std::vector<SiteRoot>& roots, const std::string& asked);

}  // namespace gatescope::commands
