#pragma once

#include <map>
#include <mutex>
#include <string>

#include "certs/tls_context.h"

namespace gatescope::acme {

/// What $acme_certificate and $acme_certificate_key stand for, beside the files that `files` reads:
/// each certificate with its key as one text. It is that of the state folder where there is one, so
/// that whatever another gatescope or command puts there is found; else what was set. Survives in
/// Server; thread-safe.
class IssuedPairs final : public tls::SecretReader {
 public:
  explicit IssuedPairs(tls::SecretReader& files) : files_(files) {}
  Result<std::string> read_secret(const std::string& path) override;

  void set(const std::string& name, std::string bundle);
  /// Where it lies, once there is one.
  void set_file(const std::string& name, std::string path);
  bool has(const std::string& name) const;

 private:
  tls::SecretReader& files_;
  mutable std::mutex mutex_;
  std::map<std::string, std::string> bundles_;
  std::map<std::string, std::string> paths_;
};

}  // namespace gatescope::acme
