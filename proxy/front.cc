#include "proxy/front.h"

#include "proxy/connection.h"

namespace gatescope::server {

/// One listening socket. A wildcard takes the clients of all addresses with its port; the routing
/// table tells them apart.
class Front::Socket final : public net::AcceptEvents {
 public:
  explicit Socket(Front& front) : front_(front) {}
  void on_accepted(std::unique_ptr<net::Stream> stream) override {
    front_.accept(std::move(stream));
  }

  net::Endpoint endpoint;
  std::unique_ptr<net::Listener> listener;

 private:
  Front& front_;
};

/// Tells the owner at the end of the turn, when nothing of a connection is on the stack.
class Front::EmptyHook final : public net::TurnHook {
 public:
  explicit EmptyHook(Front& front) : front_(front) {}
  void on_turn_end() override {
    if (front_.finishing_ && front_.connections_.empty()) front_.events_.on_front_empty();
  }

 private:
  Front& front_;
};

Front::Front(net::Loop& loop, Stats& stats, FrontEvents& events)
    : loop_(loop),
      stats_(stats),
      events_(events),
      empty_hook_(std::make_unique<EmptyHook>(*this)),
      bodies_(std::make_shared<http::BodyFiles>(loop)),
      accepted_(stats.counter("connections_accepted", "connections",
                              "Client connections accepted since the start")),
      active_(stats.counter("connections_active", "connections", "Client connections open now")),
      requests_(stats.counter("http_requests", "requests", "Requests since the start")) {}

Front::~Front() {
  abandon();
}

Result<void> Front::adopt(std::shared_ptr<const Generation> generation) {
  const auto& addresses = generation->routing->addresses;
  const auto covered = [&](const http::ListenAddress& address) {
    for (const auto& other : addresses)
      if (other != nullptr && other.get() != &address && other->endpoint.is_wildcard() &&
          !address.endpoint.is_wildcard() &&
          other->endpoint.family() == address.endpoint.family() &&
          other->endpoint.port() == address.endpoint.port())
        return true;
    return false;
  };
  std::vector<std::unique_ptr<Socket>> kept;
  std::vector<std::unique_ptr<Socket>> fresh;
  for (const auto& address : addresses) {
    if (covered(*address)) continue;
    bool listening = false;
    for (const auto& socket : sockets_)
      listening = listening || socket->endpoint == address->endpoint;
    if (listening) continue;
    auto socket = std::make_unique<Socket>(*this);
    socket->endpoint = address->endpoint;
    auto listener = loop_.listen(address->endpoint, address->options, *socket);
    if (!listener) return listener.error();
    socket->listener = std::move(*listener);
    fresh.push_back(std::move(socket));
  }
  current_ = std::make_shared<const Current>(
      Current{generation, http::ExchangeContext{loop_, generation->variables,
                                                *generation->error_log, &requests_, bodies_}});
  for (auto& socket : sockets_) {
    bool named = false;
    for (const auto& address : addresses)
      named = named || (!covered(*address) && address->endpoint == socket->endpoint);
    if (named) {
      kept.push_back(std::move(socket));
    } else {
      loop_.discard(std::move(socket));
    }
  }
  for (auto& socket : fresh)
    kept.push_back(std::move(socket));
  sockets_ = std::move(kept);
  limit_accepting();
  return {};
}

void Front::accept(std::unique_ptr<net::Stream> stream) {
  const auto* address = current_->generation->routing->find(stream->local());
  if (!address || finishing_) return;
  accepted_.add();
  auto connection =
      std::make_unique<Connection>(*this, current_, *address, std::move(stream), next_number_++);
  auto& started = *connection;
  connections_.emplace(&started, std::move(connection));
  active_.set(static_cast<std::int64_t>(connections_.size()));
  limit_accepting();
  started.start();
}

/// Clients beyond worker_connections wait in the kernel's queue until one of ours has gone.
void Front::limit_accepting() {
  const bool full = connections_.size() >= current_->generation->main().worker_connections.get();
  if (full == paused_) return;
  paused_ = full;
  if (full)
    current_->context.log.print(
        LogLevel::Warn, "{} worker_connections are in use, new clients wait", connections_.size());
  for (const auto& socket : sockets_)
    full ? socket->listener->stop_accepting() : socket->listener->resume_accepting();
}

void Front::remove(Connection& connection) {
  const auto it = connections_.find(&connection);
  if (it == connections_.end()) return;
  loop_.discard(std::move(it->second));
  connections_.erase(it);
  active_.set(static_cast<std::int64_t>(connections_.size()));
  if (finishing_) {
    loop_.at_turn_end(*empty_hook_);
  } else {
    limit_accepting();
  }
}

void Front::finish() {
  finishing_ = true;
  for (auto& socket : sockets_)
    loop_.discard(std::move(socket));
  sockets_.clear();
  std::vector<Connection*> all;
  for (const auto& [key, connection] : connections_)
    all.push_back(key);
  for (auto* connection : all)
    if (connections_.contains(connection)) connection->finish();
  loop_.at_turn_end(*empty_hook_);
}

void Front::abandon() {
  sockets_.clear();
  for (auto& [key, connection] : connections_)
    loop_.discard(std::move(connection));
  connections_.clear();
  active_.set(0);
}

}  // namespace gatescope::server
