#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "certs/acme/state_folder.h"
#include "certs/served_context.h"
#include "certs/session_caches.h"

namespace gatescope::acme {

/// A context that shows a proof (make_proof_bundle) to whoever asks for it by tls-alpn-01.
Result<std::shared_ptr<const tls::TlsContext>> make_proof_context(const std::string& bundle,
                                                                  tls::TicketKeys& tickets,
                                                                  tls::SessionCaches& caches);

/// What authorities may ask us for just now, by every loop: answers of http-01 by their tokens,
/// contexts of tls-alpn-01 by the names in their handshakes. Survives in Server; thread-safe.
///
/// A program that obtains certificates and does not serve itself (`gatescope certs renew`) puts
/// them up in state folders, where a store that serves looks for what it does not have.
class ChallengeStore final : public tls::NameProofs {
 public:
  void put_token(const std::string& token, std::string authorization);
  /// `bundle` is what `context` was made of.
  void put_proof(const std::string& name, std::shared_ptr<const tls::TlsContext> context,
                 const std::string& bundle);
  void remove_token(const std::string& token);
  void remove_proof(const std::string& name);

  /// What is to be answered for a token; nullopt: nobody waits for that one. May open a file.
  std::optional<std::string> authorization(std::string_view token) const;
  std::shared_ptr<const tls::TlsContext> find(std::string_view name) const override;
  bool empty() const;

  /// From now on what is put up also lies there. Blocks when it is.
  void publish_in(const StateFolder& folder);
  /// Where others may have put up something. `tickets` and `caches` outlive the store.
  void look_in(std::vector<StateFolder> folders, tls::TicketKeys& tickets,
               tls::SessionCaches& caches);

 private:
  std::optional<std::string> find_file(const std::string& name) const;

  mutable std::mutex mutex_;
  std::map<std::string, std::string, std::less<>> tokens_;
  std::map<std::string, std::shared_ptr<const tls::TlsContext>, std::less<>> proofs_;
  std::optional<StateFolder> published_;  // nullopt: nowhere
  std::vector<StateFolder> looked_in_;
  tls::TicketKeys* tickets_ = nullptr;    // of look_in
  tls::SessionCaches* caches_ = nullptr;  // of look_in
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
