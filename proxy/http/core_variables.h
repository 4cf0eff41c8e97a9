#pragma once

#include "proxy/http/variables.h"

namespace gatescope::http {

/// nginx's variables of the http core, the log and TLS modules, as far as their parts exist here.
std::span<const VariableSpec> core_variables();
std::span<const VariableSpec> tls_variables();      // $ssl_*
std::span<const VariableSpec> proxied_variables();  // $proxy_protocol_*

}  // namespace gatescope::http
