#include "proxy/build_info.h"

#include "proxy/version.h"

namespace gatescope::server {

std::string_view version() {
  return GATESCOPE_VERSION;
}

std::string_view commit() {
  return GATESCOPE_COMMIT;
}

}  // namespace gatescope::server
