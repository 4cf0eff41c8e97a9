#include "certs/served_checks.h"

#include <fmt/format.h>

#include <utility>

#include "proxy/base/time_words.h"

namespace gatescope::tls {
namespace {

net::Endpoint own_address(const net::Endpoint& listened) {
  if (!listened.is_wildcard()) return listened;
  const bool v6 = listened.family() == net::Endpoint::Family::V6;
  const auto own = net::Endpoint::ip(v6 ? "::1" : "127.0.0.1", listened.port());
  return own ? *own : listened;
}

/// A server with keys of both kinds shows the one that the client can judge.
std::string signatures_for(const std::string& key) {
  if (key.starts_with("ECDSA"))
    return "ecdsa_secp256r1_sha256:ecdsa_secp384r1_sha384:ecdsa_secp521r1_sha512";
  if (key.starts_with("RSA "))
    return "rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:rsa_pss_rsae_sha512:RSA+SHA256:RSA+SHA384";
  return {};
}

}  // namespace

ServedChecks::~ServedChecks() = default;

std::string ServedChecks::place() const {
  const auto& target = targets_.front();
  return fmt::format("{}{}", target.address.to_string(),
                     target.name.empty() ? "" : " (" + target.name + ")");
}

void ServedChecks::add(Target target) {
  if (targets_.size() >= kMostWaiting)
    return log_.print(LogLevel::Warn, "{} is not looked at: too many addresses wait for that",
                      target.address.to_string());
  targets_.push_back(std::move(target));
  if (state_ == State::Idle) next();
}

void ServedChecks::next() {
  if (targets_.empty()) return;
  state_ = State::Connecting;
  if (!timer_) timer_ = loop_.make_timer(*this);
  timer_->start(kPatience);
  connecting_ = loop_.connect(own_address(targets_.front().address), kPatience, *this);
}

void ServedChecks::on_connected(std::unique_ptr<net::Stream> stream) {
  const auto& target = targets_.front();
  state_ = State::Handshaking;
  connecting_.reset();
  if (target.proxy_protocol) {
    ByteQueue head;
    head.append_copy("PROXY UNKNOWN\r\n");
    static_cast<void>(stream->write(head));
  }
  ClientTlsSettings settings;
  settings.session_reuse = false;
  if (const auto signatures = signatures_for(target.expected.key); !signatures.empty())
    settings.commands.push_back({"SignatureAlgorithms", signatures, {}});
  OwnSecrets none;  // nothing is named
  auto tls = ClientTls::make(settings, none);
  if (!tls) return fail(tls.error().detail);
  auto made =
      TlsStream::connect(std::move(stream), loop_, *std::move(tls),
                         {.name = target.name, .send = !target.name.empty(), .session = {}}, *this);
  if (!made) return fail(made.error().detail);
  stream_ = *std::move(made);
}

void ServedChecks::on_handshake_done() {
  Arena arena;
  const auto pem = stream_->facts().ask(TlsFact::ClientRawCert, loop_.clock().wall(), arena);
  judge(pem.value_or(std::string_view()));
}

void ServedChecks::judge(std::string_view pem) {
  const auto shown = read_certificate_infos(pem, place());
  if (!shown) return fail("it shows none");
  const auto& info = shown->front();
  if (info.fingerprint != targets_.front().expected.fingerprint)
    return fail(fmt::format("it shows one for {} (issued by {}) that ends at {}", info.shown(),
                            info.issuer, in_words(info.not_after)));
  log_.print(LogLevel::Info, "{} shows the new certificate for {}, good until {}", place(),
             info.shown(), in_words(info.not_after));
  finish();
}

void ServedChecks::on_connect_failed(const Error& error) {
  fail(error.detail);
}

void ServedChecks::on_handshake_failed(const Error& error, bool) {
  fail(error.detail);
}

void ServedChecks::on_timer(net::Timer&) {
  fail(fmt::format("no answer in {} seconds",
                   std::chrono::duration_cast<std::chrono::seconds>(kPatience).count()));
}

void ServedChecks::fail(std::string_view why) {
  log_.print(LogLevel::Error, "{} does not show the new certificate for {}: {}", place(),
             targets_.front().expected.shown(), why);
  finish();
}

void ServedChecks::hang_up() {
  if (timer_) timer_->stop();
  connecting_.reset();
  if (stream_) stream_->set_events(nullptr);
  loop_.discard(std::move(stream_));
  state_ = State::Idle;
}

void ServedChecks::finish() {
  hang_up();
  targets_.pop_front();
  next();
}

void ServedChecks::cancel() {
  hang_up();
  targets_.clear();
}

}  // namespace gatescope::tls
