#include "tests/support/dns_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>

namespace gatescope::test {

namespace {

std::string number(std::uint16_t n) {
  return {static_cast<char>(n >> 8), static_cast<char>(n & 255)};
}

std::string labels(const std::string& name) {
  std::string wire;
  for (std::size_t at = 0; at < name.size();) {
    const auto dot = std::min(name.find('.', at), name.size());
    wire += static_cast<char>(dot - at) + name.substr(at, dot - at);
    at = dot + 1;
  }
  return wire + '\0';
}

}  // namespace

DnsServer::DnsServer() {
  fd_ = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  if (::bind(fd_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size) != 0 ||
      ::pipe2(stop_pipe_, O_CLOEXEC) != 0)
    throw std::runtime_error("a name server for the test cannot be made");
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { serve(); });
}

DnsServer::~DnsServer() {
  ::close(stop_pipe_[1]);
  thread_.join();
  ::close(stop_pipe_[0]);
  ::close(fd_);
}

void DnsServer::set(const std::string& name, const std::vector<std::string>& addresses,
                    std::uint32_t ttl) {
  Entry entry{.ttl = ttl, .data = {}};
  for (const auto& text : addresses) {
    char bytes[4];
    ::inet_pton(AF_INET, text.c_str(), bytes);
    entry.data.emplace_back(bytes, 4);
  }
  const std::lock_guard lock(mutex_);
  entries_[name] = std::move(entry);
}

void DnsServer::set_service(const std::string& name, const std::vector<Service>& services,
                            std::uint32_t ttl) {
  Entry entry{.type = kSrv, .ttl = ttl, .data = {}};
  for (const auto& s : services)
    entry.data.push_back(number(s.priority) + number(s.weight) + number(s.port) + labels(s.target));
  const std::lock_guard lock(mutex_);
  entries_[name] = std::move(entry);
}

void DnsServer::set_alias(const std::string& name, const std::string& target, std::uint32_t ttl) {
  const std::lock_guard lock(mutex_);
  entries_[name] = {.type = kCname, .ttl = ttl, .data = {labels(target)}};
}

void DnsServer::set_garbage(const std::string& name, const std::string& bytes) {
  const std::lock_guard lock(mutex_);
  entries_[name] = {.data = {bytes}, .garbage = true};
}

void DnsServer::fail(const std::string& name, int code) {
  const std::lock_guard lock(mutex_);
  entries_[name] = {.code = code, .data = {}};
}

int DnsServer::asked(const std::string& name, std::uint16_t type) const {
  const std::lock_guard lock(mutex_);
  const auto found = asked_.find({name, type});
  return found == asked_.end() ? 0 : found->second;
}

void DnsServer::serve() {
  for (;;) {
    pollfd wait[2] = {{fd_, POLLIN, 0}, {stop_pipe_[0], POLLIN, 0}};
    if (::poll(wait, 2, -1) < 0) continue;
    if (wait[1].revents != 0) return;
    char buffer[512];
    sockaddr_storage from{};
    socklen_t size = sizeof(from);
    const auto n =
        ::recvfrom(fd_, buffer, sizeof(buffer), 0, reinterpret_cast<sockaddr*>(&from), &size);
    if (n < 17) continue;
    const auto said = answer(std::string(buffer, static_cast<std::size_t>(n)));
    if (!said.empty())
      (void)::sendto(fd_, said.data(), said.size(), 0, reinterpret_cast<sockaddr*>(&from), size);
  }
}

std::string DnsServer::answer(const std::string& question) {
  std::string name;
  std::size_t at = 12;
  while (at < question.size() && question[at] != 0) {
    const auto length = static_cast<std::size_t>(question[at]);
    name += (name.empty() ? "" : ".") + question.substr(at + 1, length);
    at += length + 1;
  }
  if (at + 5 > question.size()) return {};
  const auto type = static_cast<std::uint16_t>(static_cast<unsigned char>(question[at + 1]) << 8 |
                                               static_cast<unsigned char>(question[at + 2]));
  const std::lock_guard lock(mutex_);
  ++asked_[{name, type}];
  const auto found = entries_.find(name);
  const Entry entry = found == entries_.end() ? Entry{.code = kNoName, .data = {}} : found->second;
  if (entry.code == kSilence) return {};
  const bool fits = entry.garbage || entry.type == type || entry.type == kCname;
  std::string records;
  std::uint16_t count = 0;
  for (const auto& data : entry.data) {
    if (!fits) break;
    ++count;
    if (entry.garbage) {
      records += data;
      continue;
    }
    records += "\xc0\x0c" + number(entry.type) + number(1) +
               number(static_cast<std::uint16_t>(entry.ttl >> 16)) +
               number(static_cast<std::uint16_t>(entry.ttl)) +
               number(static_cast<std::uint16_t>(data.size())) + data;
  }
  return question.substr(0, 2) + '\x81' + static_cast<char>(0x80 | entry.code) + number(1) +
         number(count) + number(0) + number(0) + question.substr(12, at + 5 - 12) + records;
}

}  // namespace gatescope::test
