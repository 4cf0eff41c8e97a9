#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "api/api_log.h"
#include "api/oeis.h"
#include "api/oeis_breaker.h"
#include "proxy/base/log.h"
#include "proxy/base/stats.h"
#include "proxy/net/https_client.h"

namespace gatescope::api {

struct OeisClientSettings {
  std::string base = "https://oeis.org";  // without a slash at the end
  std::string agent;                      // shown in api.log; the HttpsClient sends it
  Duration timeout{4000};                 // somebody waits for it; redirects and queueing included
  Duration background_timeout{60'000};    // nobody waits; from when it is asked
  Duration background_pause{10'000};      // from the end of one to the next; OEIS's Crawl-Delay
  Duration background_patience{3'600'000};  // how long one waits for its turn
  std::uint64_t max_bfile = 64u << 20;      // bytes
  std::uint64_t max_record = 16u << 20;     // the largest record has 0.15 MB, an answer ten of them
  int max_redirects = 5;
  std::size_t max_at_once = 4;       // users' questions; over HTTP/1 the one connection is between
  std::size_t max_users = 256;       // users' questions that wait
  std::size_t max_background = 256;  // background questions that wait
  OeisBreakerSettings breaker;
};

/// Asks the real oeis.org, politely: one connection, users' questions before those of the
/// background, which come ten seconds apart and give way to a user's that comes while one is being
/// answered; and none at all for a while after OEIS said that it was too much (OeisBreaker). Owned
/// by ApiModule; everything handed in outlives it, and every Fetch is destroyed before it.
class OeisClient final : public Oeis, private net::TurnHook, private net::TimerEvents {
 public:
  OeisClient(net::Loop& loop, net::HttpsClient& https, OeisClientSettings settings, Log& log,
             ApiLog& api_log, Stats* stats);
  ~OeisClient() override;

  std::unique_ptr<Fetch> fetch_bfile(SequenceId id, Urgency urgency, Done done) override;
  std::unique_ptr<Fetch> fetch_record(SequenceId id, Urgency urgency, Done done) override;
  std::unique_ptr<Fetch> search(std::string term, Done done) override;

 private:
  class Question;
  struct Wanted;
  using Questions = std::deque<Question*>;

  std::unique_ptr<Fetch> ask(Wanted wanted, Urgency urgency, Done done);
  OeisFailure resting_failure(const Wanted& wanted) const;
  void on_turn_end() override { begin_questions(); }
  void on_timer(net::Timer&) override { begin_questions(); }
  void begin_questions();
  void begin_what_may();
  void begin(Questions& from);
  void give_way();
  // What questions tell.
  void on_refused(const net::HttpsAnswer& answer);
  void on_answered();
  void leave(Question& question);

  // Constant after construction
  net::Loop& loop_;
  net::HttpsClient& https_;
  const OeisClientSettings settings_;
  const std::shared_ptr<net::WorkerLane> lane_;  // decodes; shared as Loop makes it
  Log& log_;
  ApiLog& api_log_;
  Counter* requests_ = nullptr;  // null: not counted
  Counter* failures_ = nullptr;
  Counter* refusals_ = nullptr;
  Counter *resting_until_ = nullptr, *waiting_count_ = nullptr;

  OeisBreaker breaker_;
  int refused_with_ = 503;          // the status of the last refusal
  Questions users_, waiting_;       // that wait for their turn: of users, of the background
  Questions asked_;                 // that OEIS is answering
  Question* background_ = nullptr;  // the one of those that may give way
  MonoTime next_background_{};      // not before
  const std::unique_ptr<net::Timer> timer_;  // until then
};

/// Whether a redirect from `base` to `target` may be followed: to the same host, or to https.
bool may_follow(std::string_view base, std::string_view target);

}  // namespace gatescope::api
