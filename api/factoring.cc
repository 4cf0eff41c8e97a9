#include "api/factoring.h"

namespace gatescope::api {

std::size_t known_prefix(const Terms* factors) {
  std::size_t n = 0;
  while (factors != nullptr && n < factors->size() && (*factors)[n] != kNoFactorsYet)
    ++n;
  return n;
}

}  // namespace gatescope::api
