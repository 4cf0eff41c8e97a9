// nginx's not_modified filter: answers whose client has them already, or has another version than
// its condition says.

#include "proxy/http/conditional.h"
#include "proxy/http/content_filters.h"
#include "proxy/http/content_settings.h"
#include "proxy/http/exchange.h"

namespace gatescope::http {
namespace {

bool has_condition(const HeaderList& headers) {
  for (const auto& f : headers)
    if (f.name.size() >= 8 && to_lower(f.name[0]) == 'i' && to_lower(f.name[1]) == 'f' &&
        f.name[2] == '-')
      return true;
  return false;
}

class ConditionsFilter final : public HeadFilter {
 public:
  explicit ConditionsFilter(IfModifiedSince rule) : rule_(rule) {}
  FilterStage stage() const override { return FilterStage::Conditions; }

  void apply(Exchange& exchange, ResponseHead& head) const override {
    if (head.status != 200 || !head.conditional) return;
    const auto& request = exchange.request();
    if (!has_condition(request.head.headers)) return;
    switch (check_preconditions(request, validators_of(head), rule_)) {
      case Precondition::Send:
        return;
      case Precondition::Failed:
        return exchange.replace_response(412);
      case Precondition::NotModified:
        // RFC 9110 15.4.5: validators and caching fields, nothing that describes content
        head.status = 304;
        head.content_type = {};
        head.content_length.reset();
        head.headers.remove("Content-Encoding");
        head.headers.remove("Accept-Ranges");
    }
  }

 private:
  const IfModifiedSince rule_;
};

}  // namespace

std::unique_ptr<HeadFilter> make_conditions_filter(const conf::Scope& scope) {
  return std::make_unique<ConditionsFilter>(scope.get<ContentSettings>().if_modified_since.get());
}

}  // namespace gatescope::http
