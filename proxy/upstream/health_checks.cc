#include "proxy/upstream/health_checks.h"

#include <fmt/format.h>

#include <algorithm>

#include "proxy/base/arena.h"
#include "proxy/base/text.h"
#include "proxy/upstream/upstream_connection.h"

namespace gatescope::upstream {

namespace {

/// Variables where there is no request: the host's have a value.
class HostValues final : public conf::VariableValues {
 public:
  HostValues(const HealthCheckSpec& spec, std::string host) : spec_(spec), host_(std::move(host)) {}
  std::optional<std::string_view> value(conf::VariableId id) override {
    const auto& known = spec_.host_variables;
    if (std::find(known.begin(), known.end(), id) == known.end()) return std::nullopt;
    return host_;
  }

 private:
  const HealthCheckSpec& spec_;
  const std::string host_;
};

/// The request of a check. It is the same each time.
std::string head_of(const GroupCheck& check, conf::VariableValues& values, Arena& arena) {
  const auto& settings = *check.settings;
  std::string head =
      fmt::format("GET {} HTTP/{}\r\n", check.spec->uri, settings.http10.get() ? "1.0" : "1.1");
  bool has_host = false;
  for (const auto& set : settings.set_headers.get()) {
    if (equals_ignoring_case(set.name, "Content-Length") ||
        equals_ignoring_case(set.name, "Transfer-Encoding") ||
        equals_ignoring_case(set.name, "Upgrade"))
      continue;
    const auto value = trim(set.value.evaluate(values, arena));
    if (value.empty() || value.find_first_of("\r\n") != std::string_view::npos) continue;
    has_host = has_host || equals_ignoring_case(set.name, "Host");
    if (equals_ignoring_case(set.name, "Connection")) continue;
    head += fmt::format("{}: {}\r\n", set.name, value);
  }
  if (!has_host) head += fmt::format("Host: {}\r\n", settings.pass->url->host_header());
  if (check.spec->keepalive_time == Duration::zero()) head += "Connection: close\r\n";
  return head + "\r\n";
}

/// A group of this check's own with the one peer in it, so that its connections are not those of
/// requests.
UpstreamSpec own_group(const GroupCheck& check, const PeerAddress& peer) {
  const auto& spec = *check.spec;
  UpstreamSpec own;
  own.name = peer.name;
  const auto endpoint = spec.port != 0 ? peer.endpoint.with_port(spec.port) : peer.endpoint;
  own.servers.push_back({.name = peer.name, .endpoints = {endpoint}});
  own.pool.idle = spec.keepalive_time > Duration::zero() ? 1 : 0;
  own.pool.time = spec.keepalive_time;
  own.pool.timeout = std::max(own.pool.timeout, spec.interval + spec.jitter + Duration(1000));
  return own;
}

}  // namespace

/// Equal for the same check of the same peer in two configurations.
std::string HealthChecks::name_of(const GroupCheck& check, const PeerAddress& peer) {
  return fmt::format("{} {} {} {} {}", check.group->name(), peer.name, check.spec->uri,
                     check.spec->port, check.spec->match);
}

/// One check of one peer. Owned by HealthChecks.
///   Resting -> Asking -> Resting
/// Asking has the location's timeouts, and their sum for the whole of it.
class HealthChecks::PeerCheck final : private UpstreamConnection::Events, private net::TimerEvents {
 public:
  /// `before`: what an earlier configuration's check knew; null: nothing.
  PeerCheck(HealthChecks& owner, const GroupCheck& check, std::size_t number, PeerPtr peer,
            const Known* before)
      : owner_(owner),
        loop_(*owner.loop_),
        check_(check),
        spec_(*check.spec),
        number_(number),
        peer_(std::move(peer)),
        own_(own_group(check, *peer_)),
        on_loop_(own_.on(loop_)),
        timer_(loop_.make_timer(*this)) {
    HostValues values(spec_, check.settings->pass->url->host_header());
    Arena arena;
    head_ = head_of(check, values, arena);
    server_ = check.settings->tls.identity(*check.settings->pass->url, values, arena);
    server_.session = peer_->name + " " + server_.name;
    if (auto local = check.settings->bind.get().local(values, arena)) from_ = *local;
    if (before) known_ = *before;
    if (spec_.mandatory && !(before && spec_.persistent && before->usable))
      known_ = {.usable = false, .checked = false};
    if (!known_.usable) check_.group->balancer().forbid(number_);
    timer_->start(Duration(0));
  }
  ~PeerCheck() override {
    if (connection_) connection_->close();
  }
  /// The peer is no longer checked by this one.
  void release() {
    if (!known_.usable) check_.group->balancer().permit(number_, loop_.clock().now());
  }

  bool is_of(const GroupCheck& check, std::size_t number, const PeerPtr& peer) const {
    return check_.group == check.group && check_.spec == check.spec && number_ == number &&
           peer_->endpoint == peer->endpoint;
  }
  const Known& known() const { return known_; }
  std::string name() const { return name_of(check_, *peer_); }

 private:
  void ask(bool fresh) {
    const auto& settings = *check_.settings;
    ConnectionSettings limits{settings.connect_timeout.get(),
                              settings.send_timeout.get(),
                              settings.read_timeout.get(),
                              {},
                              check_.tls,
                              server_,
                              from_,
                              own_preamble(settings.send_proxy.get())};
    limits.limits.head_bytes = settings.buffer_size.get();
    received_.clear();
    connection_ = std::make_unique<UpstreamConnection>(
        loop_, on_loop_, 0, limits,
        UpstreamRequest{.head = head_, .body = UpstreamRequest::Body::None},
        static_cast<UpstreamConnection::Events&>(*this));
    timer_->start(settings.connect_timeout.get() + settings.send_timeout.get() +
                  settings.read_timeout.get());
    connection_->start(fresh);
  }
  void on_timer(net::Timer&) override {
    if (!connection_) return ask(false);
    fail("timed out");
  }
  void on_upstream_connected() override {}
  void on_upstream_writable() override {}
  void on_upstream_informational(const http::ReceivedHead&) override {}
  void on_upstream_head(const http::ReceivedHead& head) override {
    if (const auto what = check_.rules->failing_head(head.status, head.headers))
      return fail("while checking " + *what);
  }
  void on_upstream_body(std::span<const std::byte> data) override {
    if (!connection_) return;
    received_.append(as_text(data).substr(0, kMaxBody - received_.size()));
    if (received_.size() == kMaxBody) judge();
  }
  void on_upstream_end(const http::HeaderList&) override {
    if (connection_) judge();
  }
  void on_upstream_upgraded(const http::ReceivedHead&) override { fail("switched protocols"); }
  void on_upstream_failed(const UpstreamFailure& failure) override {
    if (!connection_) return;
    if (!connection_->reused() || failure.answered) return fail(failure.error.detail);
    // The server had closed it, as it may.
    connection_->close();
    loop_.discard(std::move(connection_));
    ask(true);
  }

  void judge() {
    if (const auto what = check_.rules->failing_body(received_))
      return fail("while checking " + *what);
    end_check();
    fails_ = 0;
    const bool first = !std::exchange(known_.checked, true);
    if (known_.usable || (!first && ++passes_ < spec_.passes)) return;
    known_.usable = true;
    passes_ = 0;
    check_.group->balancer().permit(number_, loop_.clock().now());
    say(LogLevel::Notice, "healthy", "");
  }
  void fail(std::string_view why) {
    end_check();
    passes_ = 0;
    const bool first = !std::exchange(known_.checked, true);
    if (!known_.usable) {
      if (first) say(LogLevel::Error, "unhealthy", why);
      return;
    }
    if (++fails_ < spec_.fails) return;
    fails_ = 0;
    known_.usable = false;
    check_.group->balancer().forbid(number_);
    say(LogLevel::Error, "unhealthy", why);
  }
  void end_check() {
    connection_->close();
    loop_.discard(std::move(connection_));
    auto rest = spec_.interval;
    if (spec_.jitter > Duration::zero())
      rest += Duration(static_cast<Duration::rep>(owner_.random_()) % (spec_.jitter.count() + 1));
    timer_->start(rest);
  }
  void say(LogLevel level, std::string_view what, std::string_view why) {
    const auto between = why.empty() ? "" : why.starts_with("while ") ? " " : ": ";
    owner_.log_->print(level, "peer is {}{}{}, health check \"{}\" of peer {} in upstream \"{}\"",
                       what, between, why, spec_.uri, peer_->name, check_.group->name());
  }

  // Constant after construction
  HealthChecks& owner_;
  net::Loop& loop_;
  const GroupCheck check_;
  const HealthCheckSpec& spec_;
  const std::size_t number_;  // of the peer in its group
  const PeerPtr peer_;
  Upstream own_;
  UpstreamOnLoop& on_loop_;
  std::string head_;
  tls::ServerIdentity server_;
  net::LocalAddress from_;
  const std::unique_ptr<net::Timer> timer_;

  Known known_;                                     // not usable: the balancer was told
  unsigned fails_ = 0, passes_ = 0;                 // in a row
  std::unique_ptr<UpstreamConnection> connection_;  // null: Resting
  std::string received_;                            // of the body
};

HealthChecks::HealthChecks() : random_(std::random_device()()) {}
HealthChecks::~HealthChecks() = default;

void HealthChecks::run(net::Loop& loop, std::vector<GroupCheck> checks,
                       std::shared_ptr<const void> keeps, std::shared_ptr<Log> log) {
  for (const auto& peer : peers_)
    known_[peer->name()] = peer->known();
  auto before = std::exchange(peers_, {});
  const auto kept = std::exchange(keeps_, std::move(keeps));  // until the old checks are gone
  loop_ = &loop;
  log_ = std::move(log);
  checks_ = std::move(checks);
  look();
  known_.clear();
  // The new ones have said what they know: no request slips through in between.
  for (auto& peer : before) {
    peer->release();
    peer.reset();
  }
}

void HealthChecks::look() {
  if (!loop_) return;
  std::vector<std::unique_ptr<PeerCheck>> peers;
  const auto before = [&](const GroupCheck& check, std::size_t number, const PeerPtr& peer) {
    return std::find_if(peers_.begin(), peers_.end(),
                        [&](const auto& held) { return held && held->is_of(check, number, peer); });
  };
  for (const auto& check : checks_) {
    std::uint64_t version = 0;
    const auto list = check.group->balancer().peers(version);
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (!list[i] || list[i]->down) continue;
      if (const auto held = before(check, i, list[i]); held != peers_.end()) {
        peers.push_back(std::move(*held));
        continue;
      }
      const auto known = known_.find(name_of(check, *list[i]));
      peers.push_back(std::make_unique<PeerCheck>(
          *this, check, i, list[i], known == known_.end() ? nullptr : &known->second));
    }
  }
  for (auto& gone : peers_)
    loop_->discard(std::move(gone));  // its number is nobody's, or a new peer's, who starts afresh
  peers_ = std::move(peers);
}

void HealthChecks::stop() {
  peers_.clear();
  checks_.clear();
  loop_ = nullptr;
  keeps_.reset();
}

}  // namespace gatescope::upstream
