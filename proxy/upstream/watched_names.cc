#include "proxy/upstream/watched_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <limits>

namespace gatescope::upstream {

namespace {

constexpr Duration kShortest{1000};      // between two questions, whatever the answer says
constexpr Duration kWithoutName{10000};  // as nginx: until a name that is not there is asked again

}  // namespace

/// One name (or service) and who uses it. Owned by WatchedNames.
///   Asking -> (service: Targets ->) Resting -> Asking
/// Asking and Targets have resolver_timeout.
class WatchedNames::Watch final : private net::ResolveEvents, private net::TimerEvents {
 public:
  Watch(WatchedNames& owner, net::Loop& loop, std::string key, const UpstreamSpec& spec,
        const ServerSpec& server)
      : owner_(owner),
        loop_(loop),
        key_(std::move(key)),
        watched_(*server.watched),
        settings_(spec.resolver),
        timeout_(spec.resolver_timeout),
        resolver_(owner.resolvers_.on(loop, spec.resolver)),
        timer_(loop.make_timer(*this)) {}

  std::vector<User> users;
  void ask() {
    const bool service = !watched_.service.empty();
    lookup_ = resolver_.resolve(
        service ? watched_.service : watched_.host,
        service ? net::Resolver::Ask::Services : net::Resolver::Ask::Addresses, timeout_, *this);
  }

 private:
  /// The addresses of one record of a service.
  class Target final : private net::ResolveEvents {
   public:
    Target(Watch& watch, net::ServiceRecord record) : watch_(watch), record_(std::move(record)) {}
    void ask() {
      lookup_ = watch_.resolver_.resolve(record_.target, net::Resolver::Ask::Addresses,
                                         watch_.timeout_, *this);
    }
    const net::ServiceRecord& record() const { return record_; }
    const std::vector<net::Endpoint>& addresses() const { return addresses_; }

   private:
    void on_resolved(const net::Resolved& resolved) override {
      addresses_ = resolved.addresses;
      watch_.on_target(resolved.expires, nullptr);
    }
    void on_resolve_failed(const Error& error) override {
      watch_.on_target({}, error.kind == ErrorKind::NotFound ? nullptr : &error);
    }

    // Constant after construction
    Watch& watch_;
    const net::ServiceRecord record_;

    std::unique_ptr<net::Resolver::Lookup> lookup_;
    std::vector<net::Endpoint> addresses_;
  };

  void on_timer(net::Timer&) override { ask(); }
  void on_resolved(const net::Resolved& resolved) override {
    expires_ = resolved.expires;
    if (!watched_.service.empty()) return ask_targets(resolved.services);
    std::vector<Found> found;
    for (const auto& address : resolved.addresses)
      found.push_back({address});
    finish(std::move(found));
  }
  void on_resolve_failed(const Error& error) override {
    const bool gone = error.kind == ErrorKind::NotFound;
    if (said_ != error.detail)
      owner_.log_->print(LogLevel::Error, "{} could not be resolved ({}){}", watched_.key(),
                         error.detail, gone ? "" : "; its last known addresses are used");
    said_ = error.detail;
    if (gone) owner_.on_found(key_, {}, users);
    rest(gone ? settings_.valid.value_or(kWithoutName) : timeout_);
  }

  void ask_targets(const std::vector<net::ServiceRecord>& records) {
    targets_.clear();
    targets_left_ = records.size();
    target_error_.reset();
    for (const auto& record : records)
      targets_.push_back(std::make_unique<Target>(*this, record));
    for (const auto& target : targets_)
      target->ask();
  }
  /// `expires`: zero, it has no addresses.
  void on_target(MonoTime expires, const Error* error) {
    if (error) target_error_ = *error;
    if (expires != MonoTime{}) expires_ = std::min(expires_, expires);
    if (--targets_left_ > 0) return;
    if (target_error_) return on_resolve_failed(*target_error_);
    // The lowest priority is served first, others are for when nobody of it is left.
    auto first = std::numeric_limits<std::uint16_t>::max();
    for (const auto& target : targets_)
      first = std::min(first, target->record().priority);
    std::vector<Found> found;
    for (const auto& target : targets_)
      for (const auto& address : target->addresses())
        found.push_back({address.with_port(target->record().port), target->record().weight,
                         target->record().priority != first});
    finish(std::move(found));
  }
  void finish(std::vector<Found> found) {
    said_.clear();
    owner_.on_found(key_, std::move(found), users);
    rest(std::chrono::ceil<Duration>(expires_ - loop_.clock().now()));
  }
  void rest(Duration time) { timer_->start(std::max(time, kShortest)); }

  // Constant after construction
  WatchedNames& owner_;
  net::Loop& loop_;
  const std::string key_;
  const ServerSpec::Watched watched_;
  const net::ResolverSettings settings_;
  const Duration timeout_;
  net::Resolver& resolver_;
  const std::unique_ptr<net::Timer> timer_;

  std::unique_ptr<net::Resolver::Lookup> lookup_;
  MonoTime expires_{};
  std::string said_;  // of the last failure; empty: there was none since
  std::vector<std::unique_ptr<Target>> targets_;
  std::size_t targets_left_ = 0;
  std::optional<Error> target_error_;
};

WatchedNames::WatchedNames(Resolvers& resolvers, PeersEvents& events)
    : resolvers_(resolvers), events_(events) {}
WatchedNames::~WatchedNames() = default;

std::string WatchedNames::key_of(const UpstreamSpec& spec, const ServerSpec& server) {
  return fmt::format("{} {} {}", server.watched->key(), spec.resolver.key(),
                     spec.resolver_timeout.count());
}

void WatchedNames::give(const std::vector<Found>& found, const User& user, bool& changed) {
  const auto& server = user.first->spec().servers[user.second];
  std::vector<FoundPeer> peers;
  for (const auto& one : found)
    peers.push_back({server.watched->service.empty() ? one.endpoint.with_port(server.watched->port)
                                                     : one.endpoint,
                     one.weight, one.backup});
  if (user.first->set_peers(user.second, peers)) changed = true;
}

void WatchedNames::prepare(Upstream& upstream) {
  const auto& spec = upstream.spec();
  bool changed = false;
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < spec.servers.size(); ++i) {
    if (!spec.servers[i].watched) continue;
    const auto known = last_.find(key_of(spec, spec.servers[i]));
    if (known != last_.end()) give(known->second, {&upstream, i}, changed);
  }
}

void WatchedNames::on_found(const std::string& key, std::vector<Found> found,
                            const std::vector<User>& users) {
  bool changed = false;
  for (const auto& user : users)
    give(found, user, changed);
  {
    const std::lock_guard lock(mutex_);
    last_[key] = std::move(found);
  }
  if (changed) events_.on_peers_changed();
}

void WatchedNames::watch(net::Loop& loop, const std::vector<Upstream*>& groups,
                         std::shared_ptr<Log> log) {
  log_ = std::move(log);
  for (const auto& [key, watch] : watches_)
    watch->users.clear();
  std::vector<Watch*> added;
  for (auto* group : groups) {
    const auto& spec = group->spec();
    for (std::size_t i = 0; i < spec.servers.size(); ++i) {
      if (!spec.servers[i].watched) continue;
      const auto key = key_of(spec, spec.servers[i]);
      auto& watch = watches_[key];
      if (!watch) {
        watch = std::make_unique<Watch>(*this, loop, key, spec, spec.servers[i]);
        added.push_back(watch.get());
      }
      watch->users.emplace_back(group, i);
    }
  }
  std::erase_if(watches_, [](const auto& entry) { return entry.second->users.empty(); });
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(last_, [&](const auto& entry) { return !watches_.contains(entry.first); });
  }
  for (auto* group : groups)
    prepare(*group);  // the name may have changed since it was made
  for (auto* watch : added)
    watch->ask();
}

void WatchedNames::stop() {
  watches_.clear();
}

}  // namespace gatescope::upstream
