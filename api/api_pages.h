#pragma once

#include <string_view>

namespace gatescope::api {

// What /api/ answers: what there is, and whose data it is. @PREFIX@ stands for the path of the
// location, "/api".
extern const std::string_view kApiPage;         // HTML
extern const std::string_view kApiDescription;  // OpenAPI 3, JSON

}  // namespace gatescope::api
