#pragma once

#include <memory>
#include <string>

namespace gatescope::integration {

/// Signs certificates for clients, and takes them back. All texts are PEM.
class ClientAuthority {
 public:
  ClientAuthority();
  ~ClientAuthority();
  std::string certificate() const;
  /// A client's certificate with its key.
  std::string issue(const std::string& name);
  /// A list of revoked certificates: the one that was issued last, or none.
  std::string revocations(bool last) const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace gatescope::integration
