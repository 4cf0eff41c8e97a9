#include "certs/client_tls.h"

#include <fmt/format.h>

#include "certs/client_rules.h"
#include "certs/conf_commands.h"
#include "certs/key_pair.h"
#include "certs/openssl_ptr.h"
#include "certs/server_side.h"

namespace gatescope::tls {
namespace {

int on_session(SSL* ssl, SSL_SESSION* session) noexcept {
  const auto* side = static_cast<const ServerSide*>(SSL_get_app_data(ssl));
  if (side == nullptr) return 0;
  side->tls->keep_session(side->identity.session, session);
  return 1;  // it is ours now
}

}  // namespace

Result<std::shared_ptr<const ClientTls>> ClientTls::make(const ClientTlsSettings& settings,
                                                         SecretReader& secrets) {
  ERR_clear_error();
  SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
  if (context == nullptr)
    return ssl_error(ErrorKind::Internal, Origin::Internal, "SSL_CTX_new() failed");
  std::shared_ptr<ClientTls> made(new ClientTls(context));
  if (auto filled = made->fill(settings, secrets); !filled) return filled.error();
  return std::shared_ptr<const ClientTls>(std::move(made));
}

ClientTls::~ClientTls() {
  for (const auto& [server, session] : sessions_)
    SSL_SESSION_free(session);
  SSL_CTX_free(context_);
}

Result<void> ClientTls::fill(const ClientTlsSettings& settings, SecretReader& secrets) {
  SSL_CTX_set_min_proto_version(context_, 0);
  SSL_CTX_set_max_proto_version(context_, 0);
  std::uint64_t options = SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_SSLv3;
  if (!settings.tls10) options |= SSL_OP_NO_TLSv1;
  if (!settings.tls11) options |= SSL_OP_NO_TLSv1_1;
  if (!settings.tls12) options |= SSL_OP_NO_TLSv1_2;
  if (!settings.tls13) options |= SSL_OP_NO_TLSv1_3;
  SSL_CTX_clear_options(context_, SSL_CTX_get_options(context_));
  SSL_CTX_set_options(context_, options);
  SSL_CTX_set_mode(context_, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                 SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  if (SSL_CTX_set_cipher_list(context_, settings.ciphers.c_str()) != 1) {
    return placed(
        config_error(fmt::format("SSL_CTX_set_cipher_list(\"{}\") failed", settings.ciphers)),
        settings.place);
  }
  if (!settings.pair.certificate.empty()) {
    const auto passwords = read_passwords(settings.password_file, secrets);
    if (!passwords) return passwords.error();
    const auto loaded = load_pair(context_, settings.pair, secrets, *passwords);
    if (!loaded) return loaded.error();
  }
  if (settings.verify) {
    if (settings.trusted_certificate.empty()) {
      return placed(make_error(ErrorKind::Invalid, Origin::Internal,
                               "no proxy_ssl_trusted_certificate for proxy_ssl_verify"),
                    settings.place);
    }
    if (auto done = trust(context_, settings.trusted_certificate, settings.crl, secrets); !done)
      return done;
    SSL_CTX_set_verify(context_, SSL_VERIFY_PEER, judge_later);
    SSL_CTX_set_verify_depth(context_, static_cast<int>(settings.verify_depth));
    verifies_ = true;
  }
  if (settings.session_reuse) {
    SSL_CTX_set_session_cache_mode(context_, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context_, on_session);
  }
  std::string groups;
  return run_conf_commands(context_, settings.commands, secrets, groups);
}

ssl_session_st* ClientTls::take_session(const std::string& server) const {
  const std::lock_guard lock(mutex_);
  const auto found = sessions_.find(server);
  if (found == sessions_.end()) return nullptr;
  SSL_SESSION_up_ref(found->second);
  return found->second;
}

void ClientTls::keep_session(const std::string& server, ssl_session_st* session) const {
  const std::lock_guard lock(mutex_);
  auto& kept = sessions_[server];
  if (kept != nullptr) SSL_SESSION_free(kept);
  kept = session;
  if (sessions_.size() <= kMostSessions) return;
  const auto other =
      sessions_.begin()->first == server ? std::next(sessions_.begin()) : sessions_.begin();
  SSL_SESSION_free(other->second);
  sessions_.erase(other);
}

void ClientTls::drop_session(const std::string& server) const {
  const std::lock_guard lock(mutex_);
  const auto found = sessions_.find(server);
  if (found == sessions_.end()) return;
  SSL_SESSION_free(found->second);
  sessions_.erase(found);
}

}  // namespace gatescope::tls
