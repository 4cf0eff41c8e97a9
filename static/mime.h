#pragma once

// Which type a file has, by its extension.

#include <memory>
#include <string>
#include <string_view>

#include "proxy/http/core_settings.h"

namespace gatescope::files {

/// Reads the format of /etc/mime.types: a type and its extensions per line, # begins a comment.
http::MimeTypes parse_mime_types(std::string_view text);

/// What a website needs, and what we know better than the system's table: .ts is a TypeScript
/// source here, not video/mp2t, and .map is JSON.
http::MimeTypes builtin_mime_types();

/// The table in force where no `types` directive stands: the system's, with the built-in one on
/// top. A file that cannot be read is no error, the built-in table remains.
std::shared_ptr<const http::MimeTypes> system_mime_types(const char* path = "/etc/mime.types");

/// The extension of a path's last segment, "" when it has none; a leading dot makes none (nginx's
/// ngx_http_set_exten).
std::string_view extension_of(std::string_view path);

/// Views into `types` or `fallback`.
std::string_view type_of(const http::MimeTypes& types, std::string_view path,
                         std::string_view fallback);

}  // namespace gatescope::files
