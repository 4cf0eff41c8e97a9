#include "proxy/http/content_filters.h"

namespace gatescope::http {

Result<void> add_content_filters(const conf::Scope& scope, Location& location) {
  const auto add = [&](std::unique_ptr<HeadFilter> filter) {
    if (filter) location.filters.push_back(std::move(filter));
  };
  for (auto* make : {make_conditions_filter, make_fields_filter, make_gunzip_filter,
                     make_encode_filter, make_range_filter})
    add(make(scope));
  auto charset = make_charset_filter(scope);
  if (!charset) return charset.error();
  add(*std::move(charset));
  return {};
}

}  // namespace gatescope::http
