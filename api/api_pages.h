#pragma once

#include <string_view>

namespace gatescope::api {

/// What /api/ answers: what there is, and whose data it is.
extern const std::string_view kApiPage;         // HTML
extern const std::string_view kApiDescription;  // OpenAPI 3.1, JSON

}  // namespace gatescope::api
