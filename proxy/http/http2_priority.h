#pragma once

// Who goes first: RFC 9218's urgency, for nghttp2's tree of RFC 7540.

#include <cstdint>
#include <string_view>

namespace gatescope::http {

/// The weight for a request with this `priority` field ("u=1, i"): 1 to 256, 16 without or for what
/// is not understood. A step of urgency is a factor of two or more, so that a stylesheet (u=2) does
/// not wait for pictures (u=5).
std::int32_t weight_of_priority(std::string_view field);

}  // namespace gatescope::http
