#pragma once

#include "proxy/http/nghttp2_versions.h"

namespace gatescope::http {

class Http2Session;

/// nghttp2's half of a server connection; its callbacks go to `session`. The caller deletes it.
nghttp2_session* new_http2_server(Http2Session& session);

}  // namespace gatescope::http
