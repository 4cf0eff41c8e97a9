#pragma once

// From a found file to a response: validators, the fields that describe it.

#include <memory>
#include <string_view>

#include "proxy/http/handler.h"
#include "static/file_cache.h"
#include "static/files_settings.h"

namespace gatescope::files {

struct FileAnswer {
  std::shared_ptr<const FileVersion> file;
  std::string_view path;           // on disk, for the log
  std::string_view content_type;   // lives as long as the exchange, like the next two
  std::string_view encoding;       // Content-Encoding; empty: none
  std::string_view cache_control;  // empty: none
  std::string_view etag_suffix;    // tells the tags of a file's encodings apart: "-br"
  std::uint64_t plain_size = 0;    // of what `file` was compressed from just now; 0: it was not
  bool vary = false;               // Vary: Accept-Encoding
  bool etag = true;
  bool sendfile = true;           // the kernel may send what does not come from memory
  bool encoding_settled = false;  // Accept-Encoding was answered: no filter compresses
};

/// Sends it, or the parts of it that the writer wants. Null: done (from memory, or nothing but a
/// head); else what sends the rest. `lane` may be null.
std::unique_ptr<http::Responder> send_file(const FileAnswer& answer, http::ResponseWriter& writer,
                                           net::WorkerLane* lane);

/// A status with one more field and no page of ours; error_page applies.
void answer_status(http::ResponseWriter& writer, int status, std::string_view name,
                   std::string_view value);

}  // namespace gatescope::files
