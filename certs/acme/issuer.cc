#include "certs/acme/issuer.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "certs/acme/renewal_note.h"
#include "proxy/base/time_words.h"

namespace gatescope::acme {
namespace {

constexpr Duration kDirectoryAge = std::chrono::hours(1);
// Short at first: who has it may be about to go, as the worker of a server that was killed and
// started again.
constexpr Duration kFirstLockPause = std::chrono::seconds(1);
constexpr Duration kLongestLockPause = std::chrono::minutes(1);
constexpr Duration kNoAdvicePause = std::chrono::hours(6);

}  // namespace

Issuer::Issuer(const Parts& parts, std::unique_ptr<net::HttpsClient> https, IssuerPlan plan,
               std::uint64_t seed, IssuerEvents& events)
    : parts_(parts),
      plan_(std::move(plan)),
      events_(events),
      https_(std::move(https)),
      timer_(parts_.loop.make_timer(*this)),
      client_(parts_.loop, *https_, parts_.lane,
              {.ca_file = plan_.settings.trusted_certificate, .verify = plan_.settings.verify}),
      account_(client_, plan_.settings, parts_.secrets, parts_.log),
      jitter_(seed),
      lock_pause_(kFirstLockPause) {
  for (const auto& certificate : plan_.certificates)
    renewals_.push_back(std::make_unique<Renewal>(certificate));
}

Issuer::~Issuer() = default;

void Issuer::start() {
  if (!renewals_.empty()) lock();
}

void Issuer::renew_now() {
  demanded_ = by_command_ = true;
  start();
}

void Issuer::on_timer(net::Timer&) {
  next_due() ? lock() : rest();
}

Renewal* Issuer::next_due() {
  const auto time = now();
  for (const auto& renewal : renewals_)
    if (renewal->due() <= time) return renewal.get();
  return nullptr;
}

void Issuer::rest() {
  state_ = State::Idle;
  current_ = nullptr;
  reopened_ = false;
  lock_.reset();
  if (renewals_.empty()) return;
  WallTime first = WallTime::max();
  for (const auto& renewal : renewals_)
    first = std::min(first, renewal->due());
  const auto pause = std::chrono::ceil<Duration>(first - now());
  timer_->start(std::clamp(pause, Duration(1), kLookAgain));
}

// ---- The state folder

Result<Issuer::Held> Issuer::hold(const StateFolder& folder,
                                  const std::vector<std::string>& names) {
  auto lock = folder.lock();
  if (!lock) return lock.error();
  Held held;
  held.lock = *std::move(lock);
  held.found.resize(names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto text = folder.read(names[i] + ".pem");
    if (!text) return text.error();
    if (!*text) continue;
    auto facts = read_bundle(**text, folder.file(names[i] + ".pem"));
    if (facts) {
      held.found[i] = Held::Found{**text, *std::move(facts)};
    } else {
      held.complaint = facts.error().detail;
    }
  }
  return held;
}

void Issuer::lock() {
  state_ = State::Locking;
  std::vector<std::string> names;
  for (const auto& renewal : renewals_)
    names.push_back(renewal->settings().file_name());
  auto held = std::make_shared<std::optional<Result<Held>>>();  // lane fills, loop takes
  auto ticket = parts_.lane->submit(
      [held, folder = StateFolder(plan_.settings.state_path), names = std::move(names)](unsigned) {
        held->emplace(hold(folder, names));
      },
      [this, held] { on_held(held); });
  if (!ticket) return fail_all(failure_of(ticket.error()));
  ticket_ = *std::move(ticket);
}

void Issuer::on_held(const std::shared_ptr<std::optional<Result<Held>>>& result) {
  parts_.loop.discard(std::move(ticket_));
  if (!**result) return fail_all(failure_of((*result)->error()));
  Held& held = ***result;
  if (!held.complaint.empty()) say(LogLevel::Error, "{}; it is obtained anew", held.complaint);
  for (std::size_t i = 0; i < renewals_.size(); ++i)
    if (const auto& found = held.found[i]; found && found->bundle != renewals_[i]->bundle())
      take(*renewals_[i], found->bundle, found->facts);
  const bool demanded = std::exchange(demanded_, false);
  if (!held.lock && demanded) {
    // Nothing has failed but that somebody else is at it: nothing is noted.
    const Failure failure{
        .what = fmt::format("another gatescope works in \"{}\" just now, try again in a minute",
                            plan_.settings.state_path),
        .type = {},
        .retry_after = {}};
    say(LogLevel::Error, "{}", failure.what);
    rest();
    for (const auto& renewal : renewals_)
      events_.on_tried(renewal->settings(), &failure);
    return;
  }
  if (!held.lock) {
    say(LogLevel::Info, "another gatescope works in \"{}\", looked at again in {}",
        plan_.settings.state_path, in_words(lock_pause_));
    for (const auto& renewal : renewals_)
      if (renewal->due() <= now()) renewal->postpone(now(), lock_pause_);
    lock_pause_ = std::min(lock_pause_ * 2, kLongestLockPause);
    return rest();
  }
  lock_pause_ = kFirstLockPause;
  lock_ = std::move(held.lock);
  if (demanded)
    for (const auto& renewal : renewals_)
      renewal->demand(now());
  work();
}

void Issuer::take(Renewal& renewal, const std::string& bundle, const CertificateFacts& facts) {
  renewal.adopt(bundle, facts, now(), jitter_);
  note(renewal, nullptr);
  events_.on_certificate(renewal.settings().secret_name(), bundle);
}

// ---- What is due

void Issuer::work() {
  current_ = next_due();
  if (current_ == nullptr) return rest();
  const auto mono = parts_.loop.clock().now();
  if (!directory_at_ || mono - *directory_at_ > kDirectoryAge) {
    state_ = State::AskingDirectory;
    return client_.get(plan_.settings.uri, *this);
  }
  if (current_->wants_window(now()) && directory_.renewal_info.empty()) {
    current_->set_no_window(now(), std::chrono::hours(24));
    return work();
  }
  if (current_->wants_window(now())) {
    state_ = State::AskingWindow;
    const bool slash = directory_.renewal_info.ends_with('/');
    return client_.get(directory_.renewal_info + (slash ? "" : "/") + current_->replaces(), *this);
  }
  state_ = State::OpeningAccount;
  account_.open(directory_, *this);
}

void Issuer::on_reply(const Reply& reply) {
  state_ == State::AskingDirectory ? on_directory(reply) : on_window(reply);
}

void Issuer::on_no_reply(const Failure& failure) {
  if (state_ == State::AskingWindow) return no_window(failure);
  // For advice alone nobody is woken up.
  if (!current_->wants_certificate(now())) return no_window(failure);
  fail_all(failure);
}

void Issuer::on_directory(const Reply& reply) {
  auto directory = parse_directory(reply.body);
  if (!directory) return on_no_reply(failure_of(directory.error()));
  directory_ = *std::move(directory);
  directory_at_ = parts_.loop.clock().now();
  client_.set_new_nonce(directory_.new_nonce);
  work();
}

void Issuer::on_window(const Reply& reply) {
  const auto window = parse_renewal_window(reply.body);
  if (!window) return no_window(failure_of(window.error()));
  if (current_->set_window(*window, reply.retry_after, now(), jitter_))
    say(window->explanation.empty() ? LogLevel::Info : LogLevel::Notice,
        "the certificate for {} is to be renewed at {}{}{}", current_->settings().shown(),
        in_words(current_->renew_at()), window->explanation.empty() ? "" : ", because of ",
        window->explanation);
  if (!current_->failed()) note(*current_, nullptr);
  work();
}

void Issuer::no_window(const Failure& failure) {
  say(LogLevel::Info, "no advice on the renewal of {}: {}", current_->settings().shown(),
      failure.what);
  current_->set_no_window(now(),
                          std::clamp<Duration>(failure.retry_after.value_or(kNoAdvicePause),
                                               std::chrono::minutes(1), std::chrono::hours(24)));
  work();
}

void Issuer::on_account() {
  state_ = State::Ordering;
  const auto& facts = current_->facts();
  say(LogLevel::Notice, "ordering a certificate for {}{}", current_->settings().shown(),
      facts ? fmt::format(", the one in use ends at {}", in_words(facts->not_after)) : "");
  order_ = std::make_unique<Order>(
      client_, plan_.settings, current_->settings(), directory_, parts_.proving,
      directory_.renewal_info.empty() ? std::string() : current_->replaces(), parts_.log,
      static_cast<OrderEvents&>(*this));
  order_->start();
}

void Issuer::on_no_account(const Failure& failure) {
  fail_all(failure);
}

void Issuer::on_issued(const std::string& bundle, const CertificateFacts& facts) {
  parts_.loop.discard(std::move(order_));
  say(LogLevel::Notice, "new certificate for {}, good until {}", current_->settings().shown(),
      in_words(facts.not_after));
  take(*current_, bundle, facts);
  events_.on_tried(current_->settings(), nullptr);
  work();
}

void Issuer::on_not_issued(const Failure& failure) {
  parts_.loop.discard(std::move(order_));
  if (failure.of_account) {
    account_.forget();
    if (!std::exchange(reopened_, true)) {
      say(LogLevel::Notice, "the authority does not take our account: {}", failure.what);
      return work();
    }
  }
  fail(*current_, failure);
  work();
}

// ---- What went wrong

void Issuer::fail_all(const Failure& failure) {
  for (const auto& renewal : renewals_) {
    if (renewal->wants_certificate(now())) {
      fail(*renewal, failure);
    } else if (renewal->due() <= now()) {
      renewal->set_no_window(now(), kNoAdvicePause);
    }
  }
  rest();
}

void Issuer::fail(Renewal& renewal, const Failure& failure) {
  const auto pause = renewal.fail(failure, now(), jitter_);
  const auto& facts = renewal.facts();
  say(renewal.is_urgent(now()) ? LogLevel::Crit : LogLevel::Error, "no certificate for {}: {}{}{}",
      renewal.settings().shown(), failure.what,
      by_command_ ? std::string() : "; tried again in " + in_words(pause),
      !facts                      ? ", a temporary one is shown"
      : facts->not_after <= now() ? ", the one in use HAS EXPIRED"
                                  : ", the one in use ends at " + in_words(facts->not_after));
  note(renewal, &failure);
  events_.on_tried(renewal.settings(), &failure);
}

/// For `gatescope certs`; what cannot be written is missed there only.
void Issuer::note(const Renewal& renewal, const Failure* failure) {
  RenewalNote note{.renew_at = {}, .error = {}, .failed_at = {}, .next_try = {}};
  if (renewal.renew_at() > now()) note.renew_at = renewal.renew_at();
  if (failure != nullptr) {
    note.error = failure->what;
    note.failed_at = now();
    note.next_try = renewal.due();
  }
  const auto name = renewal.settings().file_name();
  auto ticket = parts_.lane->submit([folder = StateFolder(plan_.settings.state_path), name,
                                     note](unsigned) { (void)write_note(folder, name, note); },
                                    [] {});
  if (!ticket) return;
  auto& place = notes_[name];
  parts_.loop.discard(std::move(place));
  place = *std::move(ticket);
}

}  // namespace gatescope::acme
