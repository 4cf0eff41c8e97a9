#pragma once

#include <memory>
#include <string>
#include <vector>

#include "certs/acme/acme_client.h"
#include "certs/acme/acme_settings.h"
#include "certs/acme/challenge_store.h"
#include "certs/session_caches.h"
#include "certs/tls_context.h"

namespace gatescope::acme {

/// What contexts for tls-alpn-01 are made with, and where challenges are answered from. All of it
/// survives in Server.
struct Proving {
  ChallengeStore& challenges;
  tls::TicketKeys& tickets;
  tls::SessionCaches& caches;
};

/// When a poll is due: as the authority asked, else after 1, 2, 3 ... 10 seconds. It gives up after
/// half an hour, or after 60 polls.
class PollPace {
 public:
  explicit PollPace(MonoTime now) : until_(now + std::chrono::minutes(30)) {}
  /// nullopt: long enough.
  std::optional<Duration> next(MonoTime now, std::optional<Duration> asked);

 private:
  const MonoTime until_;
  unsigned polls_ = 0;
};

class AuthorizerEvents {
 public:
  virtual ~AuthorizerEvents() = default;
  virtual void on_authorized() = 0;
  virtual void on_not_authorized(const Failure& failure) = 0;
};

/// Proves for one authorization after the other that a name is ours (RFC 8555 7.5): puts up what
/// will be asked for, says so, and waits for the verdict.
///
///   Fetching -> (valid) Fetching the next ... -> Done
///   Fetching -> Presenting (lane, tls-alpn-01) -> Challenging -> Waiting -> Polling -> Waiting ...
///   any -> Done: told
///
/// Owned by the Order; its end takes the answers down.
class Authorizer final : private ReplyEvents, private net::TimerEvents {
 public:
  Authorizer(AcmeClient& client, const IssuerSettings& settings, Proving proving,
             std::vector<std::string> urls, AuthorizerEvents& events);
  /// One event follows, not at once unless there is nothing to prove.
  void start();

 private:
  enum class State { Fetching, Presenting, Challenging, Waiting, Polling, Done };
  void fetch();
  void on_reply(const Reply& reply) override;
  void on_no_reply(const Failure& failure) override;
  void on_timer(net::Timer& timer) override;
  void judge(const Authorization& authorization, const Reply& reply);
  void answer(const Authorization& authorization);
  void present_proof(const std::string& name, const std::string& key_authorization);
  void challenge();
  void wait(std::optional<Duration> asked);
  void fail(std::string what, std::string type = {});
  void finish(const Failure* failure);

  // Constant after construction.
  AcmeClient& client_;
  const IssuerSettings& settings_;
  const Proving proving_;
  const std::vector<std::string> urls_;
  AuthorizerEvents& events_;
  const std::unique_ptr<net::Timer> timer_;

  State state_ = State::Fetching;
  std::size_t at_ = 0;  // in urls_
  std::string name_;    // of what is being proved
  std::string challenge_url_;
  std::optional<PollPace> pace_;
  std::vector<std::unique_ptr<PresentedChallenge>> presented_;
  std::unique_ptr<net::WorkerLane::Ticket> ticket_;
};

}  // namespace gatescope::acme
