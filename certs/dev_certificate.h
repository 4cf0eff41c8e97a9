#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "proxy/base/clock.h"
#include "proxy/base/result.h"

namespace gatescope::tls {

struct DevCertificate {
  std::filesystem::path ca, certificate, key;
  bool made_now = false;  // false: what was there is still good
  WallTime ends{};        // of the leaf
};
/// `gatescope cert dev`: a development CA (ca.pem, ca.key) in `folder` and a leaf for `names` (DNS
/// names and IP addresses; files NAME.pem, NAME.key after the first name), ECDSA P-256, keys mode
/// 0600. Made anew when missing, when names changed or when less than 30 days are left. Written to
/// a temporary name and renamed: a crash leaves no half file.
Result<DevCertificate> ensure_dev_certificate(const std::filesystem::path& folder,
                                              const std::vector<std::string>& names,
                                              const Clock& clock);

}  // namespace gatescope::tls
