#include "tests/unit/api/service_fixture.h"

#include <nlohmann/json.hpp>  // costs seconds in every file that includes it

namespace gatescope::api {

std::size_t ServiceWaiter::entries(const char* of) const {
  return form() ? nlohmann::json::parse(body())[of].size() : 0;
}

}  // namespace gatescope::api
