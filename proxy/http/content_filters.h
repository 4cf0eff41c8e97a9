#pragma once

// The filters that most answers go through, whoever answers: conditions, added fields, encodings,
// charset, ranges.

#include <memory>
#include <vector>

#include "conf/schema.h"
#include "proxy/http/router.h"
#include "proxy/http/steps.h"

namespace gatescope::http {

/// Adds what the location's settings ask for, in no order (the builder sorts by stage). The scope
/// outlives the location. Error: charsets between which nothing leads.
Result<void> add_content_filters(const conf::Scope& scope, Location& location);

/// 304 and 412 by RFC 9110 13.2.2, for 200s.
std::unique_ptr<HeadFilter> make_conditions_filter(const conf::Scope& scope);
/// 206 and 416, for 200s of known length that allow it; null with `max_ranges 0`.
std::unique_ptr<HeadFilter> make_range_filter(const conf::Scope& scope);
/// gzip and brotli; null when both are off.
std::unique_ptr<HeadFilter> make_encode_filter(const conf::Scope& scope);
std::unique_ptr<HeadFilter> make_gunzip_filter(const conf::Scope& scope);
/// Null where no charset is set.
Result<std::unique_ptr<HeadFilter>> make_charset_filter(const conf::Scope& scope);
/// expires, add_header, add_trailer; null when the location has none.
std::unique_ptr<HeadFilter> make_fields_filter(const conf::Scope& scope);

}  // namespace gatescope::http
