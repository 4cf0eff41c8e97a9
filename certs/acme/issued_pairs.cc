#include "certs/acme/issued_pairs.h"

#include "certs/acme/certificate.h"

namespace gatescope::acme {

Result<std::string> IssuedPairs::read_secret(const std::string& path) {
  std::string bundle, file;
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = bundles_.find(path); found != bundles_.end()) bundle = found->second;
    if (const auto found = paths_.find(path); found != paths_.end()) file = found->second;
  }
  // The worker's own folder: no keeper is needed. What does not fit together there is no better
  // than what we have.
  if (!file.empty())
    if (auto text = tls::OwnSecrets().read_secret(file);
        text && (*text == bundle || read_bundle(*text, file)))
      return text;
  if (!bundle.empty()) return bundle;
  return files_.read_secret(path);
}

void IssuedPairs::set_file(const std::string& name, std::string path) {
  const std::lock_guard lock(mutex_);
  paths_[name] = std::move(path);
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
