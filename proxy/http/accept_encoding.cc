#include "proxy/http/accept_encoding.h"

#include <optional>

#include "proxy/base/text.h"

namespace gatescope::http {
namespace {

/// "0.75" in thousandths; what is no weight counts as 0, as in nginx.
unsigned weight_of(std::string_view text) {
  if (text.empty() || (text.front() != '0' && text.front() != '1')) return 0;
  const bool whole = text.front() == '1';
  text.remove_prefix(1);
  if (text.empty()) return whole ? 1000 : 0;
  if (text.front() != '.' || text.size() > 4) return 0;
  unsigned thousandths = 0;
  for (std::size_t i = 1; i < 4; ++i) {
    const char c = i < text.size() ? text[i] : '0';
    if (!is_digit(c)) return 0;
    thousandths = thousandths * 10 + static_cast<unsigned>(c - '0');
  }
  if (whole) return thousandths == 0 ? 1000 : 0;
  return thousandths;
}

unsigned weight_in(std::string_view parameters) {
  for (const auto part : split(parameters, ';')) {
    const auto parameter = trim(part);
    if (starts_with_ignoring_case(parameter, "q=")) return weight_of(trim(parameter.substr(2)));
  }
  return 1000;
}

std::optional<Coding> coding_of(std::string_view name) {
  if (equals_ignoring_case(name, "gzip") || equals_ignoring_case(name, "x-gzip"))
    return Coding::Gzip;
  if (equals_ignoring_case(name, "br")) return Coding::Brotli;
  if (equals_ignoring_case(name, "zstd")) return Coding::Zstd;
  if (equals_ignoring_case(name, "identity")) return Coding::Identity;
  return std::nullopt;
}

}  // namespace

std::string_view name_of(Coding coding) {
  constexpr std::string_view kNames[] = {"", "gzip", "zstd", "br"};
  return kNames[static_cast<std::size_t>(coding)];
}

std::string_view extension_of(Coding coding) {
  constexpr std::string_view kExtensions[] = {"", ".gz", ".zst", ".br"};
  return kExtensions[static_cast<std::size_t>(coding)];
}

AcceptedEncodings::AcceptedEncodings(const HeaderList& headers) {
  std::array<std::optional<unsigned>, kCodings> named;
  std::optional<unsigned> any;
  for (const auto& field : headers) {
    if (field.name.size() != 15 || !equals_ignoring_case(field.name, "accept-encoding")) continue;
    for (const auto part : split(field.value, ',')) {
      const auto semicolon = part.find(';');
      const auto name = trim(part.substr(0, semicolon));
      const unsigned weight =
          semicolon == std::string_view::npos ? 1000 : weight_in(part.substr(semicolon + 1));
      if (name == "*") any = weight;
      const auto coding = coding_of(name);
      if (!coding) continue;
      auto& slot = named[static_cast<std::size_t>(*coding)];
      if (!slot) slot = weight;  // the first that names it counts
    }
  }
  for (std::size_t i = 0; i < kCodings; ++i)
    weights_[i] = named[i].value_or(any.value_or(0));
  // Not named, the plain body is taken, as the last choice.
  if (!named[0]) weights_[0] = any && *any == 0 ? 0 : 1;
}

}  // namespace gatescope::http
