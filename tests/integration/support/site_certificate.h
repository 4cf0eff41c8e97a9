#pragma once

#include <string>

namespace gatescope::integration {

/// Writes NAME.pem, NAME.key and ca.pem for a site into the folder, by `gatescope cert dev`.
void make_certificate(const std::string& folder, const std::string& name);
/// Diffie-Hellman parameters as certbot ships them (RFC 7919, 2048 bits), PEM.
std::string dh_parameters();

}  // namespace gatescope::integration
