#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "proxy/generation.h"
#include "proxy/http/exchange.h"
#include "proxy/listening.h"
#include "proxy/net/loop.h"

namespace gatescope::server {

class Connection;

/// A generation as one loop uses it. Shared by the Front and the connections that began under it.
struct Current {
  std::shared_ptr<const Generation> generation;
  http::ExchangeContext context;
};

/// What the Fronts of all loops count together.
struct FrontCounters {
  explicit FrontCounters(Stats& stats) : totals(stats) {}
  http::ServingTotals totals;
  std::atomic<std::uint64_t> next_number{1};  // of a connection, for the log
  std::atomic<unsigned> loops{1};             // that accept
};

class FrontEvents {
 public:
  virtual ~FrontEvents() = default;
  /// After finish(): the last connection is gone. Last statement of the Front's function.
  virtual void on_front_empty() = 0;
};

/// One loop's share of the server: its listeners, its connections, the generation that new requests
/// see. Owned by ServingLoop, on its loop's thread.
class Front {
 public:
  Front(net::Loop& loop, FrontCounters& counters, FrontEvents& events);
  ~Front();

  /// Listens on what is new, then serves the new generation, then closes listeners that are not
  /// named any more. Idle connections follow at once, busy ones with their next request; what still
  /// belongs to an older generation when that one's worker_shutdown_timeout has passed is closed.
  void adopt(std::shared_ptr<const Generation> generation, std::vector<ListenSocket> sockets);
  /// Closes the listeners; idle connections close, busy ones after their response. on_front_empty
  /// follows (maybe at the end of the turn).
  void finish();
  /// As finish(), but idle connections of HTTP/1 get one more answer, or some seconds: a request
  /// that is on its way when they close would be lost, and there is no haste where another program
  /// has the new clients.
  void wind_down();
  /// Drops every connection now.
  void abandon();
  bool finishing() const { return finishing_; }
  bool winding_down() const { return patience_ != nullptr && !finishing_; }

  // For Connection
  net::Loop& loop() { return loop_; }
  const std::shared_ptr<const Current>& current() const { return current_; }
  http::ServingStats& stats() { return stats_; }
  void remove(Connection& connection);

 private:
  class Socket;
  class EmptyHook;
  class Retirement;
  class Rest;
  class Patience;
  void close_sockets();
  void accept(std::unique_ptr<net::Stream> stream);
  void limit_accepting();
  bool has_more_than_its_share() const;
  void set_accepting();
  void close_connections_of(std::uint64_t generation);
  std::vector<Connection*> all_connections() const;

  net::Loop& loop_;
  FrontCounters& counters_;
  http::ServingStats& stats_;
  FrontEvents& events_;
  std::shared_ptr<const Current> current_;  // null before the first adopt()
  std::unique_ptr<Retirement> retirement_;
  std::vector<std::unique_ptr<Socket>> sockets_;
  std::unordered_map<Connection*, std::unique_ptr<Connection>> connections_;
  std::unique_ptr<EmptyHook> empty_hook_;
  std::shared_ptr<http::BodyFiles> bodies_;  // shared with the contexts that connections hold
  bool finishing_ = false;
  std::unique_ptr<Patience> patience_;  // null: not winding down
  std::unique_ptr<Rest> rest_;
  bool paused_ = false;   // worker_connections are in use
  bool resting_ = false;  // others are to accept now
  MonoTime said_full_{};
};

}  // namespace gatescope::server
