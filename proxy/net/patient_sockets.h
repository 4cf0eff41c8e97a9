#pragma once

#include <functional>

#include "proxy/base/log.h"
#include "proxy/net/socket_source.h"

namespace gatescope::net {

/// Asks `source` again for an address that is in use, since who has it may be about to end: a
/// process that was killed keeps its sockets as long as one of its threads waits for the disk. As
/// nginx, which tries five times, half a second apart. Blocks meanwhile; from any thread.
class PatientSockets final : public SocketSource {
 public:
  /// `sleep` blocks for as long as it is told. All outlive this.
  PatientSockets(SocketSource& source, Log& log, std::function<void(Duration)> sleep);

  static constexpr Duration kFirstPause{50}, kLongestPause{1000}, kPatience{2500};

  /// Error: that of the last time.
  Result<UniqueFd> listening_socket(const Endpoint& endpoint, const ListenOptions& options,
                                    unsigned loop = 0) override;
  Result<void> retain(const std::vector<std::string>& names) override {
    return source_.retain(names);
  }

 private:
  SocketSource& source_;
  Log& log_;
  const std::function<void(Duration)> sleep_;
};

}  // namespace gatescope::net
