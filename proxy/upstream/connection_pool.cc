#include "proxy/upstream/connection_pool.h"

#include <algorithm>

namespace gatescope::upstream {

/// One idle connection. Owned by the pool; whatever happens to it ends it.
class ConnectionPool::Idle final : private net::StreamEvents,
                                   private net::TimerEvents,
                                   public Spare::Object {
 public:
  Idle(ConnectionPool& pool, std::size_t peer, PooledStream connection)
      : pool_(pool),
        peer_(peer),
        connection_(std::move(connection)),
        timer_(pool.loop_.make_timer(*this)) {
    connection_.stream->set_events(this);
    connection_.stream->start_reading();
    timer_->start(pool.settings_.timeout);
  }
  std::size_t peer() const { return peer_; }
  const std::string& from() const { return connection_.from; }
  PooledStream release() {
    timer_->stop();
    connection_.stream->set_events(nullptr);
    return std::move(connection_);
  }

 private:
  void on_data(std::span<const std::byte>) override { pool_.drop(*this); }
  void on_end() override { pool_.drop(*this); }
  void on_drained() override {}
  void on_failed(const Error&) override { pool_.drop(*this); }
  void on_timer(net::Timer&) override { pool_.drop(*this); }

  // Constant after construction
  ConnectionPool& pool_;
  const std::size_t peer_;

  PooledStream connection_;
  std::unique_ptr<net::Timer> timer_;
};

ConnectionPool::ConnectionPool(const PoolSettings& settings, net::Loop& loop)
    : settings_(settings), loop_(loop) {}
ConnectionPool::~ConnectionPool() = default;

PooledStream ConnectionPool::take(std::size_t peer, std::string_view from) {
  for (auto it = idle_.rbegin(); it != idle_.rend(); ++it) {
    if ((*it)->peer() != peer || (*it)->from() != from) continue;
    auto idle = std::move(*it);
    idle_.erase(std::next(it).base());
    auto connection = idle->release();
    loop_.discard(std::move(idle));
    return connection;
  }
  return {};
}

void ConnectionPool::give_back(std::size_t peer, PooledStream connection) {
  const bool worn = connection.requests >= settings_.requests ||
                    loop_.clock().now() - connection.made >= settings_.time;
  if (!enabled() || worn) {
    connection.stream->set_events(nullptr);
    loop_.discard(std::move(connection.stream));  // we may be inside one of its callbacks
    return;
  }
  if (idle_.size() >= settings_.idle) drop(*idle_.front());
  idle_.push_back(std::make_unique<Idle>(*this, peer, std::move(connection)));
}

void ConnectionPool::forget(std::size_t peer) {
  for (std::size_t i = idle_.size(); i-- > 0;)
    if (idle_[i]->peer() == peer) drop(*idle_[i]);
}

void ConnectionPool::drop(Idle& idle) {
  const auto it = std::find_if(idle_.begin(), idle_.end(),
                               [&](const auto& held) { return held.get() == &idle; });
  auto dropped = std::move(*it);
  idle_.erase(it);
  auto connection = dropped->release();
  loop_.discard(std::move(connection.stream));
  loop_.discard(std::move(dropped));
}

}  // namespace gatescope::upstream
