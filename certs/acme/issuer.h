#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "certs/acme/account.h"
#include "certs/acme/order.h"
#include "certs/acme/renewal.h"

namespace gatescope::acme {

class IssuerEvents {
 public:
  virtual ~IssuerEvents() = default;
  /// `bundle` is what is to be shown under that name from now on.
  virtual void on_certificate(const std::string& secret_name, const std::string& bundle) = 0;
  /// A try has ended. `failure` null: it brought a certificate, which on_certificate() told before.
  virtual void on_tried(const CertificateSettings& certificate, const Failure* failure) {
    (void)certificate, (void)failure;
  }
};

/// One authority and the certificates that are obtained from it: looks when one is due, holds the
/// state folder's lock while it works, does one thing after the other. What fails is logged with
/// the time of the next try; what is shown stays.
///
///   Idle (timer) -> Locking (lane: lock, and what others have put there) -> AskingDirectory
///     -> AskingWindow -> OpeningAccount -> Ordering -> (the next one that is due) ... -> Idle
///   Locking -> Idle: another gatescope holds the lock
///
/// Survives reloads that do not change its plan. Owned by AcmeModule, on loop 0; its end cancels
/// everything, and an order that was under way is gone on with by the next one.
class Issuer final : private ReplyEvents,
                     private AccountEvents,
                     private OrderEvents,
                     private net::TimerEvents {
 public:
  /// Times of day are looked at this often at least: clocks are set, machines sleep.
  static constexpr Duration kLookAgain{3600'000};

  struct Parts {
    net::Loop& loop;
    std::shared_ptr<net::WorkerLane> lane;
    tls::SecretReader& secrets;
    Proving proving;
    Log& log;
  };
  /// All of `parts` outlives the issuer; `https` is its own.
  Issuer(const Parts& parts, std::unique_ptr<net::HttpsClient> https, IssuerPlan plan,
         std::uint64_t seed, IssuerEvents& events);
  ~Issuer() override;
  void start();
  /// The same, but what is in the state folder is renewed now, whether it is time or not; and where
  /// another gatescope holds the lock that is a failure. For commands.
  void renew_now();

  const IssuerPlan& plan() const { return plan_; }
  const std::vector<std::unique_ptr<Renewal>>& renewals() const { return renewals_; }

 private:
  enum class State { Idle, Locking, AskingDirectory, AskingWindow, OpeningAccount, Ordering };
  /// What the lane found in the state folder.
  struct Held {
    UniqueFd lock;  // none: somebody else has it
    struct Found {
      std::string bundle;
      CertificateFacts facts;
    };
    std::vector<std::optional<Found>> found;  // as renewals_
    std::string complaint;                    // of a bundle that is not to be used; empty: none
  };
  static Result<Held> hold(const StateFolder& folder, const std::vector<std::string>& names);

  void on_timer(net::Timer& timer) override;
  void lock();
  void on_held(const std::shared_ptr<std::optional<Result<Held>>>& held);
  void work();  // on the next that is due, or rests
  void rest();
  Renewal* next_due();
  void on_reply(const Reply& reply) override;
  void on_no_reply(const Failure& failure) override;
  void on_directory(const Reply& reply);
  void on_window(const Reply& reply);
  void no_window(const Failure& failure);
  void on_account() override;
  void on_no_account(const Failure& failure) override;
  void on_issued(const std::string& bundle, const CertificateFacts& facts) override;
  void on_not_issued(const Failure& failure) override;
  void fail_all(const Failure& failure);
  void fail(Renewal& renewal, const Failure& failure);
  void take(Renewal& renewal, const std::string& bundle, const CertificateFacts& facts);
  void note(const Renewal& renewal, const Failure* failure);
  WallTime now() const { return parts_.loop.clock().wall(); }
  template <class... A>
  void say(LogLevel level, fmt::format_string<A...> format, A&&... args) {
    if (parts_.log.enabled(level))
      parts_.log.print(level, "acme_issuer \"{}\": {}", plan_.settings.name,
                       fmt::format(format, std::forward<A>(args)...));
  }

  // Constant after construction.
  const Parts parts_;
  const IssuerPlan plan_;
  IssuerEvents& events_;
  const std::unique_ptr<net::HttpsClient> https_;
  const std::unique_ptr<net::Timer> timer_;

  AcmeClient client_;
  Account account_;
  Jitter jitter_;
  std::vector<std::unique_ptr<Renewal>> renewals_;

  State state_ = State::Idle;
  bool demanded_ = false;       // renew_now() was called, and the folder was not locked yet
  bool reopened_ = false;       // the account was refused, and is asked for anew; once a lock
  bool by_command_ = false;     // renew_now() was called: nobody waits for another try
  UniqueFd lock_;               // while not Idle or Locking
  Duration lock_pause_;         // before the next look at a lock that another has
  Renewal* current_ = nullptr;  // what is worked on
  Directory directory_;
  std::optional<MonoTime> directory_at_;  // when it was asked for; nullopt: never
  std::unique_ptr<Order> order_;
  std::unique_ptr<net::WorkerLane::Ticket> ticket_;
  /// By file name: what is being written of how it stands.
  std::map<std::string, std::unique_ptr<net::WorkerLane::Ticket>> notes_;
};

}  // namespace gatescope::acme
