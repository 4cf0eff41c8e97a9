#include "tests/bench/sink.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
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

Sink::Sink() : big_(10'000'000, 'b') {
  for (auto& fd : connections_)
    fd = -1;
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener_, any, size) != 0 || ::listen(listener_, 64) != 0 ||
      ::getsockname(listener_, any, &size) != 0)
    throw std::runtime_error("no socket for the sink");
  port_ = ntohs(address.sin_port);
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
    const bool big = head.substr(0, head.find('\r')).find("/big") != std::string::npos;
    const std::string_view body = big ? std::string_view(big_) : "ok";
    auto answer = fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.size());
    if (!big) answer += body;  // in one piece: nobody is to wait for an acknowledgement
    if (!send_all(fd, answer) || (big && !send_all(fd, body))) return;
  }
}

}  // namespace gatescope::bench
