#pragma once

#include <memory>
#include <optional>
#include <string>

#include "certs/acme/jws.h"
#include "certs/acme/messages.h"
#include "proxy/net/https_client.h"
#include "proxy/net/loop.h"

namespace gatescope::acme {

/// Why a step failed, and what is known about the next try.
struct Failure {
  std::string what;                     // for the log, in one line
  std::string type;                     // of the problem: "rateLimited"; empty: nobody said
  std::optional<Duration> retry_after;  // what the authority asked for
  bool of_account = false;              // the account was refused, not what it asked for
};
Failure failure_of(const Error& error);

struct Reply {
  std::string body, location;
  std::optional<Duration> retry_after;
};

class ReplyEvents {
 public:
  virtual ~ReplyEvents() = default;
  virtual void on_reply(const Reply& reply) = 0;
  /// No answer, or one of 400 and above.
  virtual void on_no_reply(const Failure& failure) = 0;
};

struct ClientSettings {
  std::string ca_file;  // empty: the system's
  bool verify = true;
};

/// One authority, asked one thing at a time: nonces, signatures, and the retries that belong to the
/// protocol and not to whoever asks.
///
///   get:  Idle -> Asking -> Idle
///   post: Idle -> [GettingNonce ->] Signing -> Asking -> Idle; badNonce: Asking -> Signing, with
///         the nonce that came with it (RFC 8555 6.5), a number of times
///
/// Each transfer has a deadline; signing is bounded by the key. Owned by the Issuer, on its loop.
/// An event is the last thing that a function does.
class AcmeClient final : private net::HttpsEvents {
 public:
  /// All outlive the client, the lane is shared with those who work on it.
  AcmeClient(net::Loop& loop, net::HttpsClient& https, std::shared_ptr<net::WorkerLane> lane,
             ClientSettings settings);

  void set_new_nonce(std::string url) { new_nonce_ = std::move(url); }
  /// `kid` empty: requests carry the key itself.
  void sign_with(PrivateKey::Ptr key, std::string kid);
  const PrivateKey::Ptr& key() const { return key_; }
  net::WorkerLane& lane() { return *lane_; }
  net::Loop& loop() { return loop_; }

  void get(const std::string& url, ReplyEvents& events);
  /// An empty payload is POST-as-GET.
  void post(const std::string& url, std::string payload, ReplyEvents& events);
  /// No event follows.
  void cancel();

 private:
  enum class State { Idle, GettingNonce, Signing, Asking };
  // A busy authority refuses many in a row: pebble can be told to refuse one in three.
  static constexpr unsigned kMostRetries = 20;
  static constexpr Duration kPatience{30'000};
  static constexpr std::uint64_t kLargest = 1 << 20;

  void begin(State state, net::HttpsRequest request);
  void get_nonce();
  void sign();
  void on_signed(const Result<std::string>& jws);
  void on_answer(net::HttpsAnswer answer) override;
  void on_request_failed(const Error& error) override;
  void succeed(const Reply& reply);
  void fail(const Failure& failure);
  void rest();

  // Constant after construction.
  net::Loop& loop_;
  net::HttpsClient& https_;
  const std::shared_ptr<net::WorkerLane> lane_;
  const ClientSettings settings_;

  std::string new_nonce_;  // URL
  PrivateKey::Ptr key_;
  std::string kid_;
  std::string nonce_;  // the last that came, not used yet; empty: none

  State state_ = State::Idle;
  bool signed_ = false;  // what is asked is a post
  unsigned retries_ = 0;
  std::string url_, payload_;
  ReplyEvents* events_ = nullptr;  // null: Idle
  std::unique_ptr<net::HttpsTransfer> transfer_;
  std::unique_ptr<net::WorkerLane::Ticket> ticket_;
};

}  // namespace gatescope::acme
