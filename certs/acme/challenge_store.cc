#include "certs/acme/challenge_store.h"

#include <algorithm>

#include "proxy/base/text.h"

namespace gatescope::acme {
namespace {

constexpr std::size_t kLongestKey = 255;  // as a name of DNS; tokens have some 43

/// Empty: nothing that an authority would ask for, and nothing for a file's name.
std::string shared_file(std::string_view kind, std::string_view key) {
  const bool plain = !key.empty() && key.size() <= kLongestKey && key.front() != '.' &&
                     std::ranges::all_of(key, [](char c) {
                       return is_alpha(c) || is_digit(c) || c == '-' || c == '_' || c == '.';
                     });
  return plain ? std::string(kind) + std::string(key) : std::string();
}
std::string token_file(std::string_view token) {
  return shared_file("challenge-", token);
}
std::string proof_file(std::string_view name) {
  return shared_file("proof-", name);
}

}  // namespace

Result<std::shared_ptr<const tls::TlsContext>> make_proof_context(const std::string& bundle,
                                                                  tls::TicketKeys& tickets,
                                                                  tls::SessionCaches& caches) {
  tls::TlsSettings settings;
  settings.pairs.push_back({"data:" + bundle, "data:" + bundle});
  settings.alpn = {std::string(tls::kProofProtocol)};
  settings.tickets = false;
  tls::OwnSecrets none;  // all is in the settings
  auto made = tls::TlsContext::make(settings, none, tickets, caches);
  if (!made) return made.error();
  return std::shared_ptr<const tls::TlsContext>(*std::move(made));
}

void ChallengeStore::put_token(const std::string& token, std::string authorization) {
  const std::lock_guard lock(mutex_);
  // What cannot be written is not found, and the authority says so.
  if (const auto file = token_file(token); published_ && !file.empty())
    (void)published_->write(file, authorization);
  tokens_[token] = std::move(authorization);
}

void ChallengeStore::put_proof(const std::string& name,
                               std::shared_ptr<const tls::TlsContext> context,
                               const std::string& bundle) {
  const std::lock_guard lock(mutex_);
  if (const auto file = proof_file(name); published_ && !file.empty())
    (void)published_->write(file, bundle);
  proofs_[name] = std::move(context);
}

void ChallengeStore::remove_token(const std::string& token) {
  const std::lock_guard lock(mutex_);
  if (const auto file = token_file(token); published_ && !file.empty()) published_->remove(file);
  tokens_.erase(token);
}

void ChallengeStore::remove_proof(const std::string& name) {
  const std::lock_guard lock(mutex_);
  if (const auto file = proof_file(name); published_ && !file.empty()) published_->remove(file);
  proofs_.erase(name);
}

std::optional<std::string> ChallengeStore::authorization(std::string_view token) const {
  const std::lock_guard lock(mutex_);
  const auto found = tokens_.find(token);
  return found != tokens_.end() ? found->second : find_file(token_file(token));
}

std::shared_ptr<const tls::TlsContext> ChallengeStore::find(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  if (const auto found = proofs_.find(name); found != proofs_.end()) return found->second;
  const auto bundle = find_file(proof_file(name));
  if (!bundle) return nullptr;
  const auto made = make_proof_context(*bundle, *tickets_, *caches_);
  return made ? *made : nullptr;
}

/// An open() in vain for each folder: some microseconds, and only for paths and handshakes that
/// nobody but an authority has reason for.
std::optional<std::string> ChallengeStore::find_file(const std::string& name) const {
  if (name.empty()) return std::nullopt;
  for (const auto& folder : looked_in_)
    if (auto text = folder.read(name); text && *text) return **text;
  return std::nullopt;
}

bool ChallengeStore::empty() const {
  const std::lock_guard lock(mutex_);
  return tokens_.empty() && proofs_.empty();
}

void ChallengeStore::publish_in(const StateFolder& folder) {
  const std::lock_guard lock(mutex_);
  published_ = folder;
}

void ChallengeStore::look_in(std::vector<StateFolder> folders, tls::TicketKeys& tickets,
                             tls::SessionCaches& caches) {
  const std::lock_guard lock(mutex_);
  looked_in_ = std::move(folders);
  tickets_ = &tickets;
  caches_ = &caches;
}

}  // namespace gatescope::acme
