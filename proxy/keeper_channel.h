#pragma once

#include <cstdint>
#include <string>

#include "proxy/base/result.h"
#include "proxy/base/unique_fd.h"

namespace gatescope::server {

/// One message between worker and keeper: a kind, a text, maybe a descriptor. Travels over a
/// SOCK_SEQPACKET socketpair, a long one in several packets (the kernel takes a packet in one
/// piece, out of a bounded buffer).
struct KeeperMessage {
  enum class Kind : char {
    Listen = 'L',      // text: ListenRequest -> Ok with the socket
    OpenLog = 'O',     // text: path -> Ok with the descriptor
    RotateLog = 'N',   // text: path -> Ok with the descriptor of the new file
    ReadSecret = 'S',  // text: path -> Ok with the contents
    ReadSource = 'C',  // text: path -> Ok with the contents (a configuration file)
    Retain = 'T',      // text: names of sockets, one a line: the others may be closed -> Ok
    Ready = 'R',       // every socket listens; text: empty: what the configuration says now serves,
                       // else what it said before -> Ok
    Ok = '+',
    Failed = '-',  // text: why
  };
  Kind kind = Kind::Failed;
  std::uint32_t number = 0;  // of the question; its answer has the same
  std::string text;
  UniqueFd fd;
};

/// Bytes of text in a packet, and in a message: bundles of certificates and configuration files.
inline constexpr std::size_t kKeeperPacket = 64 * 1024;
inline constexpr std::size_t kKeeperMessage = 16 * 1024 * 1024;

/// Blocks until all of it has left, at most as long as the socket's SO_SNDTIMEO says.
Result<void> send_message(int socket, const KeeperMessage& message);
/// Blocks until all of it has come, each packet at most SO_RCVTIMEO. Error Closed when the other
/// side has gone.
Result<KeeperMessage> receive_message(int socket);

}  // namespace gatescope::server
