#pragma once

#include <memory>
#include <optional>
#include <string>

#include "certs/acme/authorizer.h"
#include "certs/acme/certificate.h"
#include "certs/acme/state_folder.h"
#include "proxy/base/log.h"

namespace gatescope::acme {

class OrderEvents {
 public:
  virtual ~OrderEvents() = default;
  /// `bundle` is in the state folder already.
  virtual void on_issued(const std::string& bundle, const CertificateFacts& facts) = 0;
  virtual void on_not_issued(const Failure& failure) = 0;
};

/// One certificate from the first question to the file in the state folder (RFC 8555 7.4). URL and
/// key of an order are stored before anything is proved, so whoever was killed goes on with the
/// same order and asks for no second certificate.
///
///   Preparing (lane: key, or the order that was under way) -> Creating -> Noting (lane)
///     -> Authorizing -> Requesting (lane) -> Finalizing -> Waiting -> Polling -> Downloading
///     -> Storing (lane) -> Done
///   Preparing -> Resuming -> wherever it stands, or Creating; any -> Done: told
///
/// Owned by the Issuer, which bounds nothing: each transfer and each wait has its own end.
class Order final : private ReplyEvents, private AuthorizerEvents, private net::TimerEvents {
 public:
  /// `replaces`: RFC 9773 5; empty: nothing. `client` signs with the account.
  Order(AcmeClient& client, const IssuerSettings& settings, const CertificateSettings& wanted,
        Directory directory, Proving proving, std::string replaces, Log& log, OrderEvents& events);
  /// One event follows, not at once.
  void start();

 private:
  enum class State {
    Preparing,
    Resuming,
    Creating,
    Noting,
    Authorizing,
    Requesting,
    Finalizing,
    Waiting,
    Polling,
    Downloading,
    Storing,
    Done
  };
  struct Prepared {
    PrivateKey::Ptr key;
    std::string url;  // of the order under way; empty: there is none
  };
  struct Stored {
    std::string bundle;
    CertificateFacts facts;
  };
  static Result<Prepared> prepare(const StateFolder& folder, const CertificateSettings& wanted);
  static Result<Stored> store(const StateFolder& folder, const std::string& name,
                              const PrivateKey& key, const std::string& chain);
  template <class T, class Work, class Done>
  void on_lane(Work work, Done done);

  void on_reply(const Reply& reply) override;
  void on_no_reply(const Failure& failure) override;
  void on_authorized() override;
  void on_not_authorized(const Failure& failure) override;
  void on_timer(net::Timer& timer) override;
  void begin(const Result<Prepared>& prepared);
  void create();
  std::string choose_profile(std::string& error) const;
  void note(const std::string& url, const OrderAnswer& answer);
  void go_on(const OrderAnswer& answer, std::optional<Duration> asked);
  void request();
  void wait(std::optional<Duration> asked);
  void download(const Reply& reply);
  /// The order is of no use any more.
  void give_up(Failure failure);
  void fail(const Failure& failure);
  void fail(const Error& error) { fail(failure_of(error)); }

  // Constant after construction.
  AcmeClient& client_;
  const IssuerSettings& settings_;
  const CertificateSettings& wanted_;
  const Directory directory_;
  const Proving proving_;
  const StateFolder folder_;
  Log& log_;
  OrderEvents& events_;
  const std::unique_ptr<net::Timer> timer_;

  State state_ = State::Preparing;
  std::string replaces_;  // emptied when the authority does not want to hear it
  PrivateKey::Ptr key_;   // of the certificate
  std::string url_;
  OrderAnswer answer_;  // the last
  bool authorized_ = false;
  std::unique_ptr<Authorizer> authorizer_;
  std::optional<PollPace> pace_;
  std::unique_ptr<net::WorkerLane::Ticket> ticket_;
};

}  // namespace gatescope::acme
