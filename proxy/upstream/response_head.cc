#include "proxy/upstream/response_head.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "proxy/base/text.h"
#include "proxy/http/charset.h"
#include "proxy/upstream/accel.h"

namespace gatescope::upstream {

namespace {

enum Kind : unsigned {
  kConnection = 1,  // of one connection: not passed on
  kHidden = 2,      // unless proxy_pass_header says so
  kSingle = 4,      // a client reads one, and nginx passes the first
};
enum class Field { Other, ContentType, ETag, LastModified, Location, Refresh, SetCookie };
struct KnownField {
  std::string_view name;
  unsigned kinds;
  Field field = Field::Other;
};
constexpr auto kKnown = std::to_array<KnownField>({{"TE", kConnection},
                                                   {"Date", kHidden | kSingle},
                                                   {"ETag", kSingle, Field::ETag},
                                                   {"X-Pad", kHidden},
                                                   {"Server", kHidden | kSingle},
                                                   {"Expires", kSingle},
                                                   {"Refresh", kSingle, Field::Refresh},
                                                   {"Trailer", kConnection},
                                                   {"Upgrade", kConnection},
                                                   {"Location", kSingle, Field::Location},
                                                   {"Connection", kConnection},
                                                   {"Keep-Alive", kConnection},
                                                   {"Set-Cookie", 0, Field::SetCookie},
                                                   {"Content-Type", kSingle, Field::ContentType},
                                                   {"Last-Modified", kSingle, Field::LastModified},
                                                   {"Content-Length", kConnection},
                                                   {"X-Accel-Charset", kHidden},
                                                   {"X-Accel-Expires", kHidden},
                                                   {"Proxy-Connection", kConnection},
                                                   {"X-Accel-Redirect", kHidden},
                                                   {"Transfer-Encoding", kConnection},
                                                   {"X-Accel-Buffering", kHidden},
                                                   {"X-Accel-Limit-Rate", kHidden}});
constexpr KnownField kUnknown{{}, 0};

/// Where in kKnown, which is sorted by them, the names of each size begin.
constexpr auto kBySize = [] {
  std::array<std::uint8_t, kKnown.back().name.size() + 2> first{};
  for (std::size_t size = 0; size < first.size(); ++size)
    while (first[size] < kKnown.size() && kKnown[first[size]].name.size() < size)
      ++first[size];
  return first;
}();

const KnownField& known(std::string_view name) {
  if (name.size() + 1 >= kBySize.size()) return kUnknown;
  for (auto at = kBySize[name.size()]; at < kBySize[name.size() + 1]; ++at)
    if (equals_ignoring_case(kKnown[at].name, name)) return kKnown[at];
  return kUnknown;
}

bool is_one_of(std::string_view name, const std::vector<std::string>& names) {
  return std::any_of(names.begin(), names.end(),
                     [&](std::string_view n) { return equals_ignoring_case(n, name); });
}

bool is_hidden(std::string_view name, unsigned kinds, const ProxySettings& settings) {
  if (!(kinds & kHidden) && !is_one_of(name, settings.hide_headers.get())) return false;
  return !is_one_of(name, settings.pass_headers.get());
}

/// The fields of `received` that are not of its connection alone, by name or by its Connection.
template <class Take>
void pick_forwarded(const http::ReceivedHead& received, Take take) {
  const http::NamedByConnection is_named(received.headers);
  for (const auto& field : received.headers) {
    const KnownField& about = known(field.name);
    if (!(about.kinds & kConnection) && !is_named(field.name)) take(field, about);
  }
}

/// Refresh: "7; url=http://..."
std::optional<std::string_view> rewrite_refresh(http::Exchange& exchange,
                                                const ProxySettings& settings,
                                                std::string_view value) {
  constexpr std::string_view kUrl = "url=";
  std::size_t at = 0;
  while (at < value.size() && !starts_with_ignoring_case(value.substr(at), kUrl))
    ++at;
  if (at == value.size()) return std::nullopt;
  at += kUrl.size();
  const auto changed = rewrite_location(exchange, settings, value.substr(at));
  if (!changed) return std::nullopt;
  return exchange.arena().join({value.substr(0, at), *changed});
}

/// Moves views of the parser's buffer to a copy of it.
class Moved {
 public:
  Moved(Arena& arena, std::string_view text) : from_(text.data()), to_(arena.copy(text).data()) {}
  std::string_view operator()(std::string_view v) const {
    return v.empty() ? std::string_view("") : std::string_view(to_ + (v.data() - from_), v.size());
  }

 private:
  const char* from_;
  const char* to_;
};

}  // namespace

std::optional<std::string_view> rewrite_location(http::Exchange& exchange,
                                                 const ProxySettings& settings,
                                                 std::string_view value) {
  const auto& redirects = settings.redirects.get();
  auto& arena = exchange.arena();
  if (redirects.off) return std::nullopt;
  const auto by_prefix = [&](std::string_view from,
                             std::string_view to) -> std::optional<std::string_view> {
    if (from.empty() || !value.starts_with(from)) return std::nullopt;
    return arena.join({to, value.substr(from.size())});
  };
  // default: what proxy_pass put in front is taken off again
  const auto by_default = [&]() -> std::optional<std::string_view> {
    if (!settings.pass || !settings.pass->url) return std::nullopt;
    const std::string_view written = settings.pass->target.text();
    if (settings.pass->url->uri.empty()) return by_prefix(arena.join({written, "/"}), "/");
    return by_prefix(written, settings.pass->location);
  };
  if (redirects.rules.empty()) return by_default();
  for (const auto& rule : redirects.rules) {
    std::optional<std::string_view> changed;
    if (rule.is_default) {
      changed = by_default();
    } else if (rule.from.regex) {
      changed = replace_by(exchange, *rule.from.regex, value, rule.to);
    } else {
      changed =
          by_prefix(rule.from.text.evaluate(exchange, arena), rule.to.evaluate(exchange, arena));
    }
    if (changed) return changed;
  }
  return std::nullopt;
}

namespace {

bool head_has(const http::ResponseHead& head, Field field, std::string_view name) {
  switch (field) {
    case Field::ContentType:
      return !head.content_type.empty();
    case Field::ETag:
      return !head.etag.empty();
    case Field::LastModified:
      return head.last_modified || head.headers.has(name);
    case Field::Location:
      return !head.location.empty() || head.headers.has(name);
    default:
      return head.headers.has(name);
  }
}

/// X-Accel-Charset: the charset of an answer that names none.
void add_accel_charset(http::Exchange& exchange, const http::ReceivedHead& received,
                       http::ResponseHead& head) {
  const auto charset = received.headers.find("X-Accel-Charset");
  if (!charset || head.content_type.empty() || *charset == "off" ||
      !http::charset_of(head.content_type).empty()) {
    return;
  }
  head.content_type = exchange.arena().join({head.content_type, "; charset=", *charset});
}

}  // namespace

http::ResponseHead make_response_head(http::Exchange& exchange, const http::ReceivedHead& received,
                                      const ProxySettings& settings) {
  const Moved moved(exchange.arena(), received.text);
  exchange.set_upstream_head(moved(received.text));
  const auto cookies = settings.cookies();
  http::ResponseHead head;
  head.status = received.status;
  head.reason = moved(received.reason);
  head.content_length = received.content_length;
  head.conditional =
      false;  // the upstream has seen the conditions; nginx asks them of its cache only
  head.headers.reserve(received.headers.size());
  pick_forwarded(received, [&](const http::HeaderField& field, const KnownField& about) {
    if (is_hidden(field.name, about.kinds, settings)) return;
    const auto name = moved(field.name), value = moved(field.value);
    if (about.kinds & kSingle && head_has(head, about.field, name)) return;
    switch (about.field) {
      case Field::ContentType:
        head.content_type = value;
        return;
      case Field::ETag:
        head.etag = value;
        return;
      case Field::LastModified:
        head.last_modified = HttpDate::seconds_of(value);
        if (!head.last_modified) head.headers.add(name, value);  // verbatim, whatever it is
        return;
      case Field::Location:
        // As nginx: a relative one that no rule changed stays relative, so it must not become
        // absolute on its way out.
        if (const auto changed = rewrite_location(exchange, settings, value)) {
          head.location = *changed;
        } else if (value.starts_with('/')) {
          head.headers.add(name, value);
        } else {
          head.location = value;
        }
        return;
      case Field::SetCookie:
        return head.headers.add(
            name,
            cookies.empty() ? value : rewrite_set_cookie(exchange, cookies, value).value_or(value));
      case Field::Refresh:
        return head.headers.add(name, rewrite_refresh(exchange, settings, value).value_or(value));
      case Field::Other:
        return head.headers.add(name, value);
    }
  });
  // What the server behind could speak instead (426, or an upgrade that nobody asked for): the
  // session leaves it out where the connection cannot.
  if (const auto protocols = received.headers.find("Upgrade"))
    head.headers.add("Upgrade", moved(*protocols));
  if (!(settings.ignored.get() & IgnoredFields::kCharset))
    add_accel_charset(exchange, received, head);
  return head;
}

http::HeaderList forwarded_fields(http::Exchange& exchange, const http::ReceivedHead& received) {
  const Moved moved(exchange.arena(), received.text);
  http::HeaderList fields;
  pick_forwarded(received, [&](const http::HeaderField& field, const KnownField&) {
    fields.add(moved(field.name), moved(field.value));
  });
  return fields;
}

}  // namespace gatescope::upstream
