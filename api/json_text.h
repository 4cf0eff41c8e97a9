#pragma once

#include <string>
#include <string_view>

namespace gatescope::api {

/// `text` as JSON text between its quotes: all but printable ASCII as \uXXXX, above U+FFFF as two
/// surrogates; what is not UTF-8 as U+FFFD. The old service wrote so, and clients compare bytes.
void append_json_text(std::string& out, std::string_view text);
/// ... with the quotes.
void append_json_string(std::string& out, std::string_view text);

}  // namespace gatescope::api
