#pragma once

// The `expires` directive: until when an answer may be kept.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/base/result.h"

namespace gatescope::http {

struct Expires {
  enum class Kind { Off, Epoch, Max, Access, Modified, Daily };
  Kind kind = Kind::Off;
  std::int64_t seconds = 0;  // from access or modification; of Daily since local midnight

  /// "epoch", "max", "off", "1h", "-1", "@15h30m"; `modified`: the word stood before it.
  static Result<Expires> parse(std::string_view text, bool modified);
};

/// What the two fields say. Null `expires` never happens but for Kind::Off.
struct ExpiresFields {
  std::string expires, cache_control;
};
/// `now`: seconds since 1970; the time zone of @time is the system's, as in nginx.
std::optional<ExpiresFields> expires_fields(const Expires& rule, std::int64_t now,
                                            std::optional<std::int64_t> last_modified);

}  // namespace gatescope::http
