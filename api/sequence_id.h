#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace gatescope::api {

/// An A-number of OEIS. A value; only made of numbers that have six digits.
class SequenceId {
 public:
  static constexpr std::uint32_t kLargest = 999999;

  explicit SequenceId(std::uint32_t number) : number_(number) {}
  /// "A000040" or "a000040", nothing else.
  static std::optional<SequenceId> parse(std::string_view text);

  std::uint32_t number() const { return number_; }
  std::string text() const;    // "A000040"
  std::string digits() const;  // "000040", as in b000040.txt
  auto operator<=>(const SequenceId&) const = default;

 private:
  std::uint32_t number_;
};

/// Why `text` is no id, in the words of the old service, which its client knows ("Error: ID A40 is
/// not 7 characters long"). Precondition: SequenceId::parse(text) found nothing.
std::string refusal_of_id(std::string_view text);

/// What stands for a name that nobody has asked for yet; the old service stored it in the rows.
std::string placeholder_name(SequenceId id);

}  // namespace gatescope::api

template <>
struct std::hash<gatescope::api::SequenceId> {
  std::size_t operator()(gatescope::api::SequenceId id) const noexcept { return id.number(); }
};
