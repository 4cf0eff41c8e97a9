#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "proxy/base/result.h"

namespace gatescope::ops {

/// How far it is; from one thread at a time, whichever.
class CompressEvents {
 public:
  virtual ~CompressEvents() = default;
  /// Bytes of the plain files.
  virtual void on_compressed(std::uint64_t done, std::uint64_t total) = 0;
};

struct CompressTotals {
  std::size_t files = 0;                                    // that got at least one form
  std::uint64_t plain = 0, gzip = 0, brotli = 0, zstd = 0;  // bytes of those
};

/// What a file has behind its name when it is compressed ahead: .br, .gz, .zst.
inline constexpr const char* kForms[] = {".br", ".gz", ".zst"};
/// "app.js.br" of "app.js": such a file is a form of another.
bool is_form(const std::string& path);
/// Whether the name says that it is worth a try: text, and what compresses like it.
bool is_compressible(const std::string& path);

/// Writes the forms of these files (below `root`) beside them, as hard as each coding can: brotli
/// 11, gzip 9, zstd 19. Small files and forms that save less than a twentieth get none, and a form
/// that is there already stays. On `threads` threads; each takes up to 300 MB with large files.
Result<CompressTotals> precompress(const std::string& root, const std::vector<std::string>& files,
                                   unsigned threads, CompressEvents& events);

}  // namespace gatescope::ops
