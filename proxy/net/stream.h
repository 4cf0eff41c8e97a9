#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "proxy/base/bytes.h"
#include "proxy/base/result.h"
#include "proxy/net/endpoint.h"

namespace gatescope::net {

/// What a Stream tells its user. After calling any of these the stream touches no member of its
/// own, so the user may hand the stream to the Loop's bin (Loop::discard) inside; it must not
/// delete it there. Until the bin is emptied more may be told: who leaves says set_events(nullptr)
/// first.
class StreamEvents {
 public:
  virtual ~StreamEvents() = default;
  /// Bytes came. They belong to the stream and are valid during the call only.
  virtual void on_data(std::span<const std::byte> data) = 0;
  /// The peer will send no more (FIN; close_notify with TLS). Writing may go on.
  virtual void on_end() = 0;
  /// Flow::Wait was answered earlier, and now little enough is unsent that more may be written; or
  /// notify_sent() was asked, and nothing is unsent any more.
  virtual void on_drained() = 0;
  /// The stream is dead (reset, timeout of the system, TLS failure). Nothing more is called.
  virtual void on_failed(const Error& error) = 0;
};

/// A two-way flow of bytes: a TCP or unix socket, TLS over one, or memory in the tests. Not reading
/// is back-pressure. Owned by its user; destroying it closes at once, what is unsent is lost.
class Stream {
 public:
  /// write() answers Wait when more than this many bytes are unsent; on_drained comes when fewer
  /// than half are.
  static constexpr std::size_t kHighWater = 64 * 1024;

  virtual ~Stream() = default;
  /// Must be set before reading starts; the user may change (a tunnel takes over). Null: what comes
  /// is dropped.
  virtual void set_events(StreamEvents* events) = 0;
  virtual void start_reading() = 0;
  virtual void stop_reading() = 0;
  /// Takes everything out of `bytes` and sends what the socket takes now, in one system call (TLS:
  /// encrypts into one buffer first); keeps the rest. Never calls back from inside: a failure is
  /// told at the end of the next turn, so that an answer sent before the peer left is still read.
  /// Then Wait is answered and the bytes are dropped.
  virtual Flow write(ByteQueue& bytes) = 0;
  /// Sends what the socket takes now of `size` bytes of an open file, without their passing through
  /// the program (sendfile(2)). nullopt: not this way; write() is told why, and knows when there is
  /// room again. For TLS always, and while something is unsent. Never calls back; what is not in
  /// memory is waited for.
  virtual std::optional<std::size_t> send_file(int file, std::uint64_t offset, std::size_t size) {
    (void)file, (void)offset, (void)size;
    return std::nullopt;
  }
  /// Bytes accepted by write() that the socket has not taken.
  virtual std::size_t unsent() const = 0;
  /// Asks once for on_drained when nothing is unsent any more. Only while something is.
  virtual void notify_sent() = 0;
  /// FIN after what is unsent (TLS: close_notify, then FIN). Reading may go on.
  virtual void shut_down() = 0;
  /// The destructor will reset the connection (RST) instead of closing it in order: a visible cut.
  virtual void reset_on_close() = 0;
  virtual const Endpoint& peer() const = 0;
  virtual const Endpoint& local() const = 0;
};

}  // namespace gatescope::net
