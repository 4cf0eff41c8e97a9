#include "proxy/base/syslog.h"

#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "proxy/base/error_log.h"
#include "proxy/base/text.h"

namespace gatescope {

namespace {

// In the order of their numbers; those of 12 to 14 have no name that people agree on.
constexpr std::string_view kFacilities[] = {
    "kern",   "user",   "mail",     "daemon", "auth",   "intern", "lpr",    "news",
    "uucp",   "clock",  "authpriv", "ftp",    "ntp",    "audit",  "alert",  "cron",
    "local0", "local1", "local2",   "local3", "local4", "local5", "local6", "local7"};
constexpr std::string_view kSeverities[] = {"emerg", "alert",  "crit", "error",
                                            "warn",  "notice", "info", "debug"};

Error wrong(std::string text) {
  return make_error(ErrorKind::Invalid, Origin::Internal, std::move(text));
}

template <std::size_t N>
std::optional<unsigned> place_of(std::string_view word, const std::string_view (&words)[N]) {
  const auto found = std::ranges::find(words, word);
  if (found == std::end(words)) return std::nullopt;
  return static_cast<unsigned>(found - std::begin(words));
}

std::vector<std::byte> bytes_of(const void* address, std::size_t size) {
  const auto* first = static_cast<const std::byte*>(address);
  return {first, first + size};
}

std::string own_name() {
  char name[256] = "";
  ::gethostname(name, sizeof(name) - 1);
  return lower(name);
}

Result<std::vector<std::byte>> address_of(const std::string& server) {
  if (server.starts_with("unix:")) {
    const auto path = server.substr(5);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof(address.sun_path))
      return wrong(
          fmt::format("has an invalid syslog server \"{}\"; a path of 1 to {} bytes is "
                      "needed",
                      server, sizeof(address.sun_path) - 1));
    std::memcpy(address.sun_path, path.data(), path.size());
    return bytes_of(&address, sizeof(address));
  }
  std::string host = server, port = "514";
  const auto colon = server.rfind(':');
  const auto bracket = server.rfind(']');
  if (colon != std::string::npos &&
      (bracket == std::string::npos ? server.find(':') == colon : colon > bracket)) {
    host = server.substr(0, colon);
    port = server.substr(colon + 1);
  }
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const auto number = parse_unsigned(port);
  if (!number || *number == 0 || *number > 65535)
    return wrong(
        fmt::format("has an invalid port in the syslog server \"{}\"; 1 to 65535", server));
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  if (const int failed = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &found); failed != 0)
    return wrong(fmt::format("has a syslog server \"{}\" that is not found: {}", server,
                             ::gai_strerror(failed)));
  auto address = bytes_of(found->ai_addr, found->ai_addrlen);
  ::freeaddrinfo(found);
  return address;
}

}  // namespace

Result<SyslogSettings> SyslogSettings::parse(std::string_view words) {
  SyslogSettings settings;
  for (const auto word : split(words, ',')) {
    const auto value = word.substr(std::min(word.find('=') + 1, word.size()));
    if (word == "nohostname") {
      settings.hostname = false;
    } else if (word.starts_with("server=") && !value.empty()) {
      settings.server = value;
    } else if (word.starts_with("facility=")) {
      const auto number = place_of(lower(value), kFacilities);
      if (!number)
        return wrong(fmt::format("has an unknown syslog facility \"{}\"; one of {}", value,
                                 fmt::join(kFacilities, ", ")));
      settings.facility = *number;
    } else if (word.starts_with("severity=")) {
      const auto number = place_of(lower(value), kSeverities);
      if (!number)
        return wrong(fmt::format("has an unknown syslog severity \"{}\"; one of {}", value,
                                 fmt::join(kSeverities, ", ")));
      settings.severity = static_cast<LogLevel>(*number);
    } else if (word.starts_with("tag=")) {
      if (value.empty() || value.size() > 32 || !std::ranges::all_of(value, [](char c) {
            return is_alpha(c) || is_digit(c) || c == '_';
          }))
        return wrong(
            fmt::format("has an invalid syslog tag \"{}\"; 1 to 32 letters, digits and "
                        "\"_\" are needed",
                        value));
      settings.tag = value;
    } else {
      return wrong(
          fmt::format("has an unknown syslog parameter \"{}\"; server=, facility=, "
                      "severity=, tag= and nohostname are there",
                      word));
    }
  }
  if (settings.server.empty())
    return wrong("has no syslog server; syslog:server=unix:/dev/log is this machine's");
  return settings;
}

Result<std::unique_ptr<Syslog>> Syslog::open(const SyslogSettings& settings) {
  auto address = address_of(settings.server);
  if (!address) return address.error();
  return std::unique_ptr<Syslog>(new Syslog(settings, std::move(*address)));
}

Syslog::Syslog(const SyslogSettings& settings, std::vector<std::byte> address)
    : settings_(settings),
      address_(std::move(address)),
      is_udp_(!settings_.server.starts_with("unix:")),
      behind_time_(fmt::format(" {}{}: ", settings.hostname ? own_name() + " " : std::string(),
                               settings.tag)) {}

bool Syslog::connect() {
  sockaddr_storage storage{};
  std::memcpy(&storage, address_.data(), address_.size());
  socket_.reset(::socket(storage.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket_) return false;
  const int failed = ::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&storage),
                               static_cast<socklen_t>(address_.size()));
  return failed == 0;
}

void Syslog::send(LogLevel severity, std::string_view message, WallTime now) {
  // Scratch, one per thread: nothing in it outlives this call.
  thread_local std::string datagram;
  datagram = fmt::format(
      "<{}>{}{}",
      settings_.facility * 8 + static_cast<unsigned>(settings_.severity.value_or(severity)),
      log_time_syslog(now), behind_time_);
  datagram.append(message.substr(0, kLongest - std::min(kLongest, datagram.size())));
  const std::lock_guard lock(mutex_);
  for (int i = 0; i < 2; ++i) {
    if ((!socket_ || i > 0) && !connect()) break;
    if (::send(socket_.get(), datagram.data(), datagram.size(), MSG_NOSIGNAL) >= 0) return;
    if (errno == EAGAIN || errno == ENOBUFS) break;  // it is there, and does not keep up
    // Over UDP this is of the datagram before; of a unix socket, that the daemon was started anew.
    if (i == 0 && is_udp_) lose();
  }
  lose();
}

void Syslog::lose() {
  error_.store(errno, std::memory_order_relaxed);
  lost_.fetch_add(1, std::memory_order_relaxed);
}

void SyslogErrorLog::write(LogLevel level, std::string_view message) {
  if (!enabled(level)) return;
  const auto now = clock_.wall();
  std::string line;
  append_error_line(line, level, message, now);
  target_.send(level, line, now);
}

}  // namespace gatescope
