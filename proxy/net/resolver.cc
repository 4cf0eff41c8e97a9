#include "proxy/net/resolver.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "proxy/base/text.h"

namespace gatescope::net {

namespace {

constexpr unsigned kMaxAliases = 16;  // CNAME behind CNAME

/// "Example.NET." -> "example.net"
std::string plain(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  return lower(name);
}

}  // namespace

std::string ResolverSettings::key() const {
  std::string key = fmt::format("{}{} {}", ipv4, ipv6, valid ? valid->count() : -1);
  for (const auto& server : servers)
    key += " " + server.to_string();
  return key;
}

/// One who waits: for an answer, for the end of the turn when it is known already, or in vain until
/// its deadline.
///   Waiting -> Known -> Told;  Waiting -> Told
class Resolver::Waiter final : public Lookup, private TimerEvents, private TurnHook {
 public:
  Waiter(Resolver& resolver, ResolveEvents& events)
      : resolver_(resolver), events_(events), timer_(resolver.loop_.make_timer(*this)) {}
  ~Waiter() override {
    if (question) resolver_.forget(*this);
  }
  void wait(Question& asked, Duration timeout) {
    question = &asked;
    timer_->start(timeout);
  }
  void tell(Result<Resolved> known) {
    question = nullptr;
    timer_->stop();
    known_ = std::move(known);
    resolver_.loop_.at_turn_end(*this);
  }
  Question* question = nullptr;  // null: not Waiting

 private:
  void on_turn_end() override {
    const auto known = std::move(*known_);
    if (!known) return events_.on_resolve_failed(known.error());
    events_.on_resolved(*known);
  }
  void on_timer(Timer&) override {
    resolver_.forget(*this);
    events_.on_resolve_failed(
        make_error(ErrorKind::Timeout, Origin::Upstream, "110: Operation timed out"));
  }

  // Constant after construction
  Resolver& resolver_;
  ResolveEvents& events_;
  const std::unique_ptr<Timer> timer_;

  std::optional<Result<Resolved>> known_;  // Known
};

/// What is asked for one type of records.
struct Resolver::Part {
  DnsType type = DnsType::A;
  bool done = false;
  DnsAnswer found;
  std::string alias;  // the name that the answer leads to without saying more; empty: none
  std::optional<Error> error;
};

/// One question for all who wait, through aliases: as in nginx all types are asked for again under
/// the name that an alias leads to, when no type has brought anything.
struct Resolver::Question {
  std::string key;
  std::string name;         // asked for now
  unsigned aliases = 0;     // that led to it
  std::uint32_t ttl = ~0U;  // the shortest on the way
  std::vector<Part> parts;  // A before AAAA; or SRV
  std::vector<Waiter*> waiters;
};

Resolver::Resolver(Loop& loop, const ResolverSettings& settings, DnsClients& clients)
    : loop_(loop), settings_(settings), client_(clients.make(loop, settings.servers, *this)) {}
Resolver::~Resolver() = default;

std::unique_ptr<Resolver::Lookup> Resolver::resolve(std::string_view name, Ask what,
                                                    Duration timeout, ResolveEvents& events) {
  auto waiter = std::make_unique<Waiter>(*this, events);
  const auto asked = plain(name);
  const auto key = (what == Ask::Services ? "/srv " : "") + asked;
  if (const auto* known = find(key)) {
    waiter->tell(*known);
    return waiter;
  }
  auto found = questions_.find(key);
  if (found == questions_.end()) {
    if (questions_.size() >= kMaxQuestions) {
      waiter->tell(make_error(ErrorKind::Busy, Origin::Upstream,
                              "too many names are being asked for already"));
      return waiter;
    }
    found = questions_.emplace(key, std::make_unique<Question>()).first;
    auto& question = *found->second;
    question.key = key;
    question.name = asked;
    const auto add = [&](DnsType type) { question.parts.emplace_back().type = type; };
    if (what == Ask::Services) add(DnsType::Srv);
    if (what == Ask::Addresses && settings_.ipv4) add(DnsType::A);
    if (what == Ask::Addresses && settings_.ipv6) add(DnsType::Aaaa);
    ask_all(question);
  }
  found->second->waiters.push_back(waiter.get());
  waiter->wait(*found->second, timeout);
  return waiter;
}

void Resolver::ask_all(Question& question) {
  for (auto& part : question.parts) {
    part.done = false;
    part.alias.clear();
    part.error.reset();
    const auto number = next_number_++;
    asked_[number] = {&question, &part};
    client_->ask(question.name, part.type, number);
  }
}

void Resolver::on_dns_answer(std::uint64_t number, Result<DnsAnswer> answer) {
  const auto found = asked_.find(number);
  if (found == asked_.end()) return;
  const auto [question, part] = found->second;
  asked_.erase(found);
  part->done = true;
  if (answer) {
    take(*question, *part, *answer);
  } else {
    part->error = answer.error();
  }
  for (const auto& other : question->parts)
    if (!other.done) return;
  finish(*question);
}

/// The records of the name that was asked for, or of that which aliases in the answer lead to.
void Resolver::take(Question& question, Part& part, DnsAnswer& answer) {
  std::string name = question.name;
  for (unsigned followed = 0; followed < kMaxAliases; ++followed) {
    const auto alias = std::find_if(answer.begin(), answer.end(), [&](const DnsRecord& r) {
      return r.type == DnsType::Cname && r.name == name;
    });
    if (alias == answer.end()) break;
    question.ttl = std::min(question.ttl, alias->ttl);
    name = alias->target;
    part.alias = name;
  }
  for (auto& record : answer) {
    if (record.type != part.type || record.name != name) continue;
    question.ttl = std::min(question.ttl, record.ttl);
    part.found.push_back(std::move(record));
  }
}

void Resolver::finish(Question& question) {
  Resolved resolved;
  std::string alias;
  std::optional<Error> failed;  // one that says nothing about the name
  for (auto& part : question.parts) {
    // Half of an answer is none: a server that fails for one type would take away what is known.
    if (part.error && part.error->kind != ErrorKind::NotFound) failed = part.error;
    if (!part.alias.empty()) alias = part.alias;
    for (auto& record : part.found) {
      if (part.type == DnsType::Srv)
        resolved.services.push_back(
            {std::move(record.target), record.port, record.priority, record.weight});
      else
        resolved.addresses.push_back(record.address);
    }
  }
  const bool none = resolved.addresses.empty() && resolved.services.empty();
  if (!failed && none && !alias.empty() && ++question.aliases <= kMaxAliases) {
    question.name = alias;
    return ask_all(question);
  }
  const auto owner = std::move(questions_.extract(question.key).mapped());
  if (failed || none) {
    const auto error =
        failed.value_or(make_error(ErrorKind::NotFound, Origin::Upstream, "3: Host not found"));
    for (auto* waiter : owner->waiters)
      waiter->tell(error);
    return;
  }
  const auto holds = settings_.valid.value_or(std::chrono::seconds(owner->ttl));
  resolved.expires = loop_.clock().now() + holds;
  if (holds > Duration::zero()) keep(owner->key, resolved);
  for (auto* waiter : owner->waiters)
    waiter->tell(resolved);
}

const Resolved* Resolver::find(const std::string& key) {
  const auto found = kept_by_key_.find(key);
  if (found == kept_by_key_.end()) return nullptr;
  if (found->second->resolved.expires <= loop_.clock().now()) {
    kept_.erase(found->second);
    kept_by_key_.erase(found);
    return nullptr;
  }
  kept_.splice(kept_.begin(), kept_, found->second);
  return &found->second->resolved;
}

void Resolver::keep(const std::string& key, const Resolved& resolved) {
  kept_.push_front({key, resolved});
  kept_by_key_[key] = kept_.begin();
  if (kept_.size() <= kMaxNames) return;
  kept_by_key_.erase(kept_.back().key);
  kept_.pop_back();
}

void Resolver::forget(Waiter& waiter) {
  std::erase(std::exchange(waiter.question, nullptr)->waiters, &waiter);
}

}  // namespace gatescope::net
