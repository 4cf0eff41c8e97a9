#pragma once

#include <vector>

#include "proxy/http/core_directives.h"

namespace gatescope::http {

/// Addresses and parameters of one `listen`, as nginx documents them; a port range or a name with
/// several addresses gives several.
Result<std::vector<ListenSpec>> listen_specs(conf::Loader& loader,
                                             const conf::Directive& directive);

}  // namespace gatescope::http
