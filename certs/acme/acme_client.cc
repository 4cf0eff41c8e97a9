#include "certs/acme/acme_client.h"

#include <fmt/format.h>

#include <utility>

namespace gatescope::acme {
namespace {

std::string field(const net::HttpsAnswer& answer, std::string_view name) {
  for (const auto& [known, value] : answer.headers)
    if (known == name) return value;
  return {};
}

}  // namespace

Failure failure_of(const Error& error) {
  return {.what = error.detail, .type = {}, .retry_after = {}};
}

AcmeClient::AcmeClient(net::Loop& loop, net::HttpsClient& https,
                       std::shared_ptr<net::WorkerLane> lane, ClientSettings settings)
    : loop_(loop), https_(https), lane_(std::move(lane)), settings_(std::move(settings)) {}

void AcmeClient::sign_with(PrivateKey::Ptr key, std::string kid) {
  key_ = std::move(key);
  kid_ = std::move(kid);
}

void AcmeClient::get(const std::string& url, ReplyEvents& events) {
  url_ = url;
  events_ = &events;
  signed_ = false;
  begin(State::Asking, {.url = url});
}

void AcmeClient::post(const std::string& url, std::string payload, ReplyEvents& events) {
  url_ = url;
  payload_ = std::move(payload);
  events_ = &events;
  signed_ = true;
  retries_ = 0;
  nonce_.empty() ? get_nonce() : sign();
}

void AcmeClient::cancel() {
  rest();
  events_ = nullptr;
}

void AcmeClient::begin(State state, net::HttpsRequest request) {
  state_ = state;
  request.timeout = kPatience;
  request.max_body = kLargest;
  request.accept_gzip = false;
  request.ca_file = settings_.ca_file;
  request.verify = settings_.verify;
  loop_.discard(std::move(transfer_));  // it may be calling us
  transfer_ = https_.start(std::move(request), *this);
}

void AcmeClient::get_nonce() {
  begin(State::GettingNonce, {.method = "HEAD", .url = new_nonce_});
}

void AcmeClient::sign() {
  state_ = State::Signing;
  auto jws = std::make_shared<Result<std::string>>(std::string());  // lane fills, loop takes
  JwsHeader header{.url = url_, .nonce = std::exchange(nonce_, {}), .kid = kid_};
  auto ticket = lane_->submit([jws, key = key_, header = std::move(header), payload = payload_](
                                  unsigned) { *jws = make_jws(*key, header, payload); },
                              [this, jws] { on_signed(*jws); });
  if (!ticket) return fail(failure_of(ticket.error()));
  ticket_ = *std::move(ticket);
}

void AcmeClient::on_signed(const Result<std::string>& jws) {
  loop_.discard(std::move(ticket_));
  if (!jws) return fail(failure_of(jws.error()));
  begin(State::Asking, {.method = "POST",
                        .url = url_,
                        .headers = {{"Content-Type", "application/jose+json"}},
                        .body = *jws});
}

void AcmeClient::on_answer(net::HttpsAnswer answer) {
  if (auto nonce = field(answer, "replay-nonce"); !nonce.empty()) nonce_ = std::move(nonce);
  if (state_ == State::GettingNonce && answer.status < 300 && !nonce_.empty()) return sign();
  const auto retry_after = parse_retry_after(field(answer, "retry-after"), loop_.clock().wall());
  if (state_ == State::Asking && answer.status >= 200 && answer.status < 300)
    return succeed({.body = std::move(answer.body),
                    .location = field(answer, "location"),
                    .retry_after = retry_after});
  const auto problem = parse_problem(answer.body);
  if (signed_ && problem.type == "badNonce" && retries_ < kMostRetries) {
    ++retries_;
    return nonce_.empty() ? get_nonce() : sign();
  }
  std::string what = fmt::format("{} {}: {}",
                                 state_ == State::GettingNonce ? "HEAD"
                                 : signed_                     ? "POST"
                                                               : "GET",
                                 state_ == State::GettingNonce ? new_nonce_ : url_, answer.status);
  if (!problem.type.empty()) what += " " + problem.type;
  if (!problem.detail.empty()) what += ": " + problem.detail;
  fail({.what = std::move(what), .type = problem.type, .retry_after = retry_after});
}

void AcmeClient::on_request_failed(const Error& error) {
  fail(failure_of(error));
}

void AcmeClient::rest() {
  state_ = State::Idle;
  loop_.discard(std::move(transfer_));
  loop_.discard(std::move(ticket_));
}

void AcmeClient::succeed(const Reply& reply) {
  rest();
  std::exchange(events_, nullptr)->on_reply(reply);
}

void AcmeClient::fail(const Failure& failure) {
  rest();
  std::exchange(events_, nullptr)->on_no_reply(failure);
}

}  // namespace gatescope::acme
