#include "proxy/front.h"

#include <algorithm>
#include <utility>

#include "proxy/connection.h"

namespace gatescope::server {

namespace {

constexpr Duration kSayFullAgain{10'000};
constexpr Duration kRest{2};
constexpr std::size_t kSlack = 4;  // connections: with a few it does not matter who has them

}  // namespace

/// One listening socket.
class Front::Socket final : public net::AcceptEvents {
 public:
  explicit Socket(Front& front) : front_(front) {}
  void on_accepted(std::unique_ptr<net::Stream> stream) override {
    front_.accept(std::move(stream));
  }

  std::string name;
  bool shared = false;  // other loops accept from it as well
  bool accepting = true;
  std::unique_ptr<net::Listener> listener;

 private:
  Front& front_;
};

/// Tells the owner at the end of the turn, when nothing of a connection is on the stack.
class Front::EmptyHook final : public net::TurnHook {
 public:
  explicit EmptyHook(Front& front) : front_(front) {}
  void on_turn_end() override {
    if ((front_.finishing_ || front_.patience_) && front_.connections_.empty() && !told_) {
      told_ = true;
      front_.events_.on_front_empty();
    }
  }

 private:
  Front& front_;
  bool told_ = false;
};

/// A loop that has more than its share of the connections lets the others accept for a moment. If
/// they do not, it goes on: nobody waits for long.
class Front::Rest final : public net::TimerEvents {
 public:
  explicit Rest(Front& front) : front_(front), timer_(front.loop_.make_timer(*this)) {}
  void begin() {
    if (std::exchange(front_.resting_, true)) return;
    timer_->start(kRest);
  }

 private:
  void on_timer(net::Timer&) override {
    front_.resting_ = false;
    front_.set_accepting();
  }

  Front& front_;
  const std::unique_ptr<net::Timer> timer_;
};

/// How long connections that do nothing are left open while the front winds down.
class Front::Patience final : public net::TimerEvents {
 public:
  explicit Patience(Front& front) : front_(front), timer_(front.loop_.make_timer(*this)) {
    timer_->start(kPatience);
  }

 private:
  // Longer than a request takes to come from anywhere, and than a client thinks between two.
  static constexpr Duration kPatience{3000};
  void on_timer(net::Timer&) override { front_.finish(); }

  Front& front_;
  const std::unique_ptr<net::Timer> timer_;
};

/// Generations that are not current any more. Each is kept until no connection refers to it, and
/// let go in a turn of its own: what an exchange left in the bin may look into it to its end. One
/// whose worker_shutdown_timeout has passed loses its connections.
class Front::Retirement final : public net::TimerEvents {
 public:
  explicit Retirement(Front& front) : front_(front), timer_(front.loop_.make_timer(*this)) {}
  void add(std::shared_ptr<const Current> current) {
    const auto patience = current->generation->main().worker_shutdown_timeout.get();
    const auto ends = patience.count() > 0 ? now() + patience : MonoTime{};
    old_.push_back({std::move(current), ends});
    arm();
  }

 private:
  struct Old {
    std::shared_ptr<const Current> current;
    MonoTime ends;  // zero: its connections have all the time they want
    bool unused = false;
  };
  // How often unused generations are looked for.
  static constexpr Duration kLook{250};

  MonoTime now() const { return front_.loop_.clock().now(); }
  void on_timer(net::Timer&) override {
    for (auto& old : old_) {
      if (old.ends == MonoTime{} || old.ends > now()) continue;
      old.ends = {};
      front_.close_connections_of(old.current->generation->number);
    }
    // Found unused twice: what went into the bin this turn may still refer to it
    std::erase_if(old_, [](const Old& old) { return old.unused && old.current.use_count() == 1; });
    for (auto& old : old_)
      old.unused = old.current.use_count() == 1;
    arm();
  }
  void arm() {
    if (old_.empty()) return;
    auto next = now() + kLook;
    for (const auto& old : old_)
      if (old.ends != MonoTime{}) next = std::min(next, old.ends);
    // Reloads in quick succession must not put it off again and again
    if (timer_->running() && due_ <= next) return;
    due_ = next;
    timer_->start(std::max(Duration::zero(), std::chrono::ceil<Duration>(next - now())));
  }

  Front& front_;
  const std::unique_ptr<net::Timer> timer_;
  MonoTime due_{};        // while the timer runs
  std::vector<Old> old_;  // oldest first
};

Front::Front(net::Loop& loop, FrontCounters& counters, FrontEvents& events)
    : loop_(loop),
      counters_(counters),
      stats_(counters.totals.add_loop()),
      events_(events),
      retirement_(std::make_unique<Retirement>(*this)),
      empty_hook_(std::make_unique<EmptyHook>(*this)),
      bodies_(std::make_shared<http::BodyFiles>(loop)),
      rest_(std::make_unique<Rest>(*this)) {}

Front::~Front() {
  abandon();
}

void Front::adopt(std::shared_ptr<const Generation> generation, std::vector<ListenSocket> sockets) {
  if (finishing_ || patience_) return;
  std::vector<std::unique_ptr<Socket>> kept;
  for (auto& wanted : sockets) {
    const auto held = std::find_if(sockets_.begin(), sockets_.end(), [&](const auto& socket) {
      return socket && socket->name == wanted.name;
    });
    if (held != sockets_.end()) {
      kept.push_back(std::move(*held));
      continue;
    }
    auto socket = std::make_unique<Socket>(*this);
    socket->name = std::move(wanted.name);
    socket->shared = !wanted.bound.options.reuse_port;
    socket->listener = loop_.listen_on(std::move(wanted.bound), *socket);
    kept.push_back(std::move(socket));
  }
  auto before = std::move(current_);
  current_ = std::make_shared<const Current>(
      Current{generation, http::ExchangeContext{loop_, generation->variables,
                                                *generation->error_log, &stats_, bodies_}});
  sockets_.swap(kept);
  for (auto& socket : kept)
    loop_.discard(std::move(socket));
  if (before) {
    for (auto* connection : all_connections())
      if (connections_.contains(connection)) connection->follow_if_idle();
    retirement_->add(std::move(before));
  }
  limit_accepting();
}

std::vector<Connection*> Front::all_connections() const {
  std::vector<Connection*> all;
  all.reserve(connections_.size());
  for (const auto& [key, connection] : connections_)
    all.push_back(key);
  return all;
}

void Front::close_connections_of(std::uint64_t generation) {
  for (auto* connection : all_connections())
    if (connections_.contains(connection) && connection->uses(generation)) connection->close();
}

void Front::accept(std::unique_ptr<net::Stream> stream) {
  const auto* address = current_->generation->routing->find(stream->local());
  if (!address || finishing_) return;
  stats_.accepted.add();
  auto connection = std::make_unique<Connection>(*this, current_, *address, std::move(stream),
                                                 counters_.next_number.fetch_add(1));
  auto& started = *connection;
  connections_.emplace(&started, std::move(connection));
  stats_.active.add();
  limit_accepting();
  started.start();
}

/// Clients beyond worker_connections wait in the kernel's queue until one of ours has gone.
void Front::limit_accepting() {
  const bool full = connections_.size() >= current_->generation->main().worker_connections.get();
  // One that goes and one that comes: not a line for each of them
  if (const auto now = loop_.clock().now();
      full && !paused_ && (said_full_ == MonoTime{} || now - said_full_ >= kSayFullAgain)) {
    said_full_ = now;
    current_->context.log.print(
        LogLevel::Warn, "{} worker_connections are in use, new clients wait", connections_.size());
  }
  paused_ = full;
  if (has_more_than_its_share()) rest_->begin();
  set_accepting();
}

/// All loops are woken for a new client, and the first one takes all that wait: the others would
/// stay idle.
bool Front::has_more_than_its_share() const {
  const unsigned loops = counters_.loops.load(std::memory_order_relaxed);
  if (loops < 2) return false;
  const auto all = static_cast<std::size_t>(std::max<std::int64_t>(0, counters_.totals.active()));
  const std::size_t share = all / loops;
  return connections_.size() > share + share / 8 + kSlack;
}

void Front::set_accepting() {
  for (const auto& socket : sockets_) {
    const bool wanted = !paused_ && !(resting_ && socket->shared);
    if (wanted == socket->accepting) continue;
    socket->accepting = wanted;
    wanted ? socket->listener->resume_accepting() : socket->listener->stop_accepting();
  }
}

void Front::remove(Connection& connection) {
  const auto it = connections_.find(&connection);
  if (it == connections_.end()) return;
  loop_.discard(std::move(it->second));
  connections_.erase(it);
  stats_.active.sub();
  if (finishing_ || patience_) {
    loop_.at_turn_end(*empty_hook_);
  } else {
    limit_accepting();
  }
}

void Front::close_sockets() {
  for (auto& socket : sockets_)
    loop_.discard(std::move(socket));
  sockets_.clear();
}

void Front::wind_down() {
  if (finishing_ || patience_) return;
  close_sockets();
  patience_ = std::make_unique<Patience>(*this);
  for (auto* connection : all_connections())
    if (connections_.contains(connection)) connection->wind_down();
  loop_.at_turn_end(*empty_hook_);
}

void Front::finish() {
  finishing_ = true;
  close_sockets();
  for (auto* connection : all_connections())
    if (connections_.contains(connection)) connection->finish();
  loop_.at_turn_end(*empty_hook_);
}

void Front::abandon() {
  sockets_.clear();
  for (auto& [key, connection] : connections_)
    loop_.discard(std::move(connection));
  stats_.active.sub(static_cast<std::int64_t>(connections_.size()));
  connections_.clear();
}

}  // namespace gatescope::server
