#pragma once

#include <memory>

#include "proxy/http/steps.h"

namespace gatescope::api {

/// Sees to it that an answer carries exactly one `Access-Control-Allow-Origin: *`: also one that
/// the HTTP layer made (413, a limit, an error page), and whatever add_header says.
std::unique_ptr<http::HeadFilter> make_any_origin_filter();

}  // namespace gatescope::api
