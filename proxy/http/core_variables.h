#pragma once

#include "proxy/http/variables.h"

namespace gatescope::http {

/// nginx's variables of the http core, the log and TLS modules, as far as their parts exist here.
std::span<const VariableSpec> core_variables();

}  // namespace gatescope::http
