// nginx's headers module: expires, add_header and add_trailer, for successful answers, the latter
// two with `always` for all.

#include <chrono>

#include "proxy/http/content_filters.h"
#include "proxy/http/content_settings.h"
#include "proxy/http/exchange.h"

namespace gatescope::http {

namespace {

bool usual_status(int status) {
  switch (status) {
    case 200:
    case 201:
    case 204:
    case 206:
    case 301:
    case 302:
    case 303:
    case 304:
    case 307:
    case 308:
      return true;
    default:
      return false;
  }
}

/// No variable may end the field: a CR, LF or NUL becomes a blank (response splitting).
std::string_view without_breaks(Exchange& exchange, std::string_view value) {
  if (value.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos) return value;
  char* out = exchange.arena().text(value.size());
  for (std::size_t i = 0; i < value.size(); ++i)
    out[i] = value[i] == '\r' || value[i] == '\n' || value[i] == '\0' ? ' ' : value[i];
  return {out, value.size()};
}

class FieldsFilter final : public HeadFilter {
 public:
  explicit FieldsFilter(const ContentSettings& settings) : settings_(settings) {}

  void apply(Exchange& exchange, ResponseHead& head) const override {
    const bool usual = usual_status(head.status);
    std::size_t expires_added = 0;
    if (usual && settings_.expires.is_set() && !head.caching_settled)
      expires_added = add_expires(exchange, head);
    const std::size_t own = head.headers.size() - expires_added;
    // What the handler set itself wins over add_header of the same name.
    for (const auto& field : *settings_.headers.fields)
      if (usual || field.always) add(exchange, head, field, own);
    head.expects_trailers = announces_trailers(exchange, head, usual);
  }

  void add_trailers(Exchange& exchange, HeaderList& trailers) const override {
    const bool usual = usual_status(exchange.response().status);
    for (const auto& field : *settings_.trailers.fields) {
      if (!usual && !field.always) continue;
      const auto value = field.value.evaluate(exchange, exchange.arena());
      if (!value.empty()) trailers.add(field.name, without_breaks(exchange, value));
    }
  }

 private:
  static void add(Exchange& exchange, ResponseHead& head, const AddedField& field,
                  std::size_t own) {
    const auto value = without_breaks(exchange, field.value.evaluate(exchange, exchange.arena()));
    if (equals_ignoring_case(field.name, "Last-Modified")) return set_last_modified(head, value);
    if (equals_ignoring_case(field.name, "ETag")) {
      head.headers.remove("ETag");
      head.etag = value;
      return;
    }
    if (value.empty()) return;
    std::size_t at = 0;
    for (const auto& set_by_handler : head.headers) {
      if (at++ == own) break;
      if (equals_ignoring_case(set_by_handler.name, field.name)) return;
    }
    head.headers.add(field.name, value);
  }

  static void set_last_modified(ResponseHead& head, std::string_view value) {
    head.headers.remove("Last-Modified");
    head.last_modified = HttpDate::seconds_of(value);
    if (!head.last_modified && !value.empty()) head.headers.add("Last-Modified", value);
  }

  /// How many fields were added at the end.
  std::size_t add_expires(Exchange& exchange, ResponseHead& head) const {
    const auto& said = *settings_.expires;
    Expires rule = said.rule;
    if (said.variable) {
      const auto parsed =
          Expires::parse(said.variable->evaluate(exchange, exchange.arena()), said.modified);
      if (!parsed) return 0;
      rule = *parsed;
    }
    const auto now =
        std::chrono::floor<std::chrono::seconds>(exchange.loop().clock().wall().time_since_epoch())
            .count();
    const auto fields = expires_fields(rule, now, head.last_modified);
    if (!fields) return 0;
    head.headers.remove("Expires");
    head.headers.remove("Cache-Control");
    head.headers.add("Expires", exchange.arena().copy(fields->expires));
    head.headers.add("Cache-Control", exchange.arena().copy(fields->cache_control));
    return 2;
  }

  /// Only chunks have room for trailers (RFC 9112 7.1.2).
  bool announces_trailers(Exchange& exchange, const ResponseHead& head, bool usual) const {
    if (head.bodiless() || exchange.request().is_head() ||
        exchange.request().head.version == Version::Http10 ||
        !exchange.core().chunked_transfer_encoding.get())
      return false;
    for (const auto& field : *settings_.trailers.fields)
      if (usual || field.always) return true;
    return false;
  }

  const ContentSettings& settings_;  // the scope's; it outlives the location
};

}  // namespace

std::unique_ptr<HeadFilter> make_fields_filter(const conf::Scope& scope) {
  const auto& settings = scope.get<ContentSettings>();
  if (settings.headers.fields->empty() && settings.trailers.fields->empty() &&
      !settings.expires.is_set())
    return nullptr;
  return std::make_unique<FieldsFilter>(settings);
}

}  // namespace gatescope::http
