#include "api/sequence_id.h"

#include <fmt/format.h>

#include "api/utf8.h"
#include "proxy/base/text.h"

namespace gatescope::api {

std::optional<SequenceId> SequenceId::parse(std::string_view text) {
  if (text.size() != 7 || (text[0] != 'A' && text[0] != 'a')) return std::nullopt;
  const auto number = parse_unsigned(text.substr(1));
  if (!number) return std::nullopt;
  return SequenceId(static_cast<std::uint32_t>(*number));
}

std::string SequenceId::text() const {
  return "A" + digits();
}

std::string SequenceId::digits() const {
  return fmt::format("{:06}", number_);
}

std::string refusal_of_id(std::string_view text) {
  const std::string shown = valid_utf8(text);
  if (utf8_length(shown) != 7) return fmt::format("Error: ID {} is not 7 characters long", shown);
  if (shown[0] < 'a' || shown[0] > 'z')
    return fmt::format("Error: ID {} not of form Annnnnn", shown);
  std::string capital = shown;
  capital[0] = static_cast<char>(capital[0] - 'a' + 'A');
  return fmt::format("Error: Neither {} nor {} of form Annnnnn", shown, capital);
}

std::string placeholder_name(SequenceId id) {
  return id.text() + " [name not yet loaded]";
}

}  // namespace gatescope::api
