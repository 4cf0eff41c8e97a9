#include "certs/acme/order.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "certs/acme/base64url.h"
#include "certs/acme/json_text.h"

namespace gatescope::acme {
namespace {

using nlohmann::json;

std::string order_file(const CertificateSettings& wanted) {
  return wanted.file_name() + ".order";
}

}  // namespace

Order::Order(AcmeClient& client, const IssuerSettings& settings, const CertificateSettings& wanted,
             Directory directory, Proving proving, std::string replaces, Log& log,
             OrderEvents& events)
    : client_(client),
      settings_(settings),
      wanted_(wanted),
      directory_(std::move(directory)),
      proving_(proving),
      folder_(settings.state_path),
      log_(log),
      events_(events),
      timer_(client.loop().make_timer(*this)),
      replaces_(std::move(replaces)) {}

/// `work` on the lane, by value; `done` gets its result here.
template <class T, class Work, class Done>
void Order::on_lane(Work work, Done done) {
  auto result = std::make_shared<std::optional<Result<T>>>();  // lane fills, loop takes
  auto ticket =
      client_.lane().submit([result, work = std::move(work)](unsigned) { result->emplace(work()); },
                            [this, result, done = std::move(done)] {
                              client_.loop().discard(std::move(ticket_));
                              done(**result);
                            });
  if (!ticket) return fail(ticket.error());
  ticket_ = *std::move(ticket);
}

Result<Order::Prepared> Order::prepare(const StateFolder& folder,
                                       const CertificateSettings& wanted) {
  Prepared prepared;
  const auto stored = folder.read(order_file(wanted));
  if (stored && *stored) {
    const auto object = json::parse(**stored, nullptr, false);
    if (object.is_object() && object.contains("url") && object["url"].is_string() &&
        object.contains("key") && object["key"].is_string()) {
      const std::string pem = object["key"].get<std::string>();
      if (auto key = PrivateKey::from_pem(pem, order_file(wanted))) {
        prepared.key = *key;
        prepared.url = object["url"].get<std::string>();
        return prepared;
      }
    }
  }
  auto key = PrivateKey::make(wanted.key);
  if (!key) return key.error();
  prepared.key = *std::move(key);
  return prepared;
}

void Order::start() {
  on_lane<Prepared>([folder = folder_, wanted = wanted_] { return prepare(folder, wanted); },
                    [this](const Result<Prepared>& prepared) { begin(prepared); });
}

void Order::begin(const Result<Prepared>& prepared) {
  if (!prepared) return fail(prepared.error());
  key_ = prepared->key;
  pace_.emplace(client_.loop().clock().now());
  if (prepared->url.empty()) return create();
  url_ = prepared->url;
  state_ = State::Resuming;
  log_.print(LogLevel::Notice, "acme_issuer \"{}\": going on with the order for {} at {}",
             settings_.name, wanted_.shown(), url_);
  client_.post(url_, {}, *this);
}

/// Empty: none. `error` when the one that must be is not there.
std::string Order::choose_profile(std::string& error) const {
  if (settings_.profile.empty()) return {};
  if (std::ranges::find(directory_.profiles, settings_.profile) != directory_.profiles.end())
    return settings_.profile;
  if (settings_.profile_required)
    error = fmt::format("the authority has no profile \"{}\", it has: {}", settings_.profile,
                        fmt::join(directory_.profiles, ", "));
  return {};
}

void Order::create() {
  std::string missing;
  const auto profile = choose_profile(missing);
  if (!missing.empty()) return fail({.what = missing, .type = {}, .retry_after = {}});
  json payload{{"identifiers", json::array()}};
  for (const auto& name : wanted_.identifiers)
    payload["identifiers"].push_back({{"type", is_ip(name) ? "ip" : "dns"}, {"value", name}});
  if (!profile.empty()) payload["profile"] = profile;
  if (!replaces_.empty()) payload["replaces"] = replaces_;
  state_ = State::Creating;
  client_.post(directory_.new_order, to_text(payload), *this);
}

void Order::on_reply(const Reply& reply) {
  if (state_ == State::Downloading) return download(reply);
  const auto answer = parse_order(reply.body);
  if (!answer) return fail(answer.error());
  if (state_ == State::Resuming && answer->status == "invalid") return create();
  if (state_ == State::Creating) {
    if (reply.location.empty())
      return fail({.what = "the authority made an order and does not say where",
                   .type = {},
                   .retry_after = {}});
    return note(reply.location, *answer);
  }
  go_on(*answer, reply.retry_after);
}

void Order::note(const std::string& url, const OrderAnswer& answer) {
  url_ = url;
  state_ = State::Noting;
  const auto write = [folder = folder_, name = order_file(wanted_), key = key_,
                      url]() -> Result<OrderAnswer> {
    const auto pem = key->pem();
    if (!pem) return pem.error();
    const auto text = to_text(json{{"url", url}, {"key", *pem}}, 1);
    if (auto written = folder.write(name, text + "\n"); !written) return written.error();
    return OrderAnswer();
  };
  on_lane<OrderAnswer>(write, [this, answer](const Result<OrderAnswer>& written) {
    if (!written) return fail(written.error());
    go_on(answer, std::nullopt);
  });
}

void Order::go_on(const OrderAnswer& answer, std::optional<Duration> asked) {
  answer_ = answer;
  if (answer.status == "valid" && !answer.certificate.empty()) {
    state_ = State::Downloading;
    return client_.post(answer.certificate, {}, *this);
  }
  if (answer.status == "ready") return request();
  if (answer.status == "pending" && !authorized_) {
    state_ = State::Authorizing;
    authorizer_ = std::make_unique<Authorizer>(client_, settings_, proving_, answer.authorizations,
                                               static_cast<AuthorizerEvents&>(*this));
    return authorizer_->start();
  }
  if (answer.status == "pending" || answer.status == "processing" || answer.status == "valid")
    return wait(asked);
  give_up({.what = fmt::format("the order is {}: {} {}", answer.status, answer.error.type,
                               answer.error.detail),
           .type = answer.error.type,
           .retry_after = {}});
}

void Order::on_authorized() {
  authorized_ = true;
  client_.loop().discard(std::move(authorizer_));
  state_ = State::Polling;
  client_.post(url_, {}, *this);
}

/// An authorization that failed has made the order invalid; one that could not be asked for has
/// not.
void Order::on_not_authorized(const Failure& failure) {
  client_.loop().discard(std::move(authorizer_));
  failure.type.empty() ? fail(failure) : give_up(failure);
}

void Order::request() {
  state_ = State::Requesting;
  on_lane<std::string>(
      [key = key_, names = wanted_.identifiers] { return make_csr(*key, names); },
      [this](const Result<std::string>& csr) {
        if (!csr) return fail(csr.error());
        state_ = State::Finalizing;
        client_.post(answer_.finalize, to_text(json{{"csr", base64url(*csr)}}), *this);
      });
}

void Order::wait(std::optional<Duration> asked) {
  state_ = State::Waiting;
  const auto pause = pace_->next(client_.loop().clock().now(), asked);
  if (!pause)
    return fail({.what = fmt::format("the order is still {} after half an hour", answer_.status),
                 .type = {},
                 .retry_after = {}});
  timer_->start(*pause);
}

void Order::on_timer(net::Timer&) {
  state_ = State::Polling;
  client_.post(url_, {}, *this);
}

Result<Order::Stored> Order::store(const StateFolder& folder, const std::string& name,
                                   const PrivateKey& key, const std::string& chain) {
  const auto pem = key.pem();
  if (!pem) return pem.error();
  Stored stored{.bundle = *pem + chain, .facts = {}};
  auto facts = read_bundle(stored.bundle, "what the authority sent");
  if (!facts) {
    folder.remove(name + ".order");  // it would be the same the next time
    return facts.error();
  }
  stored.facts = *std::move(facts);
  if (auto written = folder.write(name + ".pem", stored.bundle); !written) return written.error();
  folder.remove(name + ".order");
  return stored;
}

void Order::download(const Reply& reply) {
  state_ = State::Storing;
  on_lane<Stored>([folder = folder_, name = wanted_.file_name(), key = key_,
                   chain = reply.body] { return store(folder, name, *key, chain); },
                  [this](const Result<Stored>& stored) {
                    if (!stored) return fail(stored.error());
                    state_ = State::Done;
                    events_.on_issued(stored->bundle, stored->facts);
                  });
}

void Order::on_no_reply(const Failure& failure) {
  const bool answered = !failure.type.empty();
  // Somebody has replaced it already, or the authority does not know the old one (RFC 9773 5).
  if (state_ == State::Creating && !replaces_.empty() &&
      (failure.type == "alreadyReplaced" || failure.type == "malformed" ||
       failure.type == "unauthorized")) {
    replaces_.clear();
    return create();
  }
  if (state_ == State::Resuming && answered) return create();
  if (state_ == State::Finalizing && failure.type == "orderNotReady") return wait({});
  if (answered && failure.type != "rateLimited" && failure.type != "serverInternal" &&
      state_ != State::Creating)
    return give_up(failure);
  Failure said = failure;
  // Nobody is asked anything about names yet.
  said.of_account = state_ == State::Creating &&
                    (failure.type == "accountDoesNotExist" || failure.type == "unauthorized");
  fail(said);
}

void Order::give_up(Failure failure) {
  on_lane<bool>(
      [folder = folder_, name = order_file(wanted_)]() -> Result<bool> {
        folder.remove(name);
        return true;
      },
      [this, failure = std::move(failure)](const Result<bool>&) { fail(failure); });
}

void Order::fail(const Failure& failure) {
  state_ = State::Done;
  events_.on_not_issued(failure);
}

}  // namespace gatescope::acme
