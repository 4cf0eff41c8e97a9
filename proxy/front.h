#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "proxy/generation.h"
#include "proxy/http/exchange.h"
#include "proxy/net/loop.h"

namespace gatescope::server {

class Connection;

/// A generation as one loop uses it. Shared by the Front and the connections that began under it.
struct Current {
  std::shared_ptr<const Generation> generation;
  http::ExchangeContext context;
};

class FrontEvents {
 public:
  virtual ~FrontEvents() = default;
  /// After finish(): the last connection is gone. Last statement of the Front's function.
  virtual void on_front_empty() = 0;
};

/// One loop's share of the server: its listeners, its connections, the generation that new requests
/// see. Owned by Server.
class Front {
 public:
  Front(net::Loop& loop, Stats& stats, FrontEvents& events);
  ~Front();

  /// Listens on what is new, then serves the new generation, then closes listeners that are not
  /// named any more. On error nothing has changed.
  Result<void> adopt(std::shared_ptr<const Generation> generation);
  /// Closes the listeners; idle connections close, busy ones after their response. on_front_empty
  /// follows (maybe at the end of the turn).
  void finish();
  /// Drops every connection now.
  void abandon();
  std::size_t connections() const { return connections_.size(); }
  bool finishing() const { return finishing_; }

  // For Connection
  net::Loop& loop() { return loop_; }
  const std::shared_ptr<const Current>& current() const { return current_; }
  void remove(Connection& connection);
  Stats& stats() { return stats_; }

 private:
  class Socket;
  class EmptyHook;
  void accept(std::unique_ptr<net::Stream> stream);
  void limit_accepting();

  net::Loop& loop_;
  Stats& stats_;
  FrontEvents& events_;
  std::shared_ptr<const Current> current_;  // null before the first adopt()
  std::vector<std::unique_ptr<Socket>> sockets_;
  std::unordered_map<Connection*, std::unique_ptr<Connection>> connections_;
  std::unique_ptr<EmptyHook> empty_hook_;
  std::shared_ptr<http::BodyFiles> bodies_;  // shared with the contexts that connections hold
  std::uint64_t next_number_ = 1;            // of a connection, for the log
  bool finishing_ = false;
  bool paused_ = false;  // worker_connections are in use
  Counter &accepted_, &active_, &requests_;
};

}  // namespace gatescope::server
