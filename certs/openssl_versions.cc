#include "certs/openssl_versions.h"

#include <fmt/format.h>
#include <openssl/objects.h>

namespace gatescope::tls {

std::string name_of_group(SSL* ssl, int id) {
  if (id == NID_undef) return {};
  if ((id & TLSEXT_nid_unknown) == 0) {
    const char* name = OBJ_nid2sn(id);
    return name == nullptr ? std::string() : name;
  }
  if (const char* name = SSL_group_to_name(ssl, id)) return name;
  return fmt::format("0x{:04x}", id & 0xffff);
}

#if OPENSSL_VERSION_NUMBER >= 0x30500000L
const char* signature_name(SSL* ssl) {
  const char* name = nullptr;
  return SSL_get0_signature_name(ssl, &name) == 1 ? name : nullptr;
}
const char* peer_signature_name(SSL* ssl) {
  const char* name = nullptr;
  return SSL_get0_peer_signature_name(ssl, &name) == 1 ? name : nullptr;
}
#else
const char* signature_name(SSL*) {
  return nullptr;
}
const char* peer_signature_name(SSL*) {
  return nullptr;
}
#endif

}  // namespace gatescope::tls
