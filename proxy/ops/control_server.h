#pragma once

// Commands for a running gatescope, over a unix socket. One question on a connection:
//
//   "reload\n"  ->  "ok\nconfiguration 7 serves\n"  or  "failed\nsite.conf:3:1: ..."
//
// The question is a line of words; the answer a line with the verdict, then text to the end.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/log.h"
#include "proxy/net/loop.h"

namespace gatescope::ops {

struct ControlLimits {
  std::size_t clients = 16;     // more are refused: people and their scripts are few
  std::size_t question = 4096;  // bytes
  Duration asking{5'000};       // from the connection to the end of the line
  Duration answering{600'000};  // a reload may read much
  Duration sending{10'000};     // until the client has taken the answer
};

/// Who knows the answers. Server is one.
class ControlHandler {
 public:
  virtual ~ControlHandler() = default;
  /// ControlServer::answer(client, ...) follows, inside or later.
  virtual void on_question(std::uint64_t client, const std::vector<std::string>& words) = 0;
};

/// Owned by Server, on loop 0. Closed -> listen() -> close() -> Closed; clients end with it.
class ControlServer final : private net::AcceptEvents {
 public:
  ControlServer(net::Loop& loop, ControlHandler& handler, Log& log, ControlLimits limits = {});
  ~ControlServer() override;

  /// From now on at this socket, and at no other.
  void listen(net::BoundSocket socket);
  /// Takes nobody new, for a while or for good; who has asked is answered.
  void stop_accepting();
  void resume_accepting();
  void stop_listening();
  bool listening() const { return listener_ != nullptr; }
  /// No effect when that client has gone. `verdict`: a word, of which "ok" and "failed" are usual.
  void answer(std::uint64_t client, std::string_view verdict, std::string_view text);
  std::size_t clients() const { return clients_.size(); }

 private:
  class Client;
  void on_accepted(std::unique_ptr<net::Stream> stream) override;
  void remove(std::uint64_t client);

  // Constant after construction
  net::Loop& loop_;
  ControlHandler& handler_;
  Log& log_;
  const ControlLimits limits_;

  std::unique_ptr<net::Listener> listener_;  // null: closed
  std::map<std::uint64_t, std::unique_ptr<Client>> clients_;
  std::uint64_t next_client_ = 1;
};

}  // namespace gatescope::ops
