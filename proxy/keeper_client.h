#pragma once

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
  Result<UniqueFd> listening_socket(const net::Endpoint& endpoint,
                                    const net::ListenOptions& options) override;
  Result<std::string> read_secret(const std::string& path) override;
  Result<UniqueFd> open_log(const std::string& path) override;
  /// The keeper keeps as many as the configuration says.
  Result<UniqueFd> rotate_log(const std::string& path, unsigned keep) override;
  Result<std::string> read(const std::string& path) override;
  Result<std::vector<std::string>> expand(const std::string& pattern) override;
  /// The sockets that are still in use: the keeper closes its copies of the others.
  Result<void> retain(const std::vector<net::Endpoint>& endpoints);
  /// Every socket listens: the pid file may be written.
  Result<void> ready();

 private:
  Result<KeeperMessage> ask(KeeperMessage::Kind kind, std::string text);
  std::mutex mutex_;
  UniqueFd socket_;
  conf::SystemFileReader own_files_;
};

/// An endpoint with its options as a line of text, and back.
std::string listen_request(const net::Endpoint& endpoint, const net::ListenOptions& options);
Result<std::pair<net::Endpoint, net::ListenOptions>> parse_listen_request(const std::string& text);

}  // namespace gatescope::server
