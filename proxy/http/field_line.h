#pragma once

// One field line of HTTP/1.x, of a head or of trailers, by the strict rules of doc/directives.md.

#include <string_view>

#include "proxy/http/char_class.h"

namespace gatescope::http {

/// A name that a lenient backend could take for Content-Length or Transfer-Encoding
/// ("Transfer_Encoding"): never passed on.
bool looks_like_framing(std::string_view name);
enum class FieldVerdict {
  Valid,
  InvalidName,  // well formed, but the name has bytes that a name may not have: nginx's "invalid
                // header", may be dropped
  Malformed     // whoever reads it may read something else: obs-fold, no colon, empty name, blank
                // before the colon, controls
};
struct FieldLine {
  std::string_view name, value;  // without the blanks around the value
};
/// `line` is without its line end. With `underscores` an underscore is a letter of names, except in
/// look-alikes of the framing fields (Content_Length), which some upstreams read as those.
FieldVerdict split_field_line(std::string_view line, bool underscores, FieldLine& field);
/// The same of a field whose parts came apart (HTTP/2), where a name is of lower case.
FieldVerdict judge_field(std::string_view name, std::string_view value, bool underscores);
inline constexpr const char* kTwoAuthorizations = "client sent duplicate \"Authorization\" header";
/// Fields that would change the message after the fact (RFC 9110 6.5.1): dropped from trailers.
bool may_trail(std::string_view name);

}  // namespace gatescope::http
