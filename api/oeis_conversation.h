#pragma once

#include <string>
#include <string_view>

#include "proxy/net/https_client.h"

namespace gatescope::api {

/// The head of what was said between us and OEIS, for api.log, in the form of the old service's:
/// the request's lines after "< ", the answer's after "> ", an empty line, the first 200 bytes of
/// the body.
std::string conversation(std::string_view url, std::string_view agent,
                         const net::HttpsAnswer& answer);

/// `name` in lower case; empty: it is not there.
std::string_view header_of(const net::HttpsAnswer& answer, std::string_view name);

/// "https://oeis.org:443" of an URL, lower case; empty: it is none.
std::string origin_of(std::string_view url);

/// All but RFC 3986's unreserved characters as %XX.
std::string query_escape(std::string_view text);

/// RFC 9110's words; for 503 and 504 too, where nginx has its own.
std::string_view standard_reason(int status);

}  // namespace gatescope::api
