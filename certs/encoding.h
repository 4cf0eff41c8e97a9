#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace gatescope::tls {

/// RFC 4648 4, padded; nullopt when it is not.
std::optional<std::string> base64_decode(std::string_view text);
std::string base64_encode(std::string_view bytes);
/// The 32 bytes of SHA-256.
std::string sha256_of(std::string_view bytes);

}  // namespace gatescope::tls
