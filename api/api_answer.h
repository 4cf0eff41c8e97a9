#pragma once

// Answers of the API that are no data: why there is none. One place for their header fields.

#include <string_view>

#include "api/sequences.h"
#include "proxy/http/handler.h"

namespace gatescope::api {

/// Whatever came of a question.
void send_answer(http::ResponseWriter& writer, const Answer& answer);
/// "Error: ..." with status 200 as plain text: the browser client knows it as "unknown sequence",
/// and shows an alert box for any other status.
void send_refusal(http::ResponseWriter& writer, const Refusal& refusal);
void send_bad_request(http::ResponseWriter& writer, std::string_view why);
void send_not_found(http::ResponseWriter& writer);
void send_method_not_allowed(http::ResponseWriter& writer);
void send_preflight(http::ResponseWriter& writer);

}  // namespace gatescope::api
