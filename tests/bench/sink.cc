#include "tests/bench/sink.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <stdexcept>
#include <string_view>

namespace gatescope::bench {

namespace {

std::size_t length_of(std::string_view head) {
  constexpr std::string_view kName = "\r\nContent-Length: ";
  const auto at = head.find(kName);
  return at == std::string_view::npos
             ? 0
             : std::strtoull(std::string(head.substr(at + kName.size(), 20)).c_str(), nullptr, 10);
}

bool send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

}  // namespace

void Sink::listen_at(const std::string& path) {
  sockaddr_in ip{};
  ip.sin_family = AF_INET;
  ip.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  sockaddr_un local{};
  local.sun_family = AF_UNIX;
  path.copy(local.sun_path, sizeof local.sun_path - 1);
  auto* const any =
      path.empty() ? reinterpret_cast<sockaddr*>(&ip) : reinterpret_cast<sockaddr*>(&local);
  socklen_t size = path.empty() ? sizeof ip : sizeof local;
  listener_ = ::socket(any->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::bind(listener_, any, size) != 0 || ::listen(listener_, 512) != 0 ||
      ::getsockname(listener_, any, &size) != 0)
    throw std::runtime_error("no socket for the sink");
  if (path.empty()) port_ = ntohs(ip.sin_port);
}

Sink::Sink(const std::string& path) : big_(10'000'000, 'b'), kilobyte_(1024, 'k') {
  for (auto& fd : connections_)
    fd = -1;
  listen_at(path);
  threads_.reserve(kMost + 1);
  threads_.emplace_back([this] {
    for (auto& slot : connections_) {
      const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0 || over_) return;
      slot = fd;
      threads_.emplace_back([this, fd] { serve(fd); });
    }
  });
}

Sink::~Sink() {
  over_ = true;
  ::shutdown(listener_, SHUT_RDWR);
  threads_.front().join();
  for (auto& fd : connections_)
    if (fd >= 0) ::shutdown(fd, SHUT_RDWR);
  for (std::size_t i = 1; i < threads_.size(); ++i)
    threads_[i].join();
  for (auto& fd : connections_)
    if (fd >= 0) ::close(fd);
  ::close(listener_);
}

void Sink::serve(int fd) {
  std::string in;
  std::vector<char> buffer(256 * 1024);
  const auto more = [&] { return ::recv(fd, buffer.data(), buffer.size(), 0); };
  for (;;) {
    std::size_t end = 0;
    while ((end = in.find("\r\n\r\n")) == std::string::npos) {
      const auto n = more();
      if (n <= 0) return;
      in.append(buffer.data(), static_cast<std::size_t>(n));
    }
    const std::string head = in.substr(0, end + 2);
    in.erase(0, end + 4);
    auto left = length_of(head);
    const auto here = std::min(left, in.size());
    in.erase(0, here);
    for (left -= here; left > 0;) {
      const auto n = more();
      if (n <= 0) return;
      const auto taken = std::min(left, static_cast<std::size_t>(n));
      left -= taken;
      in.append(buffer.data() + taken, static_cast<std::size_t>(n) - taken);
    }
    const auto asks = [line = head.substr(0, head.find('\r'))](std::string_view path) {
      return line.find(path) != std::string::npos;
    };
    const bool big = asks("/big ");
    const std::string_view body = big ? std::string_view(big_) : asks("/k ") ? kilobyte_ : "ok";
    auto answer = fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.size());
    if (!big) answer += body;  // in one piece: nobody is to wait for an acknowledgement
    if (!send_all(fd, answer) || (big && !send_all(fd, body))) return;
  }
}

}  // namespace gatescope::bench
