#include "proxy/keeper_channel.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>

namespace gatescope::server {

namespace {

/// Before the text of each packet.
struct PacketHead {
  char kind;
  char more;  // 1: another packet of this message follows
  std::uint32_t number;
};

Result<void> send_packet(int socket, PacketHead head, std::string_view text, int fd) {
  iovec parts[2] = {{&head, sizeof head}, {const_cast<char*>(text.data()), text.size()}};
  msghdr header{};
  header.msg_iov = parts;
  header.msg_iovlen = 2;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  if (fd >= 0) {
    header.msg_control = control;
    header.msg_controllen = sizeof control;
    auto* c = CMSG_FIRSTHDR(&header);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(c), &fd, sizeof fd);
  }
  ssize_t sent;
  do {
    sent = ::sendmsg(socket, &header, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) return system_error(errno, "sendmsg() between worker and keeper");
  return {};
}

/// Appends the packet's text to the message.
Result<PacketHead> receive_packet(int socket, KeeperMessage& message) {
  PacketHead head{};
  const std::size_t before = message.text.size();
  message.text.resize(before + kKeeperPacket);
  iovec parts[2] = {{&head, sizeof head}, {message.text.data() + before, kKeeperPacket}};
  msghdr header{};
  header.msg_iov = parts;
  header.msg_iovlen = 2;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  ssize_t got;
  do {
    got = ::recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  if (got < 0) return system_error(errno, "recvmsg() between worker and keeper");
  for (auto* c = CMSG_FIRSTHDR(&header); c; c = CMSG_NXTHDR(&header, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    int fd;
    std::memcpy(&fd, CMSG_DATA(c), sizeof fd);
    message.fd.reset(fd);
  }
  if (got == 0)
    return make_error(ErrorKind::Closed, Origin::Internal, "the other process has gone");
  if (static_cast<std::size_t>(got) < sizeof head)
    return make_error(ErrorKind::Protocol, Origin::Internal, "a packet without head");
  message.text.resize(before + static_cast<std::size_t>(got) - sizeof head);
  return head;
}

}  // namespace

Result<void> send_message(int socket, const KeeperMessage& message) {
  if (message.text.size() > kKeeperMessage)
    return make_error(ErrorKind::TooLarge, Origin::Internal,
                      fmt::format("a message of {} bytes", message.text.size()));
  std::string_view rest = message.text;
  int fd = message.fd.get();
  do {
    const auto part = rest.substr(0, kKeeperPacket);
    rest.remove_prefix(part.size());
    const PacketHead head{static_cast<char>(message.kind), rest.empty() ? '\0' : '\1',
                          message.number};
    if (auto sent = send_packet(socket, head, part, fd); !sent) return sent;
    fd = -1;
  } while (!rest.empty());
  return {};
}

Result<KeeperMessage> receive_message(int socket) {
  KeeperMessage message;
  for (bool first = true;; first = false) {
    const auto head = receive_packet(socket, message);
    if (!head) return head.error();
    if (first) {
      message.kind = static_cast<KeeperMessage::Kind>(head->kind);
      message.number = head->number;
    }
    if (head->number != message.number || message.text.size() > kKeeperMessage)
      return make_error(ErrorKind::Protocol, Origin::Internal, "a packet of another message");
    if (head->more == 0) return message;
  }
}

}  // namespace gatescope::server
