#include "proxy/upstream/accel.h"

#include "proxy/base/text.h"

namespace gatescope::upstream {

namespace {

constexpr std::string_view kKept[] = {"Content-Disposition", "Set-Cookie", "Accept-Ranges",
                                      "Cache-Control", "Expires"};

bool climbs(std::string_view path) {
  for (const auto part : split(path, '/'))
    if (part == "..") return true;
  return false;
}

}  // namespace

std::optional<AccelTarget> safe_redirect(std::string_view value) {
  if (value.starts_with('@')) return AccelTarget{std::string(value), std::nullopt};
  const auto mark = value.find('?');
  const auto path = percent_decode(value.substr(0, mark));
  if (!path || !path->starts_with('/') || climbs(*path) || path->find('\0') != std::string::npos)
    return std::nullopt;
  AccelTarget target{*path, std::nullopt};
  if (mark != std::string_view::npos) target.args = value.substr(mark + 1);
  return target;
}

void keep_for_redirect(http::Exchange& exchange, const http::ReceivedHead& received) {
  auto& arena = exchange.arena();
  for (const auto& field : received.headers) {
    if (equals_ignoring_case(field.name, "Content-Type"))
      exchange.keep_content_type(arena.copy(field.value));
    for (const auto name : kKept)
      if (equals_ignoring_case(field.name, name))
        exchange.keep_field(name, arena.copy(field.value));
  }
}

std::optional<std::uint64_t> accel_limit_rate(const http::ReceivedHead& received) {
  const auto value = received.headers.find("X-Accel-Limit-Rate");
  if (!value) return std::nullopt;
  if (*value == "off") return 0;
  return parse_unsigned(*value);
}

std::optional<bool> accel_buffering(const http::ReceivedHead& received) {
  const auto value = received.headers.find("X-Accel-Buffering");
  if (!value) return std::nullopt;
  if (equals_ignoring_case(*value, "yes")) return true;
  if (equals_ignoring_case(*value, "no")) return false;
  return std::nullopt;
}

}  // namespace gatescope::upstream
