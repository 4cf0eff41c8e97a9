#pragma once

// Signed requests: JWS in the flattened JSON form that RFC 8555 6.2 demands.

#include <string>
#include <string_view>

#include "certs/acme/private_key.h"

namespace gatescope::acme {

struct JwsHeader {
  std::string url, nonce;
  std::string kid;  // the account's URL; empty: the key itself is sent (newAccount)
};
/// An empty payload is POST-as-GET. Signs: on a lane.
Result<std::string> make_jws(const PrivateKey& key, const JwsHeader& header,
                             std::string_view payload);
/// externalAccountBinding (RFC 8555 7.3.4): `key` signed by what the authority handed out.
Result<std::string> make_binding(const PrivateKey& key, std::string_view kid,
                                 std::string_view mac_key, std::string_view url);

/// What a challenge is answered with (RFC 8555 8.1).
std::string key_authorization(std::string_view token, const PrivateKey& key);

}  // namespace gatescope::acme
