#pragma once

#include <map>
#include <mutex>
#include <string>

#include "certs/tls_context.h"

namespace gatescope::acme {

/// What $acme_certificate and $acme_certificate_key stand for, beside the files that `files` reads:
/// each certificate with its key as one text. Survives in Server; thread-safe.
class IssuedPairs final : public tls::SecretReader {
 public:
  explicit IssuedPairs(tls::SecretReader& files) : files_(files) {}
  Result<std::string> read_secret(const std::string& path) override;

  void set(const std::string& name, std::string bundle);
  bool has(const std::string& name) const;

 private:
  tls::SecretReader& files_;
  mutable std::mutex mutex_;
  std::map<std::string, std::string> bundles_;
};

}  // namespace gatescope::acme
