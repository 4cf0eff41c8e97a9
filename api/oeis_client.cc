#include "api/oeis_client.h"

#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "api/oeis_conversation.h"
#include "api/oeis_question.h"
#include "proxy/base/text.h"

namespace gatescope::api {

namespace {

constexpr std::string_view kTextTypes[] = {"text/plain"};
// What search answers have been labelled. A page (text/html) is none.
constexpr std::string_view kJsonTypes[] = {"application/json", "text/json", "text/plain"};

}  // namespace

bool may_follow(std::string_view base, std::string_view target) {
  const std::string origin = origin_of(target);
  return origin.starts_with("https://") || (!origin.empty() && origin == origin_of(base));
}

OeisClient::OeisClient(net::Loop& loop, net::HttpsClient& https, OeisClientSettings settings,
                       Log& log, ApiLog& api_log, Stats* stats)
    : loop_(loop),
      https_(https),
      settings_(std::move(settings)),
      lane_(loop.make_lane({.name = "gs-oeis", .threads = 1})),
      log_(log),
      api_log_(api_log),
      breaker_(settings_.breaker),
      timer_(loop.make_timer(*this)) {
  if (stats == nullptr) return;
  requests_ = &stats->counter("oeis_requests", "requests", "Requests sent to OEIS.");
  failures_ = &stats->counter("oeis_failures", "requests", "Questions that OEIS did not answer.");
  refusals_ = &stats->counter("oeis_refusals", "requests",
                              "Questions that OEIS refused as too many; it is left alone then.");
  resting_until_ = &stats->gauge("oeis_resting_until", "timestamp",
                                 "Until when OEIS is left alone, as a Unix time; 0: it refused "
                                 "nothing. Past: one question will show whether it answers again.");
  resting_until_->set(0);
  waiting_count_ =
      &stats->gauge("oeis_waiting", "requests", "Questions that wait to be sent to OEIS.");
}

OeisClient::~OeisClient() = default;

std::unique_ptr<Oeis::Fetch> OeisClient::fetch_bfile(SequenceId id, Urgency urgency, Done done) {
  return ask({.url = fmt::format("{}/{}/b{}.txt", settings_.base, id.text(), id.digits()),
              .content_types = kTextTypes,
              .max_body = settings_.max_bfile,
              .not_found = fmt::format("Error: B-file for ID '{}' not found in OEIS.", id.text())},
             urgency, std::move(done));
}

std::unique_ptr<Oeis::Fetch> OeisClient::fetch_record(SequenceId id, Urgency urgency, Done done) {
  return ask({.url = fmt::format("{}/search?q=id:{}&fmt=json", settings_.base, id.text()),
              .content_types = kJsonTypes,
              .max_body = settings_.max_record,
              .not_found = fmt::format("Error: ID '{}' not found in OEIS.", id.text())},
             urgency, std::move(done));
}

std::unique_ptr<Oeis::Fetch> OeisClient::search(std::string term, Done done) {
  return ask({.url = fmt::format("{}/search?q={}&fmt=json", settings_.base, query_escape(term)),
              .content_types = kJsonTypes,
              .max_body = settings_.max_record,
              .not_found = "Error: OEIS has no search."},
             Urgency::User, std::move(done));
}

std::unique_ptr<Oeis::Fetch> OeisClient::ask(Wanted wanted, Urgency urgency, Done done) {
  auto question = std::make_unique<Question>(*this, std::move(wanted), urgency, std::move(done));
  const bool of_user = urgency == Urgency::User;
  Questions& queue = of_user ? users_ : waiting_;
  if (breaker_.resting(loop_.clock().now()) > 0) {
    question->fail_soon(resting_failure(question->wanted()));
  } else if (queue.size() >= (of_user ? settings_.max_users : settings_.max_background)) {
    const std::string& url = question->wanted().url;
    question->fail_soon({.kind = OeisFailure::Kind::Resting,
                         .text = fmt::format("Error: Too many requests for url: {}", url),
                         .detail = fmt::format("Too many wait for OEIS already, for {}", url),
                         .retry_after = of_user ? 1u : 60u});
  } else {
    queue.push_back(question.get());
    if (of_user) give_way();
    loop_.at_turn_end(*this);
  }
  return question;
}

/// In the words of the refusal that was the reason: the client knows them.
OeisFailure OeisClient::resting_failure(const Wanted& wanted) const {
  return {.kind = OeisFailure::Kind::Resting,
          .text = fmt::format("Error: {} {} Error: {} for url: {}", refused_with_,
                              refused_with_ < 500 ? "Client" : "Server",
                              standard_reason(refused_with_), wanted.url),
          .detail = fmt::format("OEIS is left alone, not asked for {}", wanted.url),
          .retry_after = breaker_.resting(loop_.clock().now())};
}

void OeisClient::begin_questions() {
  begin_what_may();
  if (waiting_count_ != nullptr)
    waiting_count_->set(static_cast<std::int64_t>(users_.size() + waiting_.size()));
}

void OeisClient::begin_what_may() {
  const std::size_t at_once = breaker_.proven() ? settings_.max_at_once : 1;
  while (!users_.empty() && asked_.size() < at_once)
    begin(users_);
  if (waiting_.empty() || !asked_.empty()) return;
  const MonoTime now = loop_.clock().now();
  if (now < next_background_)
    return timer_->start(std::chrono::ceil<Duration>(next_background_ - now));
  background_ = waiting_.front();
  begin(waiting_);
}

void OeisClient::begin(Questions& from) {
  Question* const next = from.front();
  from.pop_front();
  asked_.push_back(next);
  next->start();
}

/// Over HTTP/1 the one connection is taken until the whole file has come.
void OeisClient::give_way() {
  if (background_ == nullptr) return;
  Question* const question = background_;
  leave(*question);
  waiting_.push_front(question);
  question->give_way();
}

void OeisClient::on_refused(const net::HttpsAnswer& answer) {
  const MonoTime now = loop_.clock().now();
  const auto told = parse_retry_after(header_of(answer, "retry-after"), loop_.clock().wall());
  const bool rested = breaker_.resting(now) > 0;
  breaker_.on_refusal(now, told);
  refused_with_ = answer.status;
  if (refusals_ != nullptr) refusals_->add();
  if (rested) return;
  const unsigned seconds = breaker_.resting(now);
  if (resting_until_ != nullptr) {
    const auto wall = std::chrono::floor<std::chrono::seconds>(loop_.clock().wall());
    resting_until_->set(wall.time_since_epoch().count() + seconds);
  }
  log_.print(LogLevel::Warn, "OEIS refuses ({}): it is left alone for {} seconds", answer.status,
             seconds);
  api_log_.event(LogLevel::Warn, "OEIS is left alone",
                 {{"status", std::to_string(answer.status)}, {"seconds", std::to_string(seconds)}});
  for (Questions* queue : {&users_, &waiting_})
    while (!queue->empty()) {
      Question* const question = queue->front();
      queue->pop_front();
      question->fail_soon(resting_failure(question->wanted()));
    }
}

void OeisClient::on_answered() {
  if (!breaker_.on_answer(loop_.clock().now())) return;
  if (resting_until_ != nullptr) resting_until_->set(0);
  log_.print(LogLevel::Notice, "OEIS answers again");
  api_log_.event(LogLevel::Notice, "OEIS answers again");
}

/// Also when it was not here.
void OeisClient::leave(Question& question) {
  if (background_ == &question) {
    background_ = nullptr;
    next_background_ = loop_.clock().now() + settings_.background_pause;
  }
  for (Questions* queue : {&users_, &waiting_, &asked_})
    std::erase(*queue, &question);
  if (!users_.empty() || !waiting_.empty()) loop_.at_turn_end(*this);
}

}  // namespace gatescope::api
