#pragma once

#include "proxy/base/result.h"

namespace gatescope::http {

/// The one place where an error's kind and origin become a status code (RFC 9110 15; 499 is nginx's
/// for a client that left).
int status_of(const Error& error);

}  // namespace gatescope::http
