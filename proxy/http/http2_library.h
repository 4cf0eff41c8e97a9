#pragma once

#include <nghttp2/nghttp2.h>

namespace gatescope::http {

class Http2Session;

/// nghttp2's half of a server connection; its callbacks go to `session`. The caller deletes it.
nghttp2_session* new_http2_server(Http2Session& session);
/// Says how large a DATA frame may be.
nghttp2_data_source_read_length_callback http2_read_length();

}  // namespace gatescope::http
