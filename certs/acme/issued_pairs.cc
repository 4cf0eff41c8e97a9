#include "certs/acme/issued_pairs.h"

namespace gatescope::acme {

Result<std::string> IssuedPairs::read_secret(const std::string& path) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = bundles_.find(path); found != bundles_.end()) return found->second;
  }
  return files_.read_secret(path);
}

void IssuedPairs::set(const std::string& name, std::string bundle) {
  const std::lock_guard lock(mutex_);
  bundles_[name] = std::move(bundle);
}

bool IssuedPairs::has(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  return bundles_.contains(name);
}

}  // namespace gatescope::acme
