#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace gatescope::api {

/// How many terms are asked for. The old service took Python's int() and a slice, and clients may
/// depend on what that accepts: "+3", "1_0", "007", blanks around it.
class Count {
 public:
  /// nullopt: not a number. Numbers of any length: what lies beyond 64 bits means the end of them.
  static std::optional<Count> parse(std::string_view text);
  static Count all() { return Count(0); }

  /// How many of `available` terms: 0 or more than there are: all; -n: all but the last n.
  std::size_t of(std::size_t available) const;

 private:
  explicit Count(std::int64_t value) : value_(value) {}
  std::int64_t value_;
};

/// What is answered, with status 400, to something that is not a number.
inline constexpr std::string_view kCountRefusal =
    "COUNT must be a whole number: how many terms are wanted. 0 means all of them, -5 all but the "
    "last five.\n";

}  // namespace gatescope::api
