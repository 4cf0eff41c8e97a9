#include "proxy/keeper_channel.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <vector>

namespace gatescope::server {

Result<void> send_message(int socket, const KeeperMessage& message) {
  char kind = static_cast<char>(message.kind);
  iovec parts[2] = {{&kind, 1}, {const_cast<char*>(message.text.data()), message.text.size()}};
  msghdr header{};
  header.msg_iov = parts;
  header.msg_iovlen = 2;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  if (message.fd) {
    header.msg_control = control;
    header.msg_controllen = sizeof control;
    auto* c = CMSG_FIRSTHDR(&header);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int));
    const int fd = message.fd.get();
    std::memcpy(CMSG_DATA(c), &fd, sizeof fd);
  }
  ssize_t sent;
  do {
    sent = ::sendmsg(socket, &header, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) return system_error(errno, "sendmsg() to the keeper");
  return {};
}

Result<KeeperMessage> receive_message(int socket) {
  std::vector<char> buffer(kKeeperPacket + 1);
  iovec part{buffer.data(), buffer.size()};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  ssize_t got;
  do {
    got = ::recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  if (got < 0) return system_error(errno, "recvmsg()");
  if (got == 0)
    return make_error(ErrorKind::Closed, Origin::Internal, "the other process has gone");
  KeeperMessage message;
  message.kind = static_cast<KeeperMessage::Kind>(buffer[0]);
  message.text.assign(buffer.data() + 1, static_cast<std::size_t>(got) - 1);
  for (auto* c = CMSG_FIRSTHDR(&header); c; c = CMSG_NXTHDR(&header, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    int fd;
    std::memcpy(&fd, CMSG_DATA(c), sizeof fd);
    message.fd.reset(fd);
  }
  return message;
}

}  // namespace gatescope::server
