// Listening sockets that a reload, another loop or another process asks for again.

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proxy/net/socket_source.h"
#include "tests/support/catch.h"
#include "tests/unit/net/net_fixture.h"

using namespace gatescope;
using namespace gatescope::net;

namespace {

Endpoint name_of(int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size);
  return Endpoint::of_sockaddr(reinterpret_cast<sockaddr*>(&storage), size);
}

/// A free address, and nothing on it.
Endpoint free_address() {
  const auto bound = bind_listening_socket(Endpoint::ip("127.0.0.1", 0).value(), {});
  REQUIRE(bound);
  return name_of(bound->get());
}

int option_of(const UniqueFd& fd, int name) {
  int value = -1;
  socklen_t size = sizeof value;
  ::getsockopt(fd.get(), SOL_SOCKET, name, &value, &size);
  return value;
}

ino_t inode(const UniqueFd& fd) {
  struct stat status {};
  ::fstat(fd.get(), &status);
  return status.st_ino;
}

}  // namespace

TEST_CASE("who asks again gets another descriptor of the same socket") {
  HeldSockets sockets;
  const auto address = free_address();
  const auto first = sockets.listening_socket(address, {}, 0);
  const auto second = sockets.listening_socket(address, {}, 1);
  REQUIRE(first);
  REQUIRE(second);
  CHECK(first->get() != second->get());
  CHECK(inode(*first) == inode(*second));
}

TEST_CASE("with reuseport each loop has a socket of its own, also when a reload asks for it") {
  HeldSockets sockets;
  const auto address = free_address();
  const auto plain = sockets.listening_socket(address, {}, 0);
  REQUIRE(plain);
  ListenOptions options;
  options.reuse_port = true;
  const auto first = sockets.listening_socket(address, options, 0);
  const auto second = sockets.listening_socket(address, options, 1);
  REQUIRE(first);
  REQUIRE(second);
  CHECK(inode(*first) == inode(*plain));
  CHECK(inode(*second) != inode(*plain));
  CHECK(socket_name(address, options, 0) == address.to_string());
  CHECK(socket_name(address, options, 1) == address.to_string() + "#1");
}

TEST_CASE("options of a held socket follow the configuration") {
  HeldSockets sockets;
  const auto address = free_address();
  ListenOptions options;
  const auto fd = sockets.listening_socket(address, options);
  REQUIRE(fd);
  CHECK(option_of(*fd, SO_KEEPALIVE) == 0);
  options.keepalive = true;
  options.backlog = 7;
  REQUIRE(sockets.listening_socket(address, options));
  CHECK(option_of(*fd, SO_KEEPALIVE) == 1);
  options.keepalive = false;
  REQUIRE(sockets.listening_socket(address, options));
  CHECK(option_of(*fd, SO_KEEPALIVE) == 0);
}

TEST_CASE("what is not retained is closed, and the file of a unix socket goes") {
  const TempFolder folder;
  HeldSockets sockets;
  const auto address = free_address();
  const auto unix_address = Endpoint::unix_path(folder / "s").value();
  REQUIRE(sockets.listening_socket(address, {}));
  REQUIRE(sockets.listening_socket(unix_address, {}));
  REQUIRE(sockets.retain({address.to_string(), unix_address.to_string()}));
  CHECK(::access((folder / "s").c_str(), F_OK) == 0);
  CHECK(!bind_listening_socket(address, {}));
  REQUIRE(sockets.retain({}));
  CHECK(::access((folder / "s").c_str(), F_OK) != 0);
  CHECK(bind_listening_socket(address, {}));
}
