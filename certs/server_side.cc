#include "certs/server_side.h"

#include <arpa/inet.h>
#include <fmt/format.h>

namespace gatescope::tls {

namespace {

/// "127.0.0.1", "[::1]": without brackets; empty: it is a name.
std::string address_in(const std::string& name) {
  const bool bracketed = name.starts_with('[') && name.ends_with(']');
  const std::string bare = bracketed ? name.substr(1, name.size() - 2) : name;
  unsigned char room[sizeof(in6_addr)];
  const bool is = ::inet_pton(AF_INET, bare.c_str(), room) == 1 ||
                  ::inet_pton(AF_INET6, bare.c_str(), room) == 1;
  return is ? bare : std::string();
}

}  // namespace

bool ServerSide::prepare(SSL* ssl) {
  SSL_set_app_data(ssl, this);
  SSL_set_connect_state(ssl);
  if (identity.send && !identity.name.empty() && address_in(identity.name).empty() &&
      SSL_set_tlsext_host_name(ssl, identity.name.c_str()) != 1) {
    return false;
  }
  if (const SessionPtr session{tls->take_session(identity.session)})
    SSL_set_session(ssl, session.get());  // one that does not fit is not used
  ERR_clear_error();
  return true;
}

std::optional<std::string> ServerSide::verdict(SSL* ssl) const {
  if (!tls->verifies()) return std::nullopt;
  if (const long result = SSL_get_verify_result(ssl); result != X509_V_OK) {
    return fmt::format("upstream SSL certificate verify error: ({}:{})", result,
                       X509_verify_cert_error_string(result));
  }
  const X509Ptr certificate(SSL_get1_peer_certificate(ssl));
  if (!certificate) return "upstream SSL certificate is missing";
  const std::string address = address_in(identity.name);
  const int matches = address.empty() ? X509_check_host(certificate.get(), identity.name.data(),
                                                        identity.name.size(), 0, nullptr)
                                      : X509_check_ip_asc(certificate.get(), address.c_str(), 0);
  if (matches == 1) return std::nullopt;
  return fmt::format("upstream SSL certificate does not match \"{}\"", identity.name);
}

}  // namespace gatescope::tls
