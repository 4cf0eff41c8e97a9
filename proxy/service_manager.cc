#include "proxy/service_manager.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>

#include "proxy/base/text.h"
#include "proxy/base/unique_fd.h"

namespace gatescope::server {

namespace {

/// What happens when the manager's queue is full.
enum class When { NowOrNever, Waiting };

/// How long a loop waits then: a manager that misses READY=1 or RELOADING=1 takes the service for
/// something that it is not, and asks nobody again.
constexpr timeval kPatience{.tv_sec = 1, .tv_usec = 0};

void notify_manager(const std::string& text, When when) {
  const char* name = std::getenv("NOTIFY_SOCKET");
  if (name == nullptr || (*name != '/' && *name != '@')) return;
  sockaddr_un address{};
  const std::size_t size = std::strlen(name);
  if (size >= sizeof address.sun_path) return;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, name, size);
  if (*name == '@') address.sun_path[0] = '\0';  // of the abstract name space
  const UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket) return;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience);
  const int flags = MSG_NOSIGNAL | (when == When::NowOrNever ? MSG_DONTWAIT : 0);
  // Gone, or full for that long: nobody looks.
  static_cast<void>(::sendto(socket.get(), text.data(), text.size(), flags,
                             reinterpret_cast<const sockaddr*>(&address),
                             static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + size)));
}

std::optional<std::uint64_t> number_in_environment(const char* name) {
  const char* text = std::getenv(name);
  return text == nullptr ? std::nullopt : parse_unsigned(text);
}

}  // namespace

void SystemdService::show_status(std::string_view line) {
  notify_manager("STATUS=" + std::string(line), When::NowOrNever);
}

void SystemdService::ready(int main) {
  notify_manager("READY=1\nMAINPID=" + std::to_string(main), When::Waiting);
}

void SystemdService::reloading() {
  notify_manager("RELOADING=1", When::Waiting);
}

Duration SystemdService::watchdog() const {
  const auto period = number_in_environment("WATCHDOG_USEC");
  if (!period || std::getenv("NOTIFY_SOCKET") == nullptr) return Duration(0);
  const auto watched = number_in_environment("WATCHDOG_PID");
  if (watched && *watched != static_cast<std::uint64_t>(::getpid()) &&
      *watched != static_cast<std::uint64_t>(::getppid()))
    return Duration(0);  // it is somebody else who is watched: a shell's child, say
  return Duration(static_cast<Duration::rep>(*period / 1000));
}

void SystemdService::feed_watchdog() {
  notify_manager("WATCHDOG=1", When::NowOrNever);
}

}  // namespace gatescope::server
