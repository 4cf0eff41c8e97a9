// nginx's charset filter: names the charset of answers, and recodes them.

#include <fmt/format.h>

#include "proxy/http/charset_settings.h"
#include "proxy/http/content_filters.h"
#include "proxy/http/exchange.h"

namespace gatescope::http {
namespace {

std::string no_way(std::string_view from, std::string_view to) {
  return fmt::format("no \"charset_map\" between the charsets \"{}\" and \"{}\"", from, to);
}

class CharsetFilter final : public HeadFilter {
 public:
  explicit CharsetFilter(const CharsetSettings& settings) : settings_(settings) {}
  FilterStage stage() const override { return FilterStage::Charset; }

  void apply(Exchange& exchange, ResponseHead& head) const override {
    if (head.content_type.empty()) return;
    const auto said = charset_of(head.content_type);
    if (said.empty() ? !settings_.types->holds(head.content_type)
                     : !settings_.override_charset.get())
      return;
    Arena& arena = exchange.arena();
    const auto to = (*settings_.charset)->evaluate(exchange, arena);
    if (to.empty()) return;
    const auto from = !said.empty() ? said
                      : settings_.source->has_value()
                          ? (*settings_.source)->evaluate(exchange, arena)
                          : std::string_view();
    if (from.empty() || equals_ignoring_case(from, to)) return label(exchange, head, to);
    if (head.headers.has("Content-Encoding")) return;  // what is compressed cannot be recoded
    const auto recoding = find_recoding(*settings_.maps, from, to);
    if (!recoding) return exchange.log(LogLevel::Error, no_way(from, to));
    label(exchange, head, to);
    if (!recoding.keeps_length()) {
      head.content_length.reset();
      head.ranges = ResponseHead::Ranges::None;
      head.headers.remove("Accept-Ranges");
    }
    if (!exchange.request().is_head() && !head.bodiless())
      exchange.add_body_filter(make_recoder(recoding));
  }

 private:
  static void label(Exchange& exchange, ResponseHead& head, std::string_view charset) {
    if (head.status == 301 || head.status == 302) return;  // as nginx, for the page behind it
    head.content_type =
        exchange.arena().join({without_charset(head.content_type), "; charset=", charset});
  }

  const CharsetSettings& settings_;  // the scope's; it outlives the location
};

}  // namespace

Result<std::unique_ptr<HeadFilter>> make_charset_filter(const conf::Scope& scope) {
  const auto& settings = scope.get<CharsetSettings>();
  if (!settings.charset->has_value()) return std::unique_ptr<HeadFilter>();
  if (settings.recodes()) {
    const auto &to = **settings.charset, &from = **settings.source;
    if (to.is_literal() && from.is_literal() && !equals_ignoring_case(from.text(), to.text()) &&
        !find_recoding(*settings.maps, from.text(), to.text()))
      return make_error(ErrorKind::Invalid, Origin::Internal, no_way(from.text(), to.text()));
  }
  return std::unique_ptr<HeadFilter>(std::make_unique<CharsetFilter>(settings));
}

}  // namespace gatescope::http
