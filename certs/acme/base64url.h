#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace gatescope::acme {

/// RFC 4648 5, without padding: how JWS writes bytes.
std::string base64url(std::string_view bytes);
/// nullopt when it is not.
std::optional<std::string> base64url_decode(std::string_view text);

}  // namespace gatescope::acme
