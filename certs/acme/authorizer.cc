#include "certs/acme/authorizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "certs/acme/certificate.h"

namespace gatescope::acme {
namespace {

struct Proof {
  std::string bundle;
  std::shared_ptr<const tls::TlsContext> context;
};

Result<Proof> make_proof(const std::string& name, const std::string& key_authorization,
                         WallTime now, Proving proving) {
  auto bundle = make_proof_bundle(name, key_authorization, now);
  if (!bundle) return bundle.error();
  auto context = make_proof_context(*bundle, proving.tickets, proving.caches);
  if (!context) return context.error();
  return Proof{*std::move(bundle), *std::move(context)};
}

}  // namespace

std::optional<Duration> PollPace::next(MonoTime now, std::optional<Duration> asked) {
  constexpr unsigned kMostPolls = 60, kSlowest = 10;
  if (polls_ == kMostPolls) return std::nullopt;
  ++polls_;
  Duration pause = std::chrono::seconds(std::min(polls_, kSlowest));
  if (asked) pause = std::max(Duration(100), *asked);
  if (now + pause > until_) return std::nullopt;
  return pause;
}

Authorizer::Authorizer(AcmeClient& client, const IssuerSettings& settings, Proving proving,
                       std::vector<std::string> urls, AuthorizerEvents& events)
    : client_(client),
      settings_(settings),
      proving_(proving),
      urls_(std::move(urls)),
      events_(events),
      timer_(client.loop().make_timer(*this)) {}

void Authorizer::start() {
  fetch();
}

void Authorizer::fetch() {
  if (at_ == urls_.size()) return finish(nullptr);
  state_ = State::Fetching;
  pace_.reset();
  client_.post(urls_[at_], {}, *this);
}

void Authorizer::on_reply(const Reply& reply) {
  if (state_ == State::Challenging) return wait(reply.retry_after);
  const auto authorization = parse_authorization(reply.body);
  if (!authorization) return fail(authorization.error().detail);
  judge(*authorization, reply);
}

void Authorizer::judge(const Authorization& authorization, const Reply& reply) {
  name_ = authorization.name;
  if (authorization.status == "valid") {
    ++at_;
    return fetch();
  }
  if (authorization.status != "pending") {
    const auto error = authorization.first_error();
    return fail(
        fmt::format("{} was not validated by {} ({}): {} {}", name_, name_of(settings_.challenge),
                    authorization.status, error.type, error.detail),
        error.type);
  }
  if (state_ == State::Polling) return wait(reply.retry_after);
  answer(authorization);
}

void Authorizer::answer(const Authorization& authorization) {
  const auto wanted = name_of(settings_.challenge);
  const auto found = std::ranges::find_if(authorization.challenges, [&](const auto& challenge) {
    return challenge.type == wanted && !challenge.token.empty();
  });
  if (found == authorization.challenges.end())
    return fail(fmt::format("{}: the authority offers no {}", name_, wanted));
  challenge_url_ = found->url;
  const auto text = key_authorization(found->token, *client_.key());
  if (settings_.challenge == ChallengeKind::TlsAlpn) return present_proof(name_, text);
  proving_.challenges.put_token(found->token, text);
  presented_.push_back(std::make_unique<PresentedChallenge>(
      proving_.challenges, PresentedChallenge::Kind::Token, found->token));
  challenge();
}

void Authorizer::present_proof(const std::string& name, const std::string& key_authorization) {
  state_ = State::Presenting;
  auto made = std::make_shared<Result<Proof>>(Proof());  // lane fills, loop takes
  auto ticket = client_.lane().submit(
      [made, name, key_authorization, now = client_.loop().clock().wall(),
       proving = proving_](unsigned) { *made = make_proof(name, key_authorization, now, proving); },
      [this, made, asked = proof_name(name)] {
        client_.loop().discard(std::move(ticket_));
        if (!*made) return fail(made->error().detail);
        proving_.challenges.put_proof(asked, (*made)->context, (*made)->bundle);
        presented_.push_back(std::make_unique<PresentedChallenge>(
            proving_.challenges, PresentedChallenge::Kind::Proof, asked));
        challenge();
      });
  if (!ticket) return fail(ticket.error().detail);
  ticket_ = *std::move(ticket);
}

void Authorizer::challenge() {
  state_ = State::Challenging;
  pace_.emplace(client_.loop().clock().now());
  client_.post(challenge_url_, "{}", *this);
}

void Authorizer::wait(std::optional<Duration> asked) {
  state_ = State::Waiting;
  const auto pause = pace_->next(client_.loop().clock().now(), asked);
  if (!pause) return fail(fmt::format("{} was not validated within half an hour", name_));
  timer_->start(*pause);
}

void Authorizer::on_timer(net::Timer&) {
  state_ = State::Polling;
  client_.post(urls_[at_], {}, *this);
}

void Authorizer::on_no_reply(const Failure& failure) {
  finish(&failure);
}

void Authorizer::fail(std::string what, std::string type) {
  const Failure failure{.what = std::move(what), .type = std::move(type), .retry_after = {}};
  finish(&failure);
}

void Authorizer::finish(const Failure* failure) {
  state_ = State::Done;
  presented_.clear();
  failure ? events_.on_not_authorized(*failure) : events_.on_authorized();
}

}  // namespace gatescope::acme
