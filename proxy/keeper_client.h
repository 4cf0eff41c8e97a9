#pragma once

#include <sys/types.h>

#include <mutex>
#include <string>
#include <vector>

#include "certs/tls_context.h"
#include "conf/source.h"
#include "proxy/base/log_files.h"
#include "proxy/keeper_channel.h"
#include "proxy/net/uv_loop.h"

namespace gatescope::server {

/// The worker's side: asks the keeper for what only root may do. One question at a time, from any
/// thread; an answer that takes longer than 10 s is an error. Owned by main.
class KeeperClient final : public net::SocketSource,
                           public tls::SecretReader,
                           public LogOpener,
                           public conf::FileReader {
 public:
  explicit KeeperClient(UniqueFd socket);
  /// False: it has ended.
  bool alive() const;
  Result<UniqueFd> listening_socket(const net::Endpoint& endpoint,
                                    const net::ListenOptions& options, unsigned loop = 0) override;
  Result<std::string> read_secret(const std::string& path) override;
  Result<UniqueFd> open_log(const std::string& path) override;
  /// The keeper keeps as many as the configuration says.
  Result<UniqueFd> rotate_log(const std::string& path, unsigned keep) override;
  Result<std::string> read(const std::string& path) override;
  Result<std::vector<std::string>> expand(const std::string& pattern) override;
  Result<void> retain(const std::vector<std::string>& names) override;
  /// Every socket listens: the pid file may be written, and what the configuration says now is
  /// what serves. After each reload too.
  /// `as_before`: what serves is not what it says now but what the keeper remembers.
  Result<void> ready(bool as_before = false);
  /// What SIGUSR2 means: a text of WorkerTask.
  Result<std::string> task();
  Result<void> hand_over(std::string state);
  /// What the worker of the program that this one replaces handed over; empty: nothing.
  Result<std::string> inherited();

 private:
  Result<KeeperMessage> ask(KeeperMessage::Kind kind, std::string text);
  const pid_t keeper_;
  std::mutex mutex_;
  UniqueFd socket_;
  std::uint32_t questions_ = 0;  // guarded by mutex_
  conf::SystemFileReader own_files_;
};

/// What SocketSource::listening_socket is asked, as a line of text and back.
struct ListenRequest {
  net::Endpoint endpoint;
  net::ListenOptions options;
  unsigned loop = 0;
  std::string text() const;
  static Result<ListenRequest> parse(const std::string& text);
};

}  // namespace gatescope::server
