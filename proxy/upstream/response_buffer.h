#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "proxy/base/bytes.h"
#include "proxy/http/body_file.h"
#include "proxy/http/core_settings.h"
#include "proxy/http/handler.h"

namespace gatescope::upstream {

/// How much of an answer may wait for its client. Both zero (proxy_buffering off): the upstream
/// waits as soon as the client does.
struct ResponseBufferSettings {
  std::size_t memory = 8 * 4096;         // bytes; proxy_buffers: number times size
  std::uint64_t file = 1024ull << 20;    // bytes; proxy_max_temp_file_size. 0: never on disk
  std::size_t file_write = 64 * 1024;    // bytes; proxy_temp_file_write_size
  const http::TempPath* path = nullptr;  // proxy_temp_path; outlives the buffer
};

/// The body of one answer between an upstream that is fast and a client that is slow, so that the
/// upstream is free for others soon (nginx's proxy_buffering). Nothing is kept as long as the
/// client takes what comes. What it does not take stays in memory, as far as that goes. Then the
/// upstream waits, for a tenth of a second in all: a client that is nearly as fast shall not cost
/// the work of a disk. After that the rest goes to a temporary file that is written and read on a
/// lane; when the file is full the upstream waits until it has been sent and begins anew. A disk
/// that refuses (full, no such folder) is logged once and loses nothing: then the upstream waits
/// instead.
///   Patient -> Spooling -> Refused;  any -> over
/// Holds `memory` before the file is used; then one piece of it, or two times `file_write` while it
/// is written; and the last read of the upstream's stream (64 KB) beyond that. Owned by a
/// ProxyResponder; destroying it drops what waits.
class ResponseBuffer final : private net::TimerEvents {
 public:
  /// Come from inside append(), finish() and on_writable() too; afterwards no member is touched.
  class Events {
   public:
    virtual ~Events() = default;
    virtual void on_buffer_room() = 0;                    // after Flow::Wait
    virtual void on_buffer_sent() = 0;                    // once, after finish()
    virtual void on_buffer_lost(const Error& error) = 0;  // the file cannot be read
  };
  /// `files` null: memory only. Both outlive the buffer.
  ResponseBuffer(http::BodyFiles* files, const ResponseBufferSettings& settings,
                 http::ResponseWriter& writer, Events& events);
  ~ResponseBuffer();

  /// Wait: the upstream is to be read no further for now. More is taken all the same.
  Flow append(std::span<const std::byte> data);
  /// Nothing more comes.
  void finish();
  /// The writer takes more.
  void on_writable();

 private:
  void on_timer(net::Timer& timer) override;
  void begin_wait();
  void end_wait();
  bool empty() const;
  std::size_t piece_size() const;
  bool spools() const;
  bool full() const;
  void push();
  bool refill();
  void spool();
  void read_file();
  bool submit(std::function<Result<std::string>()> work, void (ResponseBuffer::*then)());
  void on_stored();
  void on_read();

  // Constant after construction
  http::BodyFiles* const files_;
  const ResponseBufferSettings settings_;
  http::ResponseWriter& writer_;
  Events& events_;

  bool held_ = false;                     // the writer said Wait
  bool finished_ = false;                 // nothing more comes
  bool over_ = false;                     // on_buffer_sent or _lost was called
  bool room_owed_ = false;                // append() said Wait
  bool patient_ = true;                   // the upstream waits rather than the disk is used
  Duration patience_;                     // for so long yet
  MonoTime waits_since_{};                // zero: the upstream does not wait
  std::unique_ptr<net::Timer> timer_;     // null: the upstream never had to wait
  bool refused_ = false;                  // by the disk
  bool told_ = false;                     // the log has the line about the file
  ByteQueue front_;                       // goes to the client next
  std::uint64_t stored_ = 0, sent_ = 0;   // bytes in the file, and of them taken out again
  std::string tail_;                      // behind the file
  std::shared_ptr<http::BodyFile> file_;  // null: not needed so far. Shared with the lane's thread
  std::shared_ptr<std::string> piece_;    // of the job: what is written. Shared with it
  std::shared_ptr<Result<std::string>> outcome_;     // of the job. Shared with it
  std::unique_ptr<net::WorkerLane::Ticket> ticket_;  // null: the file is left alone
};

}  // namespace gatescope::upstream
