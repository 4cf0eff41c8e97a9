#pragma once

// Which encodings a client takes (RFC 9110 12.5.3).

#include <array>
#include <string_view>

#include "proxy/http/message.h"

namespace gatescope::http {

/// Content codings, the best one last: what is chosen among those that the client likes equally.
enum class Coding { Identity, Gzip, Zstd, Brotli };
inline constexpr std::size_t kCodings = 4;
/// "gzip", "zstd", "br"; "" for Identity.
std::string_view name_of(Coding coding);
/// What a file has behind its name: ".gz", ".zst", ".br".
std::string_view extension_of(Coding coding);

/// The Accept-Encoding fields of one request, read once.
class AcceptedEncodings {
 public:
  explicit AcceptedEncodings(const HeaderList& headers);
  /// In thousandths: 1000 for "gzip" and "gzip;q=1", 0: not taken. Identity: 1 unless it is named
  /// or excluded by "*;q=0".
  unsigned weight(Coding coding) const { return weights_[static_cast<std::size_t>(coding)]; }
  /// Named, or by `*`, and not liked less than the plain body.
  bool takes(Coding coding) const {
    return weight(coding) > 0 && weight(coding) >= weight(Coding::Identity);
  }

 private:
  std::array<unsigned, kCodings> weights_{};
};

}  // namespace gatescope::http
