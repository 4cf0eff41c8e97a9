#pragma once

#include <string_view>

namespace gatescope::http {

/// "index-DiwrgTda.js", "main.3f2a91bc.css": a build tool wrote a digest of the content into the
/// name, so what the name means never changes.
bool has_content_hash(std::string_view path);

}  // namespace gatescope::http
