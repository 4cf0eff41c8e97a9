#include "tests/integration/support/free_port.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>

namespace gatescope::integration {

FreePort::FreePort() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const int yes = 1;
  ::setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(fd_, generic, size) != 0 || ::getsockname(fd_, generic, &size) != 0)
    throw std::runtime_error("no free port");
  number_ = ntohs(address.sin_port);
}

FreePort::~FreePort() {
  ::close(fd_);
}

void FreePort::listen() {
  if (::listen(fd_, 1) != 0) throw std::runtime_error("listen");
}

void FreePort::stop_listening() {
  if (::shutdown(fd_, SHUT_RDWR) != 0) throw std::runtime_error("shutdown");
}

}  // namespace gatescope::integration
