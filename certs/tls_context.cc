#include "certs/tls_context.h"

#include <fmt/format.h>
#include <openssl/pem.h>

#include <algorithm>
#include <array>

#include "certs/hello_choice.h"
#include "certs/key_pair.h"
#include "certs/openssl_ptr.h"
#include "certs/session_cache.h"
#include "certs/ticket_keys.h"

namespace gatescope::tls {
namespace {

Error config_error(std::string_view what) {
  return ssl_error(ErrorKind::Invalid, Origin::Internal, what);
}

void set_options(SSL_CTX* context, const TlsSettings& settings) {
  // The floor of the system's openssl.cnf must not hide what the configuration allows; as nginx.
  SSL_CTX_set_min_proto_version(context, 0);
  SSL_CTX_set_max_proto_version(context, 0);
  std::uint64_t options = SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                          SSL_OP_NO_SESSION_RESUMPTION_ON_RENEGOTIATION | SSL_OP_SINGLE_DH_USE |
                          SSL_OP_SINGLE_ECDH_USE | SSL_OP_NO_SSLv3;
  if (!settings.tls10) options |= SSL_OP_NO_TLSv1;
  if (!settings.tls11) options |= SSL_OP_NO_TLSv1_1;
  if (!settings.tls12) options |= SSL_OP_NO_TLSv1_2;
  if (!settings.tls13) options |= SSL_OP_NO_TLSv1_3;
  if (!settings.tickets) options |= SSL_OP_NO_TICKET;
  if (settings.prefer_server_ciphers) options |= SSL_OP_CIPHER_SERVER_PREFERENCE;
  SSL_CTX_clear_options(context, SSL_CTX_get_options(context));
  SSL_CTX_set_options(context, options);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_NO_AUTO_CHAIN);
  SSL_CTX_set_max_send_fragment(
      context, static_cast<long>(std::clamp<std::size_t>(settings.buffer_size, 512, 16384)));
}

/// What `auto` stands for: the post-quantum hybrid that browsers offer first, where OpenSSL (3.5)
/// knows it.
constexpr const char* kGroupsHybrid = "X25519MLKEM768:X25519:P-256:P-384:P-521";
constexpr const char* kGroups = "X25519:P-256:P-384:P-521";

/// Answers the list that was set.
Result<std::string> set_groups(SSL_CTX* context, const std::string& wanted) {
  if (wanted == "auto") {
    const bool hybrid = SSL_CTX_set1_groups_list(context, kGroupsHybrid) == 1;
    ERR_clear_error();
    if (hybrid) return std::string(kGroupsHybrid);
  }
  std::string groups = wanted == "auto" ? kGroups : wanted;
  if (SSL_CTX_set1_groups_list(context, groups.c_str()) == 1) return groups;
  return config_error(fmt::format("SSL_CTX_set1_curves_list(\"{}\") failed", wanted));
}

Result<void> set_dhparam(SSL_CTX* context, const std::string& path, SecretReader& secrets) {
  if (path.empty()) return {};  // as nginx: no DHE ciphers then
  const auto pem = secrets.read_secret(path);
  if (!pem) return pem.error();
  const BioPtr bio = bio_on(*pem);
  KeyPtr parameters(PEM_read_bio_Parameters(bio.get(), nullptr));
  if (!parameters) {
    return config_error(fmt::format("PEM_read_bio_Parameters(\"{}\") failed", path));
  }
  if (SSL_CTX_set0_tmp_dh_pkey(context, parameters.get()) != 1) {
    return config_error(fmt::format("SSL_CTX_set0_tmp_dh_pkey(\"{}\") failed", path));
  }
  static_cast<void>(parameters.release());  // now the context's
  return {};
}

Result<void> set_sessions(SSL_CTX* context, const TlsSettings& settings) {
  const auto cache = parse_session_cache(settings.session_cache);
  if (!cache) return cache.error();
  switch (cache->kind) {
    case SessionCache::Kind::Off:
      SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
      break;
    case SessionCache::Kind::None:
      SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_AUTO_CLEAR |
                                                  SSL_SESS_CACHE_NO_INTERNAL);
      SSL_CTX_sess_set_cache_size(context, 1);
      break;
    case SessionCache::Kind::Kept:
      SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_SERVER);
      SSL_CTX_sess_set_cache_size(context, static_cast<long>(cache->sessions));
      break;
  }
  const auto timeout = std::chrono::duration_cast<std::chrono::seconds>(settings.session_timeout);
  SSL_CTX_set_timeout(context, std::max<long>(1, timeout.count()));
  // One ticket: a browser opens few connections at once, and each ticket costs an encryption and
  // 250 bytes. Without tickets OpenSSL would send references into the cache instead: then only
  // when there is one.
  const bool resumable = settings.tickets || cache->kind == SessionCache::Kind::Kept;
  SSL_CTX_set_num_tickets(context, resumable ? 1 : 0);
  return {};
}

/// As nginx: a session belongs to those servers that show the same certificates.
Result<void> set_session_id_context(SSL_CTX* context) {
  const std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>> digest(EVP_MD_CTX_new());
  bool ok = digest && EVP_DigestInit_ex(digest.get(), EVP_sha256(), nullptr) == 1 &&
            EVP_DigestUpdate(digest.get(), "HTTP", 4) == 1;
  std::array<unsigned char, EVP_MAX_MD_SIZE> sum;
  unsigned size = 0;
  for (long more = SSL_CTX_set_current_cert(context, SSL_CERT_SET_FIRST); ok && more == 1;
       more = SSL_CTX_set_current_cert(context, SSL_CERT_SET_NEXT)) {
    ok = X509_digest(SSL_CTX_get0_certificate(context), EVP_sha256(), sum.data(), &size) == 1 &&
         EVP_DigestUpdate(digest.get(), sum.data(), size) == 1;
  }
  ok = ok && EVP_DigestFinal_ex(digest.get(), sum.data(), &size) == 1 &&
       SSL_CTX_set_session_id_context(context, sum.data(), size) == 1;
  if (!ok) return config_error("SSL_CTX_set_session_id_context() failed");
  ERR_clear_error();
  return {};
}

/// The server's order decides. Nothing in common is an alert (RFC 7301 3.2), as in nginx.
int on_alpn(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
            unsigned in_size, void* argument) noexcept {
  const auto& own = *static_cast<const std::string*>(argument);
  const int found = SSL_select_next_proto(const_cast<unsigned char**>(out), out_size,
                                          reinterpret_cast<const unsigned char*>(own.data()),
                                          static_cast<unsigned>(own.size()), in, in_size);
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

std::string alpn_wire(const std::vector<std::string>& protocols) {
  std::string wire;
  for (const auto& protocol : protocols) {
    wire += static_cast<char>(protocol.size());
    wire += protocol;
  }
  return wire;
}

}  // namespace

Result<std::unique_ptr<TlsContext>> TlsContext::make(const TlsSettings& settings,
                                                     SecretReader& secrets, TicketKeys& tickets) {
  ERR_clear_error();
  SSL_CTX* const context = SSL_CTX_new(TLS_server_method());
  if (context == nullptr) {
    return ssl_error(ErrorKind::Internal, Origin::Internal, "SSL_CTX_new() failed");
  }
  std::unique_ptr<TlsContext> made(new TlsContext(context));
  set_options(context, settings);
  if (settings.pairs.empty()) {
    return make_error(ErrorKind::Invalid, Origin::Internal,
                      "no \"ssl_certificate\" is defined for the \"listen ... ssl\" directive");
  }
  for (const auto& pair : settings.pairs) {
    const auto expiry = load_pair(context, pair, secrets);
    if (!expiry) return expiry.error();
    made->expiry_.push_back(*expiry);
  }
  if (SSL_CTX_set_cipher_list(context, settings.ciphers.c_str()) != 1) {
    return config_error(fmt::format("SSL_CTX_set_cipher_list(\"{}\") failed", settings.ciphers));
  }
  auto groups = set_groups(context, settings.ecdh_curve);
  if (!groups) return groups.error();
  made->groups_ = *std::move(groups);
  if (auto done = set_dhparam(context, settings.dhparam, secrets); !done) return done.error();
  if (auto done = set_sessions(context, settings); !done) return done.error();
  if (auto done = set_session_id_context(context); !done) return done.error();
  use_ticket_keys(context, tickets.state());
  use_hello_choice(context);
  made->alpn_ = alpn_wire(settings.alpn);
  if (!made->alpn_.empty()) SSL_CTX_set_alpn_select_cb(context, on_alpn, &made->alpn_);
  made->record_size_ = std::clamp<std::size_t>(settings.buffer_size, 512, 16384);
  return made;
}

TlsContext::~TlsContext() {
  SSL_CTX_free(context_);
}

}  // namespace gatescope::tls
