#pragma once

#include <string>
#include <vector>

#include "conf/schema.h"

namespace gatescope::http {

/// allow, deny, satisfy, auth_basic and its family, auth_delay, limit_except.
void add_access_directives(conf::Schema& schema);

/// The methods that a limit_except leaves alone; GET stands for HEAD too.
std::vector<std::string> limit_except_methods(const conf::Directive& directive);

}  // namespace gatescope::http
