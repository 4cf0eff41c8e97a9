#include "certs/tls_engine.h"

#include <fmt/format.h>

#include "certs/session_store.h"
#include "certs/ssl_facts.h"

namespace gatescope::tls {
Result<std::unique_ptr<TlsEngine>> TlsEngine::make(const ContextChooser& chooser) {
  std::unique_ptr<TlsEngine> engine(new TlsEngine);
  engine->choice_.chooser = &chooser;
  engine->choice_.context = chooser.choose({});
  if (engine->choice_.context == nullptr) {
    return make_error(ErrorKind::Internal, Origin::Internal, "no TLS context for this listener");
  }
  ERR_clear_error();
  if (!engine->open(engine->choice_.context->native()))
    return ssl_error(ErrorKind::Internal, Origin::Internal, "SSL_new() failed");
  SSL_set_app_data(engine->ssl_.get(), &engine->choice_);
  SSL_set_accept_state(engine->ssl_.get());
  return engine;
}

Result<std::unique_ptr<TlsEngine>> TlsEngine::make_client(std::shared_ptr<const ClientTls> tls,
                                                          ServerIdentity identity) {
  std::unique_ptr<TlsEngine> engine(new TlsEngine);
  ERR_clear_error();
  engine->server_ = std::make_unique<ServerSide>(ServerSide{std::move(tls), std::move(identity)});
  if (!engine->open(engine->server_->tls->native()) ||
      !engine->server_->prepare(engine->ssl_.get())) {
    return ssl_error(ErrorKind::Internal, Origin::Internal, "SSL_new() failed");
  }
  return engine;
}

bool TlsEngine::open(SSL_CTX* context) {
  ssl_.reset(SSL_new(context));
  BioPtr bio = make_own_bio(flows_);
  if (!ssl_ || !bio) return false;
  SSL_set_bio(ssl_.get(), bio.get(), bio.get());  // takes the one reference for both directions
  static_cast<void>(bio.release());
  return true;
}

TlsEngine::~TlsEngine() {
  // A connection that was cut without close_notify leaves its session usable, as in nginx; after a
  // failure OpenSSL has dropped it.
  if (ssl_ && SSL_is_init_finished(ssl_.get()) == 1) {
    SSL_set_shutdown(ssl_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  }
}

/// Everything that OpenSSL may answer is understood here and nowhere else. `step` answers > 0 for
/// success. The queue of errors is the thread's: what another connection left must not count.
template <class Step>
TlsEngine::Outcome TlsEngine::run(const char* name, Step step) {
  if (ERR_peek_error() != 0) ERR_clear_error();  // which costs three times the question
  const int answer = step();
  if (answer > 0) return Outcome::Done;
  switch (SSL_get_error(ssl_.get(), answer)) {
    case SSL_ERROR_WANT_READ:
      return Outcome::WantInput;
    case SSL_ERROR_ZERO_RETURN:
      return Outcome::PeerClosed;
    default:
      // SSL_ERROR_SSL; the others (system call, WANT_WRITE, certificate lookup) cannot come from
      // a BIO that never fails.
      fail(fmt::format("{}() failed", name));
      return Outcome::Failed;
  }
}

/// RFC 5246 7.2.2: no session outlives a fatal alert.
void TlsEngine::fail(std::string_view what) {
  failure_ = std::make_unique<Error>(
      ssl_error(ErrorKind::Protocol, server_ ? Origin::Upstream : Origin::Client, what));
  ERR_clear_error();
  if (server_)
    server_->tls->drop_session(server_->identity.session);
  else
    tls::forget_session(ssl_.get());
}

TlsEngine::Outcome TlsEngine::shake_hands() {
  const Outcome outcome = run("SSL_do_handshake", [this] { return SSL_do_handshake(ssl_.get()); });
  if (outcome != Outcome::Done) return outcome;
  if (server_) {
    if (const auto verdict = server_->verdict(ssl_.get())) {
      fail(*verdict);
      return Outcome::Failed;
    }
  } else {
    // A connection keeps its context, and not the whole configuration.
    choice_.chooser = nullptr;
  }
  return outcome;
}

TlsEngine::Outcome TlsEngine::read(std::span<std::byte> room, std::size_t& filled) {
  filled = 0;
  while (filled < room.size()) {
    // What SSL_read would say, for a tenth of its cost
    if (filled > 0 && flows_.in.empty() && SSL_has_pending(ssl_.get()) == 0)
      return Outcome::WantInput;
    std::size_t n = 0;
    const Outcome outcome = run("SSL_read", [&] {
      return SSL_read_ex(ssl_.get(), room.data() + filled, room.size() - filled, &n);
    });
    if (outcome != Outcome::Done) return outcome;
    filled += n;
  }
  return Outcome::Done;
}

TlsEngine::Outcome TlsEngine::write(std::span<const std::byte> clear) {
  while (!clear.empty()) {
    std::size_t n = 0;
    const Outcome outcome =
        run("SSL_write", [&] { return SSL_write_ex(ssl_.get(), clear.data(), clear.size(), &n); });
    if (outcome == Outcome::Done) {
      clear = clear.subspan(n);
      continue;
    }
    if (outcome != Outcome::Failed) {
      failure_ = std::make_unique<Error>(
          make_error(ErrorKind::Protocol, Origin::Client, "SSL_write() failed: not open"));
    }
    return Outcome::Failed;
  }
  return Outcome::Done;
}

TlsEngine::Outcome TlsEngine::close() {
  // 0: sent, and the peer's has not come yet. Fine: the TlsStream goes on reading.
  return run("SSL_shutdown", [this] { return SSL_shutdown(ssl_.get()) >= 0 ? 1 : -1; });
}

TlsInfo TlsEngine::describe() const {
  SSL* const ssl = ssl_.get();
  TlsInfo info;
  const unsigned char* alpn = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl, &alpn, &size);
  info.alpn = {reinterpret_cast<const char*>(alpn), size};
  info.resumed = SSL_session_reused(ssl) == 1;
  return info;
}

std::optional<std::string_view> TlsEngine::ask(TlsFact fact, WallTime now, Arena& arena) const {
  return ask_ssl(ssl_.get(), fact, choice_.server_name, now, arena);
}

ClientVerdict TlsEngine::client_verdict() const {
  return client_verdict_of(ssl_.get());
}

void TlsEngine::forget_session() const {
  tls::forget_session(ssl_.get());
}

}  // namespace gatescope::tls
