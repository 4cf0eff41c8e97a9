#pragma once

// `spa_fallback /index.html [hashed=/assets/]`: an application of one page, whose paths live in the
// browser. A missing page is the application; a missing asset is missing.

#include <string_view>

#include "proxy/http/message.h"
#include "static/files_settings.h"

namespace gatescope::files {

/// Whether a path that leads to no file is a page of the application: its last segment has no
/// extension, or the browser navigates (Sec-Fetch-Dest: document, or Accept names text/html). Never
/// below `hashed`: there are only assets.
bool is_navigation(const SpaSettings& spa, const http::Request& request);

/// Cache-Control for a file that is there: the page itself is asked for again each time, names with
/// a hash never; "" otherwise.
std::string_view spa_cache_control(const SpaSettings& spa, std::string_view path);

}  // namespace gatescope::files
