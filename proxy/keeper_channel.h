#pragma once

#include <string>

#include "proxy/base/result.h"
#include "proxy/base/unique_fd.h"

namespace gatescope::server {

/// One message between worker and keeper: a kind, a text, maybe a descriptor. One packet of a
/// SOCK_SEQPACKET socketpair.
struct KeeperMessage {
  enum class Kind : char {
    Listen = 'L',      // text: endpoint and options -> Ok with the socket
    OpenLog = 'O',     // text: path -> Ok with the descriptor
    RotateLog = 'N',   // text: path -> Ok with the descriptor of the new file
    ReadSecret = 'S',  // text: path -> Ok with the contents
    ReadSource = 'C',  // text: path -> Ok with the contents (a configuration file)
    Retain = 'T',      // text: endpoints, one a line: the others may be closed -> Ok
    Ready = 'R',       // every socket listens -> Ok
    Ok = '+',
    Failed = '-',  // text: why
  };
  Kind kind = Kind::Failed;
  std::string text;
  UniqueFd fd;
};

/// The largest packet: certificates and configuration files. The kernel takes a packet in one
/// piece, so not much more is possible.
inline constexpr std::size_t kKeeperPacket = 128 * 1024;

Result<void> send_message(int socket, const KeeperMessage& message);
/// Error Closed when the other side has gone.
Result<KeeperMessage> receive_message(int socket);

}  // namespace gatescope::server
