#pragma once

// How answers of the API look on the wire: one place for their header fields.

#include <string_view>

#include "api/sequences.h"
#include "proxy/http/handler.h"

namespace gatescope::api {

/// A body with status and type, CORS, and how long it may be kept.
void send_text(http::ResponseWriter& writer, int status, std::string_view content_type,
               std::string_view cache_control, SharedBytes body);
/// "Error: ..." with status 200 as plain text: the browser client knows it as "unknown sequence",
/// and shows an alert box for any other status.
void send_refusal(http::ResponseWriter& writer, const Refusal& refusal);
void send_bad_request(http::ResponseWriter& writer, std::string_view why);
void send_unavailable(http::ResponseWriter& writer, const Unavailable& unavailable);
void send_too_many(http::ResponseWriter& writer, const TooMany& too_many);
void send_not_found(http::ResponseWriter& writer);
void send_method_not_allowed(http::ResponseWriter& writer);
void send_preflight(http::ResponseWriter& writer);
/// The answer cut for `count`, or 304 when the client has it.
void send_sequence(const http::Request& request, http::ResponseWriter& writer,
                   const EncodedSequence& sequence, Count count);

/// If-None-Match (RFC 9110 13.1.2), compared weakly: a compressed body has a weak form of the tag.
bool matches_etag(std::string_view field, std::string_view etag);

}  // namespace gatescope::api
