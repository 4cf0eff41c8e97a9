#pragma once

#include "proxy/http/exchange.h"
#include "proxy/http/http1_response_parser.h"
#include "proxy/upstream/proxy_settings.h"

namespace gatescope::upstream {

/// The client's head from the upstream's: the connection's own fields and the hidden ones go,
/// Location is rewritten by proxy_redirect, the dedicated fields are filled. Everything is copied
/// into the exchange's arena. `proxy_url`: proxy_pass's URL as it came out, for `proxy_redirect
/// default`; empty where that does not apply.
http::ResponseHead make_response_head(http::Exchange& exchange, const http::ReceivedHead& received,
                                      const ProxySettings& settings);

/// The fields of an interim response that may go on.
http::HeaderList forwarded_fields(http::Exchange& exchange, const http::ReceivedHead& received);

/// `value` by the first rule that fits; nullopt when none does.
std::optional<std::string_view> rewrite_location(http::Exchange& exchange,
                                                 const ProxySettings& settings,
                                                 std::string_view value);

}  // namespace gatescope::upstream
