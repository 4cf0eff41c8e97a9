#pragma once

// Response heads, informational ones and trailers as the field lists that nghttp2 encodes.

#include <nghttp2/nghttp2.h>

#include <string_view>
#include <vector>

#include "proxy/base/arena.h"
#include "proxy/http/message.h"

namespace gatescope::http {

using Http2Fields = Spare::Vector<nghttp2_nv>;

/// The lists refer to texts of the head and in the arena, which live until the frame is sent, and
/// for their stream's time. Names become lower case; fields of an HTTP/1 connection are dropped,
/// and so is what has no name; a control character in a value is written as a blank, as with
/// HTTP/1. `date` is copied: its text changes.
void fill_response(Http2Fields& fields, const ResponseHead& head, std::string_view server,
                   std::string_view date, Arena& arena);
/// What fill_response() writes behind :status, server and date.
void fill_description(Http2Fields& fields, const ResponseHead& head, Arena& arena);
void fill_informational(Http2Fields& fields, int status, const HeaderList& headers, Arena& arena);
void fill_trailers(Http2Fields& fields, const HeaderList& trailers, Arena& arena);

}  // namespace gatescope::http
