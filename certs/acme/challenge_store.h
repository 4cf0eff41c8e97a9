#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "certs/served_context.h"

namespace gatescope::acme {

/// What authorities may ask us for just now, by every loop: answers of http-01 by their tokens,
/// contexts of tls-alpn-01 by the names in their handshakes. Survives in Server; thread-safe.
class ChallengeStore final : public tls::NameProofs {
 public:
  void put_token(const std::string& token, std::string authorization);
  void put_proof(const std::string& name, std::shared_ptr<const tls::TlsContext> context);
  void remove_token(const std::string& token);
  void remove_proof(const std::string& name);

  /// What is to be answered for a token; nullopt: nobody waits for that one.
  std::optional<std::string> authorization(std::string_view token) const;
  std::shared_ptr<const tls::TlsContext> find(std::string_view name) const override;
  bool empty() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::string, std::less<>> tokens_;
  std::map<std::string, std::shared_ptr<const tls::TlsContext>, std::less<>> proofs_;
};

/// One challenge that is answered as long as this lives.
class PresentedChallenge {
 public:
  enum class Kind { Token, Proof };
  PresentedChallenge(ChallengeStore& store, Kind kind, std::string key)
      : store_(store), kind_(kind), key_(std::move(key)) {}
  ~PresentedChallenge() {
    kind_ == Kind::Token ? store_.remove_token(key_) : store_.remove_proof(key_);
  }
  PresentedChallenge(const PresentedChallenge&) = delete;
  PresentedChallenge& operator=(const PresentedChallenge&) = delete;

 private:
  ChallengeStore& store_;
  const Kind kind_;
  const std::string key_;
};

}  // namespace gatescope::acme
