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
    Task = 'U',        // after SIGUSR2: what is to be done now -> Ok with a text of WorkerTask
    HandOver = 'H',    // text: what the next program's worker is to know -> Ok
    Inherit = 'I',  // -> Ok with the file of what the older program's worker handed over, or none
    Ok = '+',
    Failed = '-',  // text: why
    Busy = '~',    // text: why; the same question may be answered in a moment
  };
  Kind kind = Kind::Failed;
  std::uint32_t number = 0;  // of the question; its answer has the same
  std::string text;
  UniqueFd fd;
};

/// What the keeper wants of a worker that it sent SIGUSR2, as text.
struct WorkerTask {
  static constexpr const char* kHandOver = "hand over";  // a new program is to be started
  static constexpr const char* kStandBy = "stand by";    // ... serves, beside this worker
  static constexpr const char* kWindDown = "wind down";  // ... gets all new clients: this one ends
  static constexpr const char* kAlone = "alone";         // there is no other program (any more)
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
