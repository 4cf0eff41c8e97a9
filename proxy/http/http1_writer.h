#pragma once

// Response heads and chunks as HTTP/1.1 text, appended to a buffer.

#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/http/message.h"

namespace gatescope::http {

/// What the session has decided about a response, beside what the head says.
struct ResponseFraming {
  bool keep_alive = true;
  bool chunked = false;
  std::uint64_t keepalive_header = 0;  // seconds; 0: no Keep-Alive field
  std::string_view server;             // empty: no Server field
  std::string_view date;
};

/// Always "HTTP/1.1": a 1.0 client is answered in our own version (RFC 9110 6.2), as nginx does.
/// Framing fields among `head.headers` are dropped, Server and Date there replace ours; a control
/// character in a value is written as a blank: it may come from a decoded path, and would split the
/// response.
void write_head(std::string& out, const ResponseHead& head, const ResponseFraming& framing);
/// The status line, and of the fields those that say what is sent; not Server, Date and those of
/// the connection.
void write_description(std::string& out, const ResponseHead& head);
void write_informational(std::string& out, int status, const HeaderList& headers);
/// "5\r\n" in front of a chunk; the chunk's own CRLF is the caller's.
void write_chunk_size(std::string& out, std::size_t size);
/// "0\r\n", trailers, "\r\n".
void write_last_chunk(std::string& out, const HeaderList& trailers);

}  // namespace gatescope::http
