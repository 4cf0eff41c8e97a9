#pragma once

#include <memory>
#include <string>

#include "certs/acme/acme_client.h"
#include "certs/acme/acme_settings.h"
#include "certs/acme/state_folder.h"
#include "certs/tls_context.h"
#include "proxy/base/log.h"

namespace gatescope::acme {

class AccountEvents {
 public:
  virtual ~AccountEvents() = default;
  /// The client signs with it from now on.
  virtual void on_account() = 0;
  virtual void on_no_account(const Failure& failure) = 0;
};

/// Who we are to an authority: a key, and the URL under which it knows it. Both are kept in the
/// state folder; a key that is there is used again, and an authority that knows it says where
/// (RFC 8555 7.3.1), so losing account.json costs nothing.
///
/// An account that the authority has closed (RFC 8555 7.3.6) is closed for good, with its key: a
/// key of our own making is set aside and another one registered, once. Whoever is refused again
/// has to ask why, so then it is an error, as it is with the operator's own key.
///
///   Closed -> Loading (lane: key and URL) -> [Registering -> Storing (lane) ->] Open
///   Registering -> SettingAside (lane) -> Loading
///   any -> Closed: failed, told, may be opened again
///
/// Owned by the Issuer.
class Account final : private ReplyEvents {
 public:
  /// All outlive the account and what it does on the lane.
  Account(AcmeClient& client, const IssuerSettings& settings, tls::SecretReader& secrets, Log& log)
      : client_(client), settings_(settings), secrets_(secrets), log_(log) {}

  /// An event follows, maybe at once.
  void open(const Directory& directory, AccountEvents& events);
  /// The authority does not know it (any more): it registers the next time.
  void forget();

 private:
  enum class State { Closed, Loading, Registering, SettingAside, Storing, Open };
  /// What the lane found.
  struct Loaded {
    PrivateKey::Ptr key;
    std::string url;      // empty: it is not registered
    std::string binding;  // for externalAccountBinding; empty: none
  };
  static Result<Loaded> load(const IssuerSettings& settings, const std::string& new_account,
                             tls::SecretReader& secrets);
  void on_loaded(const Result<Loaded>& loaded);
  void load_on_lane();
  void register_key(const std::string& binding);
  void set_aside(const Failure& failure);
  void on_reply(const Reply& reply) override;
  void on_no_reply(const Failure& failure) override;
  void on_stored(const std::string& url, const Result<void>& stored);
  void finish(std::string url);
  void fail(Failure failure);

  // Constant after construction.
  AcmeClient& client_;
  const IssuerSettings& settings_;
  tls::SecretReader& secrets_;
  Log& log_;

  State state_ = State::Closed;
  bool forgotten_ = false;  // account.json is not to be believed
  bool was_known_ = false;  // the key had an account once
  Directory directory_;
  PrivateKey::Ptr key_;
  AccountEvents* events_ = nullptr;  // while something is under way
  std::unique_ptr<net::WorkerLane::Ticket> ticket_;
};

}  // namespace gatescope::acme
