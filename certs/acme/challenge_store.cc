#include "certs/acme/challenge_store.h"

namespace gatescope::acme {

void ChallengeStore::put_token(const std::string& token, std::string authorization) {
  const std::lock_guard lock(mutex_);
  tokens_[token] = std::move(authorization);
}

void ChallengeStore::put_proof(const std::string& name,
                               std::shared_ptr<const tls::TlsContext> context) {
  const std::lock_guard lock(mutex_);
  proofs_[name] = std::move(context);
}

void ChallengeStore::remove_token(const std::string& token) {
  const std::lock_guard lock(mutex_);
  tokens_.erase(token);
}

void ChallengeStore::remove_proof(const std::string& name) {
  const std::lock_guard lock(mutex_);
  proofs_.erase(name);
}

std::optional<std::string> ChallengeStore::authorization(std::string_view token) const {
  const std::lock_guard lock(mutex_);
  const auto found = tokens_.find(token);
  if (found == tokens_.end()) return std::nullopt;
  return found->second;
}

std::shared_ptr<const tls::TlsContext> ChallengeStore::find(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  const auto found = proofs_.find(name);
  return found == proofs_.end() ? nullptr : found->second;
}

bool ChallengeStore::empty() const {
  const std::lock_guard lock(mutex_);
  return tokens_.empty() && proofs_.empty();
}

}  // namespace gatescope::acme
