#include "certs/tls_context.h"

#include <fmt/format.h>
#include <openssl/pem.h>

#include <algorithm>
#include <array>

#include "certs/client_rules.h"
#include "certs/conf_commands.h"
#include "certs/hello_choice.h"
#include "certs/key_pair.h"
#include "certs/openssl_ptr.h"
#include "certs/session_store.h"
#include "certs/ticket_keys.h"

namespace gatescope::tls {
namespace {

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

Result<void> set_dhparam(SSL_CTX* context, const NamedFile& file, SecretReader& secrets) {
  if (file.empty()) return {};  // as nginx: no DHE ciphers then
  const auto pem = secrets.read_secret(file.path);
  if (!pem) return placed(pem.error(), file.place);
  const BioPtr bio = bio_on(*pem);
  KeyPtr parameters(PEM_read_bio_Parameters(bio.get(), nullptr));
  if (!parameters) {
    return placed(config_error(fmt::format("PEM_read_bio_Parameters(\"{}\") failed", file.path)),
                  file.place);
  }
  if (SSL_CTX_set0_tmp_dh_pkey(context, parameters.get()) != 1) {
    return placed(config_error(fmt::format("SSL_CTX_set0_tmp_dh_pkey(\"{}\") failed", file.path)),
                  file.place);
  }
  static_cast<void>(parameters.release());  // now the context's
  return {};
}

/// What clients are told of sessions; where they are kept is the TlsContext's store, never
/// OpenSSL's own cache.
void set_cache_mode(SSL_CTX* context, SessionCache::Kind kind) {
  long mode = SSL_SESS_CACHE_OFF;
  if (kind != SessionCache::Kind::Off) {
    mode = SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_AUTO_CLEAR | SSL_SESS_CACHE_NO_INTERNAL;
  }
  SSL_CTX_set_session_cache_mode(context, mode);
}

std::string alpn_wire(const std::vector<std::string>& protocols) {
  std::string wire;
  for (const auto& protocol : protocols) {
    wire += static_cast<char>(protocol.size());
    wire += protocol;
  }
  return wire;
}

/// The server's order decides. Nothing in common is an alert (RFC 7301 3.2), as in nginx.
int on_alpn(SSL* ssl, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
            unsigned in_size, void* argument) noexcept {
  static const std::string kBoth = alpn_wire({"h2", "http/1.1"});
  const auto* choice = static_cast<const HelloChoice*>(SSL_get_app_data(ssl));
  const bool of_address =
      choice->chooser != nullptr && !choice->proves && choice->chooser->offers_http2();
  const auto& own = of_address ? kBoth : *static_cast<const std::string*>(argument);
  const int found = SSL_select_next_proto(const_cast<unsigned char**>(out), out_size,
                                          reinterpret_cast<const unsigned char*>(own.data()),
                                          static_cast<unsigned>(own.size()), in, in_size);
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

}  // namespace

TlsContext::TlsContext(ssl_ctx_st* context) : context_(context) {
  SSL_CTX_set_app_data(context, this);
}

TlsContext::~TlsContext() {
  SSL_CTX_free(context_);
}

Result<std::unique_ptr<TlsContext>> TlsContext::make(const TlsSettings& settings,
                                                     SecretReader& secrets, TicketKeys& tickets,
                                                     SessionCaches& caches) {
  ERR_clear_error();
  SSL_CTX* const context = SSL_CTX_new(TLS_server_method());
  if (context == nullptr) {
    return ssl_error(ErrorKind::Internal, Origin::Internal, "SSL_CTX_new() failed");
  }
  std::unique_ptr<TlsContext> made(new TlsContext(context));
  if (auto filled = made->fill(settings, secrets, tickets, caches); !filled) return filled.error();
  return made;
}

/// In nginx's order: a later one may override an earlier one, commands all of them.
Result<void> TlsContext::fill(const TlsSettings& settings, SecretReader& secrets,
                              TicketKeys& tickets, SessionCaches& caches) {
  const auto here = [&](const Error& error) { return placed(error, settings.place); };
  set_options(context_, settings);
  rejects_handshake_ = settings.reject_handshake;
  if (settings.pairs.empty() && !rejects_handshake_) {
    return here(
        make_error(ErrorKind::Invalid, Origin::Internal,
                   "no \"ssl_certificate\" is defined for the \"listen ... ssl\" directive"));
  }
  const auto passwords = read_passwords(settings.password_file, secrets);
  if (!passwords) return passwords.error();
  for (const auto& pair : settings.pairs) {
    const auto expiry = load_pair(context_, pair, secrets, *passwords);
    if (!expiry) return expiry.error();
    expiry_.push_back(*expiry);
  }
  if (SSL_CTX_set_cipher_list(context_, settings.ciphers.c_str()) != 1) {
    return here(
        config_error(fmt::format("SSL_CTX_set_cipher_list(\"{}\") failed", settings.ciphers)));
  }
  auto rules = set_client_rules(context_, settings, secrets);
  if (!rules) return rules.error();
  client_rules_ = *std::move(rules);
  if (auto done = set_dhparam(context_, settings.dhparam, secrets); !done) return done;
  auto groups = set_groups(context_, settings.ecdh_curve);
  if (!groups) return here(groups.error());
  groups_ = *std::move(groups);
  if (auto done = set_sessions(settings, secrets, tickets, caches); !done) return done;
  if (auto done = run_conf_commands(context_, settings.commands, secrets, groups_); !done) {
    return done;
  }
  // The command "Options SessionTicket" may have changed it. Without tickets OpenSSL sends
  // references into the cache instead: then only when there is one.
  const bool resumable = (SSL_CTX_get_options(context_) & SSL_OP_NO_TICKET) == 0 || sessions_;
  if (!resumable) SSL_CTX_set_num_tickets(context_, 0);
  if (auto done = set_session_id_context(); !done) return here(done.error());
  use_hello_choice(context_);
  alpn_ = alpn_wire(settings.alpn);
  if (!alpn_.empty()) SSL_CTX_set_alpn_select_cb(context_, on_alpn, &alpn_);
  record_size_ = std::clamp<std::size_t>(settings.buffer_size, 512, 16384);
  return {};
}

Result<void> TlsContext::set_sessions(const TlsSettings& settings, SecretReader& secrets,
                                      TicketKeys& tickets, SessionCaches& caches) {
  const auto cache = parse_session_cache(settings.session_cache);
  if (!cache) return placed(cache.error(), settings.place);
  set_cache_mode(context_, cache->kind);
  if (cache->kind == SessionCache::Kind::Shared) {
    sessions_ = caches.shared(cache->name, cache->bytes);
  } else if (cache->kind == SessionCache::Kind::Builtin) {
    sessions_ = caches.builtin(cache->sessions);
  }
  session_timeout_ = std::max<Duration>(std::chrono::seconds(1), settings.session_timeout);
  SSL_CTX_set_timeout(context_,
                      std::chrono::duration_cast<std::chrono::seconds>(session_timeout_).count());
  // One ticket: a browser opens few connections at once, and each ticket costs an encryption and
  // 250 bytes.
  SSL_CTX_set_num_tickets(context_, 1);
  if (!settings.ticket_keys.empty()) {
    auto given = GivenTicketKeys::read(settings.ticket_keys, secrets);
    if (!given) return given.error();
    own_ticket_keys_ = *std::move(given);
    ticket_keys_ = own_ticket_keys_.get();
  } else if (cache->kind == SessionCache::Kind::Shared) {
    ticket_keys_ = &sessions_->ticket_keys();
  } else {
    ticket_keys_ = &tickets.state();
  }
  use_ticket_keys(context_);
  use_session_store(context_);
  return {};
}

/// As nginx: a session belongs to those servers that show the same certificates and believe the
/// same clients.
Result<void> TlsContext::set_session_id_context() {
  const std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>> digest(EVP_MD_CTX_new());
  bool ok = digest && EVP_DigestInit_ex(digest.get(), EVP_sha256(), nullptr) == 1 &&
            EVP_DigestUpdate(digest.get(), "HTTP", 4) == 1 &&
            EVP_DigestUpdate(digest.get(), client_rules_.data(), client_rules_.size()) == 1;
  std::array<unsigned char, EVP_MAX_MD_SIZE> sum;
  unsigned size = 0;
  for (long more = SSL_CTX_set_current_cert(context_, SSL_CERT_SET_FIRST); ok && more == 1;
       more = SSL_CTX_set_current_cert(context_, SSL_CERT_SET_NEXT)) {
    ok = X509_digest(SSL_CTX_get0_certificate(context_), EVP_sha256(), sum.data(), &size) == 1 &&
         EVP_DigestUpdate(digest.get(), sum.data(), size) == 1;
  }
  ok = ok && EVP_DigestFinal_ex(digest.get(), sum.data(), &size) == 1 &&
       SSL_CTX_set_session_id_context(context_, sum.data(), size) == 1;
  if (!ok) return config_error("SSL_CTX_set_session_id_context() failed");
  ERR_clear_error();
  return {};
}

}  // namespace gatescope::tls
