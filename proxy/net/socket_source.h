#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "proxy/base/unique_fd.h"
#include "proxy/net/loop.h"

namespace gatescope::net {

/// Gives listening sockets: binds itself, asks the keeper, or takes those that an old binary left.
/// From any thread.
class SocketSource {
 public:
  virtual ~SocketSource() = default;
  /// A descriptor of its own for the asking loop (0, 1, ...): of one socket for all loops, or with
  /// reuse_port of a socket for each. Who asks again gets the same socket, with its options brought
  /// up to date: what a reload keeps is never closed in between.
  virtual Result<UniqueFd> listening_socket(const Endpoint& endpoint, const ListenOptions& options,
                                            unsigned loop = 0) = 0;
  /// Keeps the sockets with these names (socket_name) and closes its copies of all others, with
  /// the files of unix sockets.
  virtual Result<void> retain(const std::vector<std::string>& names) = 0;
};

/// What tells sockets apart: the endpoint, "#1" behind it where each loop has its own.
std::string socket_name(const Endpoint& endpoint, const ListenOptions& options, unsigned loop);

/// socket, setsockopt, bind, listen; CLOEXEC, non-blocking. A stale unix socket file that nobody
/// listens on is replaced. Error Busy: somebody else has the address, maybe not for long.
Result<UniqueFd> bind_listening_socket(const Endpoint& endpoint, const ListenOptions& options);

/// Binds anew for each that asks and keeps nothing: for commands and tests.
class OwnSockets final : public SocketSource {
 public:
  Result<UniqueFd> listening_socket(const Endpoint& endpoint, const ListenOptions& options,
                                    unsigned = 0) override {
    return bind_listening_socket(endpoint, options);
  }
  Result<void> retain(const std::vector<std::string>&) override { return {}; }
};

/// Binds and keeps: the keeper's, and those of a process without one.
class HeldSockets final : public SocketSource {
 public:
  Result<UniqueFd> listening_socket(const Endpoint& endpoint, const ListenOptions& options,
                                    unsigned loop = 0) override;
  Result<void> retain(const std::vector<std::string>& names) override;
  /// In a forked process: closes the copies, and leaves the files to the other.
  void forget();

  /// One that listens already, left by the program that this one replaces; `loop` as it was asked
  /// for there. Error: that is no listening socket.
  Result<void> inherit(UniqueFd fd, unsigned loop);
  struct Passed {
    int fd;  // owned by this
    unsigned loop;
  };
  /// What the next program inherits. They stay ours, too.
  std::vector<Passed> all() const;
  /// While another program has the same sockets, their files stay when ours are closed.
  void share_files(bool shared) { files_shared_ = shared; }

 private:
  struct Held {
    UniqueFd fd;
    Endpoint endpoint;
    ListenOptions options;
    unsigned loop = 0;
  };
  mutable std::mutex mutex_;
  std::atomic<bool> files_shared_{false};
  std::map<std::string, Held> held_;
};

}  // namespace gatescope::net
