#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "api/oeis_client.h"
#include "proxy/net/loop.h"

namespace gatescope::api {

struct OeisClient::Wanted {
  std::string url;
  std::span<const std::string_view> content_types;  // prefixes; constants
  std::uint64_t max_body;
  std::string not_found;  // the client's text for 404
};

/// One question with the redirects that it takes. Owned by the asker, known to the client until it
/// is told.
///   Waiting -> Asking (again for each redirect) -> (Decoding) -> Told
///   Asking -> Waiting (gave way), Waiting -> Failing (told by the timer) -> Told
class OeisClient::Question final : public Oeis::Fetch,
                                   private net::HttpsEvents,
                                   private net::TimerEvents {
 public:
  Question(OeisClient& client, Wanted wanted, Urgency urgency, Done done);
  ~Question() override;

  bool is_users() const { return urgency_ == Urgency::User; }
  const Wanted& wanted() const { return wanted_; }
  void start();
  void give_way();
  void fail_soon(OeisFailure failure);

 private:
  enum class State { Waiting, Asking, Decoding, Failing, Told };

  void go(const std::string& url);
  void redirect(const net::HttpsAnswer& answer);
  void on_answer(net::HttpsAnswer answer) override;
  void on_request_failed(const Error& error) override;
  void on_timer(net::Timer&) override;
  void on_status(const net::HttpsAnswer& answer);
  void decode(net::HttpsAnswer answer);
  void succeed(std::string body);
  void refuse(const std::string& what, const net::HttpsAnswer& answer, std::string_view tag);
  void report(const net::HttpsAnswer& answer, std::string_view tag);
  void fail(OeisFailure failure);
  void finish(OeisAnswer answer);

  // Constant after construction
  OeisClient& client_;
  const Wanted wanted_;
  const Urgency urgency_;
  const std::unique_ptr<net::Timer> timer_;

  State state_ = State::Waiting;
  Done done_;
  MonoTime deadline_;  // of a background question: known when it is asked
  MonoTime asked_at_{};
  int redirects_ = 0;
  std::string url_;  // being asked
  std::unique_ptr<net::HttpsTransfer> previous_, transfer_;
  std::unique_ptr<net::WorkerLane::Ticket> ticket_;  // while Decoding
  OeisFailure failure_;                              // while Failing
};

}  // namespace gatescope::api
