#pragma once

// Certificates made for the test, a server on a MemoryStream and OpenSSL's client on memory BIOs.

#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "certs/issue_certificate.h"
#include "certs/openssl_ptr.h"
#include "certs/tls_context.h"
#include "certs/tls_stream.h"
#include "tests/support/catch.h"
#include "tests/unit/tls/memory_net.h"

namespace gatescope::tls::test {

/// Files in memory: what SecretReader finds.
class MemorySecrets final : public SecretReader {
 public:
  std::map<std::string, std::string> files;
  Result<std::string> read_secret(const std::string& path) override {
    auto it = files.find(path);
    if (it != files.end()) return it->second;
    return system_error(ENOENT, "open() \"" + path + "\"");
  }
};

inline KeyPtr new_key(bool rsa = false) {
  if (rsa) return KeyPtr(EVP_RSA_gen(2048));
  return *make_p256_key();
}

/// A root, an intermediate authority and the leaves they sign; adds PEM files to `secrets`.
class Authority {
 public:
  Authority() : root_key_(new_key()), middle_key_(new_key()) {
    const auto now =
        std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
    not_before_ = now - std::chrono::hours(1);
    root_ = *issue_certificate(request("Root", {}, true), root_key_.get());
    // pathlen:0 of a root forbids an intermediate one, so the chain test only counts what is sent.
    middle_ = *issue_certificate(request("Middle", {}, true), middle_key_.get(), root_.get(),
                                 root_key_.get());
  }
  /// PATH.pem and PATH.key for `name`.
  TlsSettings::Pair add(MemorySecrets& secrets, const std::string& path, const std::string& name,
                        bool rsa = false, bool with_chain = false) {
    const KeyPtr key = new_key(rsa);
    X509* issuer = with_chain ? middle_.get() : root_.get();
    EVP_PKEY* issuer_key = with_chain ? middle_key_.get() : root_key_.get();
    const auto leaf =
        *issue_certificate(request(name, {name}, false), key.get(), issuer, issuer_key);
    secrets.files[path + ".pem"] = *to_pem(leaf.get()) + (with_chain ? *to_pem(middle_.get()) : "");
    secrets.files[path + ".key"] = *to_pem(key.get());
    return {path + ".pem", path + ".key"};
  }
  /// A client's certificate and key, as one PEM text.
  std::string client(const std::string& name, bool expired = false) {
    const KeyPtr key = new_key();
    auto wanted = request(name, {}, false);
    wanted.for_client = true;
    if (expired) {
      wanted.not_before -= std::chrono::hours(48);
      wanted.lifetime = std::chrono::hours(24);
    }
    last_client_ = *issue_certificate(wanted, key.get(), root_.get(), root_key_.get());
    return *to_pem(last_client_.get()) + *to_pem(key.get());
  }
  /// A revocation list of the root; `revoke_last`: the last client's certificate is on it.
  std::string crl(bool revoke_last) {
    const CrlPtr list(X509_CRL_new());
    X509_CRL_set_version(list.get(), 1);
    X509_CRL_set_issuer_name(list.get(), X509_get_subject_name(root_.get()));
    const std::unique_ptr<ASN1_TIME, Freed<ASN1_TIME_free>> from(X509_gmtime_adj(nullptr, -3600));
    const std::unique_ptr<ASN1_TIME, Freed<ASN1_TIME_free>> to(X509_gmtime_adj(nullptr, 3600));
    X509_CRL_set1_lastUpdate(list.get(), from.get());
    X509_CRL_set1_nextUpdate(list.get(), to.get());
    if (revoke_last) {
      X509_REVOKED* revoked = X509_REVOKED_new();
      X509_REVOKED_set_serialNumber(revoked, X509_get_serialNumber(last_client_.get()));
      X509_REVOKED_set_revocationDate(revoked, from.get());
      X509_CRL_add0_revoked(list.get(), revoked);
    }
    X509_CRL_sort(list.get());
    REQUIRE(X509_CRL_sign(list.get(), root_key_.get(), EVP_sha256()) > 0);
    const BioPtr bio(BIO_new(BIO_s_mem()));
    REQUIRE(PEM_write_bio_X509_CRL(bio.get(), list.get()) == 1);
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &data);
    return {data, static_cast<std::size_t>(size)};
  }
  std::string root_pem() const { return *to_pem(root_.get()); }
  X509* last_client() const { return last_client_.get(); }
  X509* root() const { return root_.get(); }

 private:
  CertificateRequest request(const std::string& name, std::vector<std::string> names, bool ca) {
    return {.common_name = name,
            .names = std::move(names),
            .is_ca = ca,
            .not_before = not_before_,
            .lifetime = std::chrono::hours(24 * 60)};
  }
  WallTime not_before_;
  KeyPtr root_key_, middle_key_;
  X509Ptr root_, middle_, last_client_;
};

/// Names to contexts; "" is the default.
class MapChooser final : public ContextChooser {
 public:
  std::map<std::string, const TlsContext*> contexts;
  mutable std::vector<std::string> asked;
  std::shared_ptr<const TlsContext> choose(std::string_view name) const override {
    asked.emplace_back(name);
    auto it = contexts.find(std::string(name));
    const auto* found = it == contexts.end() ? contexts.at("") : it->second;
    return {std::shared_ptr<const void>(), found};  // the test's own
  }
};

/// The server's user: remembers what it was told, and does as the test wants.
class Recorder final : public net::StreamEvents, public HandshakeEvents, public net::TurnHook {
 public:
  std::unique_ptr<TlsStream> stream;
  MemoryLoop* loop = nullptr;
  bool done = false, ended = false, plain_http = false, start_reading = true;
  bool reads_at_turn_end = false;  // not before, as a session
  std::size_t drained = 0, data_calls = 0;
  std::optional<Error> handshake_error, error;
  std::string received;
  std::function<void()> on_each_data;

  void on_handshake_done() override {
    done = true;
    stream->set_events(this);
    if (reads_at_turn_end) return loop->at_turn_end(*this);
    if (start_reading) stream->start_reading();
  }
  void on_turn_end() override { stream->start_reading(); }
  void on_handshake_failed(const Error& e, bool plain) override {
    handshake_error = e;
    plain_http = plain;
  }
  void on_data(std::span<const std::byte> data) override {
    ++data_calls;
    received += as_text(data);
    if (on_each_data) on_each_data();
  }
  void on_end() override { ended = true; }
  void on_drained() override { ++drained; }
  void on_failed(const Error& e) override { error = e; }

  Flow write(std::string text) {
    ByteQueue bytes;
    bytes.append(SharedBytes(std::move(text)));
    return stream->write(bytes);
  }
};

/// OpenSSL's client on memory BIOs.
class Client {
 public:
  struct Options {
    int version = 0;  // 0: the highest
    std::string name = "a.test";
    std::vector<std::string> alpn;
    std::string ciphers;
    SSL_SESSION* session = nullptr;
    std::string certificate;  // with its key, PEM
    std::string groups;
  };
  explicit Client(const Options& options) : context_(SSL_CTX_new(TLS_client_method())) {
    SSL_CTX_set_session_cache_mode(context_.get(),
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context_.get(), [](SSL* ssl, SSL_SESSION* session) noexcept {
      auto* self = static_cast<Client*>(SSL_get_app_data(ssl));
      self->sessions_.emplace_back(session);
      return 1;
    });
    if (!options.ciphers.empty()) {
      REQUIRE(SSL_CTX_set_cipher_list(context_.get(), options.ciphers.c_str()) == 1);
    }
    if (!options.groups.empty()) {
      REQUIRE(SSL_CTX_set1_groups_list(context_.get(), options.groups.c_str()) == 1);
    }
    if (!options.certificate.empty()) use(options.certificate);
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_app_data(ssl_.get(), this);
    in_ = BIO_new(BIO_s_mem());
    out_ = BIO_new(BIO_s_mem());
    SSL_set_bio(ssl_.get(), in_, out_);
    SSL_set_connect_state(ssl_.get());
    if (options.version != 0) {
      SSL_set_min_proto_version(ssl_.get(), options.version);
      SSL_set_max_proto_version(ssl_.get(), options.version);
    }
    if (!options.name.empty()) SSL_set_tlsext_host_name(ssl_.get(), options.name.c_str());
    std::string wire;
    for (const auto& protocol : options.alpn)
      wire += static_cast<char>(protocol.size()) + protocol;
    if (!wire.empty()) {
      SSL_set_alpn_protos(ssl_.get(), reinterpret_cast<const unsigned char*>(wire.data()),
                          static_cast<unsigned>(wire.size()));
    }
    if (options.session != nullptr) SSL_set_session(ssl_.get(), options.session);
  }
  ~Client() {
    // Otherwise OpenSSL takes the missing close_notify for a reason not to resume.
    SSL_set_shutdown(ssl_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  }

  /// Does what can be done with what has come.
  void step() {
    ERR_clear_error();
    if (!SSL_is_init_finished(ssl_.get())) {
      SSL_do_handshake(ssl_.get());
      if (failure == 0) failure = ERR_GET_REASON(ERR_peek_error());
      if (!SSL_is_init_finished(ssl_.get())) return;
    }
    char buffer[20000];
    int n = 0;
    while ((n = SSL_read(ssl_.get(), buffer, sizeof(buffer))) > 0)
      received.append(buffer, static_cast<std::size_t>(n));
    const int why = SSL_get_error(ssl_.get(), n);
    if (why == SSL_ERROR_ZERO_RETURN) closed = true;
    if (why == SSL_ERROR_SSL) failed = true;
  }
  void write(std::string_view text) {
    REQUIRE(SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size())) ==
            static_cast<int>(text.size()));
  }
  void close() { SSL_shutdown(ssl_.get()); }
  void push(std::string_view bytes) {
    if (!bytes.empty()) BIO_write(in_, bytes.data(), static_cast<int>(bytes.size()));
  }
  std::string pull() {
    std::string bytes(BIO_ctrl_pending(out_), '\0');
    if (!bytes.empty()) BIO_read(out_, bytes.data(), static_cast<int>(bytes.size()));
    return bytes;
  }
  bool connected() const { return SSL_is_init_finished(ssl_.get()) == 1; }
  bool resumed() const { return SSL_session_reused(ssl_.get()) == 1; }
  std::string alpn() const {
    const unsigned char* data = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl_.get(), &data, &size);
    return {reinterpret_cast<const char*>(data), size};
  }
  std::string peer_name() const {
    const X509Ptr peer(SSL_get1_peer_certificate(ssl_.get()));
    return peer ? names_of(peer.get()).at(0) : "";
  }
  int peer_key_type() const {
    const X509Ptr peer(SSL_get1_peer_certificate(ssl_.get()));
    return EVP_PKEY_get_base_id(X509_get0_pubkey(peer.get()));
  }
  int chain_length() const { return sk_X509_num(SSL_get_peer_cert_chain(ssl_.get())); }
  /// The last one that came; null: none.
  SSL_SESSION* session() const { return sessions_.empty() ? nullptr : sessions_.back().get(); }
  /// What the connection would resume with. OpenSSL's callback does not tell of a TLS 1.2 ticket
  /// that is renewed by a resumption.
  std::string ticket() const {
    const unsigned char* data = nullptr;
    std::size_t size = 0;
    SSL_SESSION_get0_ticket(SSL_get0_session(ssl_.get()), &data, &size);
    return {reinterpret_cast<const char*>(data), size};
  }
  std::size_t session_count() const { return sessions_.size(); }
  SSL* native() { return ssl_.get(); }
  /// The authorities that the server named.
  int authorities() const { return sk_X509_NAME_num(SSL_get_client_CA_list(ssl_.get())); }

  std::string received;
  bool closed = false, failed = false;
  int failure = 0;  // of the handshake: SSL_R_

 private:
  void use(const std::string& pem) {
    const BioPtr bio = bio_on(pem);
    const X509Ptr certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    const KeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
    REQUIRE(SSL_CTX_use_certificate(context_.get(), certificate.get()) == 1);
    REQUIRE(SSL_CTX_use_PrivateKey(context_.get(), key.get()) == 1);
  }

  SslCtxPtr context_;
  std::vector<std::unique_ptr<SSL_SESSION, Freed<SSL_SESSION_free>>> sessions_;
  SslPtr ssl_;
  BIO* in_ = nullptr;   // ssl_'s
  BIO* out_ = nullptr;  // ssl_'s
};

/// A server's end with its recorder.
struct Served {
  explicit Served(MemoryLoop& l, const ContextChooser& chooser) : loop(l) {
    user.loop = &loop;
    user.stream = TlsStream::accept(std::make_unique<MemoryStream>(wire), loop, chooser, user);
  }
  /// Carries bytes to and fro in pieces of `piece` until nobody has anything to say.
  void pump(Client& client, std::size_t piece = std::string::npos) {
    for (;;) {
      client.step();
      const std::string up = client.pull();
      for (std::size_t at = 0; at < up.size(); at += std::min(piece, up.size() - at)) {
        wire->deliver(std::string_view(up).substr(at, piece));
        loop.turn();
      }
      loop.turn();
      wire->flush_unread();
      const std::string down = std::exchange(wire->sent, {});
      for (std::size_t at = 0; at < down.size(); at += std::min(piece, down.size() - at)) {
        client.push(std::string_view(down).substr(at, piece));
        client.step();
      }
      if (up.empty() && down.empty()) return;
    }
  }

  /// The variable's value; "(none)".
  std::string fact(TlsFact fact) {
    const auto value = user.stream->facts().ask(fact, now(), arena);
    return std::string(value.value_or("(none)"));
  }
  static WallTime now() {
    return std::chrono::time_point_cast<std::chrono::microseconds>(
        std::chrono::system_clock::now());
  }

  MemoryLoop& loop;
  std::shared_ptr<Wire> wire = std::make_shared<Wire>();
  Recorder user;
  Arena arena;
};

/// What most tests need: one server "a.test".
struct World {
  explicit World(TlsSettings wanted = {}) : settings(std::move(wanted)) {
    if (settings.pairs.empty()) settings.pairs.push_back(authority.add(secrets, "/a", "a.test"));
    context = make(settings);
    chooser.contexts[""] = context.get();
  }
  std::unique_ptr<TlsContext> make(const TlsSettings& s) {
    auto made = TlsContext::make(s, secrets, tickets, caches);
    if (!made) FAIL(made.error().detail);
    return *std::move(made);
  }

  MemoryLoop loop;
  MemorySecrets secrets;
  Authority authority;
  TlsSettings settings;
  TicketKeys tickets{loop.clock()};
  SessionCaches caches{loop.clock()};
  std::unique_ptr<TlsContext> context;
  MapChooser chooser;
};

}  // namespace gatescope::tls::test
