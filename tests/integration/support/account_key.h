#pragma once

#include <string>

namespace gatescope::integration {

/// What the owner of an ACME account signs (RFC 8555 6.2, ES256): a flattened JWS. Made here, by
/// other code than what is tested. `key_pem`: a P-256 key. Throws std::runtime_error when it is
/// not.
std::string sign_request(const std::string& key_pem, const std::string& url,
                         const std::string& account_url, const std::string& nonce,
                         const std::string& payload);

}  // namespace gatescope::integration
