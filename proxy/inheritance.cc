#include "proxy/inheritance.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "proxy/base/text.h"
#include "proxy/main_settings.h"

namespace gatescope::server {

namespace {

Error not_understood(const std::string& text) {
  return make_error(
      ErrorKind::Invalid, Origin::Internal,
      fmt::format("the environment variable {} is for a program that replaces a running one, and "
                  "says \"{}\": unset it",
                  kInheritedVariable, text));
}

/// An open descriptor of that number, closed at the next exec.
std::optional<UniqueFd> take_descriptor(std::string_view text) {
  const auto number = parse_unsigned(text);
  if (!number || *number < 3 || *number > 1u << 20) return std::nullopt;
  const int fd = static_cast<int>(*number);
  if (::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) return std::nullopt;
  return UniqueFd(fd);
}

}  // namespace

Result<Inheritance> Inheritance::take() {
  Inheritance inherited;
  const char* const value = std::getenv(kInheritedVariable);
  if (value == nullptr) return inherited;
  const std::string text = value;
  ::unsetenv(kInheritedVariable);
  const auto parts = split(text, ';');
  if (parts.size() < 2) return not_understood(text);
  auto channel = take_descriptor(parts[0]);
  if (!channel) return not_understood(text);
  inherited.channel = std::move(*channel);
  if (parts[1] != "-1") {
    auto handover = take_descriptor(parts[1]);
    if (!handover) return not_understood(text);
    inherited.handover = std::move(*handover);
  }
  for (std::size_t i = 2; i < parts.size(); ++i) {
    const auto colon = parts[i].find(':');
    if (colon == std::string_view::npos) return not_understood(text);
    auto fd = take_descriptor(parts[i].substr(0, colon));
    const auto loop = parse_unsigned(parts[i].substr(colon + 1));
    if (!fd || !loop || *loop >= kMaxLoops) return not_understood(text);
    inherited.sockets.push_back({std::move(*fd), static_cast<unsigned>(*loop)});
  }
  return inherited;
}

Result<UniqueFd> write_handover(std::string_view text) {
  UniqueFd file(::memfd_create("gatescope-handover", MFD_CLOEXEC));
  if (!file) return system_error(errno, "memfd_create()");
  if (text.size() > kMostHandover)
    return make_error(ErrorKind::TooLarge, Origin::Internal,
                      fmt::format("{} bytes to hand over", text.size()));
  while (!text.empty()) {
    const auto written = ::write(file.get(), text.data(), text.size());
    if (written <= 0) return system_error(errno, "write() to a file in memory");
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return file;
}

Result<std::string> read_handover(int fd) {
  const auto size = ::lseek(fd, 0, SEEK_END);
  if (size < 0 || static_cast<std::size_t>(size) > kMostHandover)
    return make_error(ErrorKind::Invalid, Origin::Internal, "what was handed over is no such file");
  std::string text(static_cast<std::size_t>(size), '\0');
  std::size_t have = 0;
  while (have < text.size()) {
    const auto got = ::pread(fd, text.data() + have, text.size() - have, static_cast<off_t>(have));
    if (got <= 0) return system_error(errno, "pread() of what was handed over");
    have += static_cast<std::size_t>(got);
  }
  return text;
}

Predecessor::Predecessor(UniqueFd channel) : channel_(std::move(channel)), pid_(::getppid()) {}

void Predecessor::tell_serving() {
  if (channel_) (void)::send(channel_.get(), "s", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

bool Predecessor::look() {
  if (!channel_) return false;
  char word = 0;
  const auto got = ::recv(channel_.get(), &word, 1, MSG_DONTWAIT);
  if (got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR))) return false;
  channel_.reset();
  return true;
}

}  // namespace gatescope::server
