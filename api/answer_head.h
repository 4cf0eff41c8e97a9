#pragma once

#include <string_view>

#include "proxy/http/message.h"

namespace gatescope::api {

// What every answer of the API says, and the words that several say.
inline constexpr std::string_view kPlain = "text/plain; charset=utf-8";
inline constexpr std::string_view kJson = "application/json";
inline constexpr std::string_view kNoStore = "no-store";

/// Status, type, CORS, and how long it may be kept. Views: all of them must live as long as the
/// head.
http::ResponseHead answer_head(int status, std::string_view type, std::string_view cache_control);

}  // namespace gatescope::api
