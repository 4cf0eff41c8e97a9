#include "proxy/http/content_filters.h"

namespace gatescope::http {

void add_content_filters(const conf::Scope& scope, Location& location) {
  for (auto* make : {make_conditions_filter, make_fields_filter, make_gunzip_filter,
                     make_charset_filter, make_encode_filter, make_range_filter})
    if (auto filter = make(scope)) location.filters.push_back(std::move(filter));
}

}  // namespace gatescope::http
