#include "proxy/net/patient_sockets.h"

#include <algorithm>
#include <utility>

namespace gatescope::net {

PatientSockets::PatientSockets(SocketSource& source, Log& log, std::function<void(Duration)> sleep)
    : source_(source), log_(log), sleep_(std::move(sleep)) {}

Result<UniqueFd> PatientSockets::listening_socket(const Endpoint& endpoint,
                                                  const ListenOptions& options, unsigned loop) {
  auto socket = source_.listening_socket(endpoint, options, loop);
  Duration pause = kFirstPause;
  for (Duration slept{0}; !socket && socket.error().kind == ErrorKind::Busy && slept < kPatience;) {
    if (slept.count() == 0)
      log_.print(LogLevel::Notice, "{}, it is tried again for {} ms", socket.error().detail,
                 kPatience.count());
    const auto now = std::min(pause, kPatience - slept);
    sleep_(now);
    slept += now;
    pause = std::min(2 * pause, kLongestPause);
    socket = source_.listening_socket(endpoint, options, loop);
  }
  return socket;
}

}  // namespace gatescope::net
