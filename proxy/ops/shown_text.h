#pragma once

#include <string>
#include <string_view>

#include "proxy/http/handler.h"

namespace gatescope::ops {

/// Answers GET and HEAD with a text that is true now and not later (no-store); 405 to the rest.
/// False: answered already.
bool may_be_shown(const http::Request& request, http::ResponseWriter& writer);
void show_text(http::ResponseWriter& writer, int status, std::string_view content_type,
               std::string text);
/// Whether the Accept field names that type, in whatever order and with whatever weight above 0.
bool accepts(const http::Request& request, std::string_view type);

}  // namespace gatescope::ops
