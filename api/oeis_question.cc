#include "api/oeis_question.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "api/oeis_conversation.h"
#include "proxy/base/text.h"
#include "proxy/http/encoding.h"

namespace gatescope::api {

namespace {

/// Status codes by which OEIS, or Cloudflare before it, says that this is too much.
bool says_too_much(int status) {
  return status == 503 || status == 403 || status == 429;
}

/// For the worker, which must be able to finish when the question is gone.
struct Decoding {
  net::HttpsAnswer answer;
  std::string body;
  std::string failure;  // empty: none

  void run(std::uint64_t most) {
    http::GzipDecoder decoder;
    std::string_view left = answer.body;
    const auto decoded = decoder.decode(left, most + 1, body);
    if (body.size() > most)
      failure = "Answer too large";
    else if (!decoded || !decoder.complete())
      failure = "Answer is cut off or damaged";
    if (!failure.empty()) body = {};
  }
};

}  // namespace

OeisClient::Question::Question(OeisClient& client, Wanted wanted, Urgency urgency, Done done)
    : client_(client),
      wanted_(std::move(wanted)),
      urgency_(urgency),
      timer_(client.loop_.make_timer(*this)),
      done_(std::move(done)) {
  const auto& settings = client.settings_;
  const Duration patience = is_users() ? settings.timeout : settings.background_patience;
  deadline_ = client.loop_.clock().now() + patience;
  timer_->start(patience);
}

OeisClient::Question::~Question() {
  client_.leave(*this);
}

void OeisClient::Question::start() {
  state_ = State::Asking;
  asked_at_ = client_.loop_.clock().now();
  if (!is_users()) deadline_ = asked_at_ + client_.settings_.background_timeout;
  timer_->stop();  // the transfer has the deadline
  redirects_ = 0;
  go(wanted_.url);
}

void OeisClient::Question::give_way() {
  state_ = State::Waiting;
  client_.loop_.discard(std::move(transfer_));
  timer_->start(client_.settings_.background_patience);
}

void OeisClient::Question::fail_soon(OeisFailure failure) {
  state_ = State::Failing;
  failure_ = std::move(failure);
  timer_->start(Duration(0));
}

void OeisClient::Question::on_timer(net::Timer&) {
  if (state_ == State::Failing) return finish(std::move(failure_));
  fail({.kind = OeisFailure::Kind::Silent,
        .text = fmt::format("Error: Timeout for url: {}", wanted_.url),
        .detail = fmt::format("Timeout before its turn for {}", wanted_.url)});
}

void OeisClient::Question::go(const std::string& url) {
  url_ = url;
  const auto left = std::chrono::duration_cast<Duration>(deadline_ - client_.loop_.clock().now());
  if (client_.requests_ != nullptr) client_.requests_->add();
  transfer_ = client_.https_.start({.url = url,
                                    .headers = {{"Accept-Encoding", "gzip"}},
                                    .timeout = std::max(left, Duration(1)),
                                    .max_body = wanted_.max_body,
                                    .accept_gzip = false},  // decode() does it
                                   *this);
}

void OeisClient::Question::redirect(const net::HttpsAnswer& answer) {
  if (++redirects_ > client_.settings_.max_redirects)
    return refuse("Too many redirects", answer, "history");
  if (!may_follow(client_.settings_.base, answer.redirect_url))
    return refuse("Redirect to another host", answer, "history");
  // The old transfer is below us on the stack: it goes when the next one has ended, or with us.
  previous_ = std::move(transfer_);
  go(answer.redirect_url);
}

void OeisClient::Question::on_answer(net::HttpsAnswer answer) {
  const int status = answer.status;
  if (status >= 300 && status < 400 && !answer.redirect_url.empty()) return redirect(answer);
  if (status < 200 || status > 299) return on_status(answer);
  const auto fits = [&](auto type) { return starts_with_ignoring_case(answer.content_type, type); };
  if (std::none_of(wanted_.content_types.begin(), wanted_.content_types.end(), fits))
    return refuse(fmt::format("Unexpected content type {}", answer.content_type), answer,
                  "wrong content type");
  client_.on_answered();
  if (!answer.length_known)
    return refuse("Answer without a length, it may be cut", answer, "cut off");
  if (status != 200) return refuse(fmt::format("Unexpected status {}", status), answer, "cut off");
  if (redirects_ > 0) report(answer, "history");
  if (header_of(answer, "content-encoding").empty()) return succeed(std::move(answer.body));
  decode(std::move(answer));
}

/// Not by libcurl: that takes a gzip whose end is missing for a whole one. Not on the loop: it may
/// be 64 MiB.
void OeisClient::Question::decode(net::HttpsAnswer answer) {
  const auto coding = header_of(answer, "content-encoding");
  if (!equals_ignoring_case(coding, "gzip") && !equals_ignoring_case(coding, "x-gzip"))
    return refuse(fmt::format("Unexpected content encoding {}", coding), answer,
                  "wrong content type");
  state_ = State::Decoding;
  client_.leave(*this);  // the connection is free
  auto work = std::make_shared<Decoding>();
  work->answer = std::move(answer);
  auto ticket =
      client_.lane_->submit([work, most = wanted_.max_body](unsigned) { work->run(most); },
                            [this, work] {
                              if (work->failure.empty()) return succeed(std::move(work->body));
                              refuse(work->failure, work->answer, "cut off");
                            });
  if (!ticket) return refuse("Too much to decode", work->answer, "cut off");
  ticket_ = std::move(*ticket);
}

void OeisClient::Question::succeed(std::string body) {
  const auto took = client_.loop_.clock().now() - asked_at_;
  client_.api_log_.event(
      LogLevel::Info, "OEIS answered",
      {{"url", wanted_.url},
       {"bytes", std::to_string(body.size())},
       {"milliseconds", std::to_string(std::chrono::round<Duration>(took).count())}});
  finish(std::move(body));
}

void OeisClient::Question::on_status(const net::HttpsAnswer& answer) {
  if (answer.status == 404) {
    client_.on_answered();
    report(answer, "http error");
    return fail({.kind = OeisFailure::Kind::NotFound,
                 .text = wanted_.not_found,
                 .detail = "404 for " + wanted_.url});
  }
  if (says_too_much(answer.status)) client_.on_refused(answer);
  // As Python's requests words it; the client shows it.
  refuse(fmt::format("{} {} Error: {}", answer.status, answer.status < 500 ? "Client" : "Server",
                     standard_reason(answer.status)),
         answer, "http error");
}

void OeisClient::Question::on_request_failed(const Error& error) {
  const bool large = error.kind == ErrorKind::TooLarge;
  const std::string what = large                              ? "Answer too large"
                           : error.kind == ErrorKind::Timeout ? "Timeout"
                                                              : "No connection";
  client_.api_log_.event(LogLevel::Error, "request issue",
                         {{"url", url_},
                          {"error", error.detail},
                          {"response", fmt::format("... No response from {} ...", url_)}},
                         {"request exception"});
  fail({.kind = large ? OeisFailure::Kind::Refused : OeisFailure::Kind::Silent,
        .text = fmt::format("Error: {} for url: {}", what, wanted_.url),
        .detail = fmt::format("{} for {}: {}", what, wanted_.url, error.detail)});
}

void OeisClient::Question::refuse(const std::string& what, const net::HttpsAnswer& answer,
                                  std::string_view tag) {
  report(answer, tag);
  fail({.kind = OeisFailure::Kind::Refused,
        .text = fmt::format("Error: {} for url: {}", what, wanted_.url),
        .detail = fmt::format("{} for {}", what, wanted_.url),
        .retry_after = client_.breaker_.resting(client_.loop_.clock().now())});
}

void OeisClient::Question::report(const net::HttpsAnswer& answer, std::string_view tag) {
  const bool followed = tag == "history" && answer.status == 200;
  client_.api_log_.event(
      followed ? LogLevel::Warn : LogLevel::Error, "request issue",
      {{"url", wanted_.url}, {"response", conversation(url_, client_.settings_.agent, answer)}},
      {tag});
}

void OeisClient::Question::fail(OeisFailure failure) {
  if (client_.failures_ != nullptr) client_.failures_->add();
  client_.log_.print(failure.kind == OeisFailure::Kind::NotFound ? LogLevel::Info : LogLevel::Warn,
                     "OEIS: {}", failure.detail);
  finish(std::move(failure));
}

void OeisClient::Question::finish(OeisAnswer answer) {
  state_ = State::Told;
  timer_->stop();
  client_.leave(*this);
  const Done done = std::move(done_);  // it may destroy this
  done(std::move(answer));
}

}  // namespace gatescope::api
