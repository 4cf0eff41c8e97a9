#pragma once

#include "proxy/http/message.h"

namespace gatescope::files {

/// Whether the client takes gzip: Accept-Encoding names it, or `*` without naming it, with a weight
/// above 0 (RFC 9110 12.5.3). Not for HTTP/1.0 nor for what came by a proxy (Via): nginx's defaults
/// of gzip_http_version and gzip_proxied.
bool accepts_gzip(const http::Request& request);

}  // namespace gatescope::files
