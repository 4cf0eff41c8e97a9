#include "proxy/service_manager.h"

#include <sys/socket.h>
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

void notify_manager(const std::string& text) {
  const char* name = std::getenv("NOTIFY_SOCKET");
  if (name == nullptr || (*name != '/' && *name != '@')) return;
  sockaddr_un address{};
  const std::size_t size = std::strlen(name);
  if (size >= sizeof address.sun_path) return;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, name, size);
  if (*name == '@') address.sun_path[0] = '\0';  // of the abstract name space
  const UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return;
  // Full or gone: nobody looks.
  static_cast<void>(::sendto(socket.get(), text.data(), text.size(), MSG_NOSIGNAL,
                             reinterpret_cast<const sockaddr*>(&address),
                             static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + size)));
}

std::optional<std::uint64_t> number_in_environment(const char* name) {
  const char* text = std::getenv(name);
  return text == nullptr ? std::nullopt : parse_unsigned(text);
}

}  // namespace

void SystemdService::show_status(std::string_view line) {
  notify_manager("STATUS=" + std::string(line));
}

void SystemdService::ready(int main) {
  notify_manager("READY=1\nMAINPID=" + std::to_string(main));
}

void SystemdService::reloading() {
  notify_manager("RELOADING=1");
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
  notify_manager("WATCHDOG=1");
}

}  // namespace gatescope::server
