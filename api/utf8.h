#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace gatescope::api {

/// Takes the first code point off `text` (not empty). Bytes that are not UTF-8 give U+FFFD, one at
/// a time.
char32_t take_code_point(std::string_view& text);

/// `text` with every byte that is not UTF-8 replaced by U+FFFD.
std::string valid_utf8(std::string_view text);

/// Code points.
std::size_t utf8_length(std::string_view text);

}  // namespace gatescope::api
