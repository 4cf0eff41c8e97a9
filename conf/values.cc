#include <fmt/format.h>

#include "conf/schema.h"
#include "proxy/base/text.h"

// The values that many directives have: each error names the value, the place, and what would be
// right.

namespace gatescope::conf {
namespace {

// `expected` completes the sentence "it must be ...".
Error wrong_value(const Directive& d, std::size_t i, std::string_view expected) {
  if (i >= d.count()) {
    return Loader::fail(d, fmt::format("invalid number of arguments in \"{}\" directive", d.name));
  }
  const Argument& argument = d.arguments[i];
  return Loader::fail_at(argument.place,
                         fmt::format("invalid value \"{}\" in \"{}\" directive, it must be {}",
                                     argument.text, d.name, expected));
}

std::string_view text_of(const Directive& d, std::size_t i) {
  return i < d.count() ? d.arg(i) : std::string_view();
}

// `"on", "off" or "optional"`
std::string list_of(std::span<const std::string_view> words) {
  std::string list;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) list += i + 1 == words.size() ? " or " : ", ";
    list += fmt::format("\"{}\"", words[i]);
  }
  return list;
}

}  // namespace

Result<bool> Loader::flag(const Directive& d, std::size_t i) const {
  static constexpr std::string_view kWords[] = {"on", "off"};
  const auto found = choice(d, i, kWords);
  if (!found) return found.error();
  return *found == 0;
}

Result<std::size_t> Loader::choice(const Directive& d, std::size_t i,
                                   std::span<const std::string_view> words) const {
  for (std::size_t k = 0; k < words.size(); ++k) {
    if (i < d.count() && equals_ignoring_case(d.arg(i), words[k])) return k;
  }
  return wrong_value(d, i, list_of(words));
}

Result<std::uint64_t> Loader::number(const Directive& d, std::size_t i) const {
  if (const auto value = parse_unsigned(text_of(d, i))) return *value;
  return wrong_value(d, i, "a number");
}

Result<std::uint64_t> Loader::size(const Directive& d, std::size_t i) const {
  if (const auto value = parse_size(text_of(d, i))) return *value;
  return wrong_value(d, i, "a number of bytes, or of k, m or g (16k)");
}

Result<Duration> Loader::duration(const Directive& d, std::size_t i) const {
  if (const auto value = parse_duration(text_of(d, i))) return *value;
  return wrong_value(d, i, "a time, in seconds or with units (500ms, 30s, 5m, \"1h 30m\")");
}

}  // namespace gatescope::conf
