#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "proxy/http/handler.h"
#include "proxy/net/loop.h"
#include "static/file_cache.h"

namespace gatescope::files {

/// Sends parts of a file that is not in memory: pieces read by position, as fast as the client
/// takes them. The Exchange owns it; it ends with the last byte, or by fail() when the file turns
/// out shorter than announced: the client sees a cut, never other bytes.
///
/// Sending -> Waiting (the client is slow; on_writable)
///         -> Yielding (its share of this turn is used up; the next turn)
///         -> Retrying (the lane is full; timer)
///         -> Reading (the disk; the lane)  -> Sending ... -> Done
class FileResponder final : public http::Responder,
                            private net::TimerEvents,
                            private net::TurnHook {
 public:
  /// A piece fits in a core's cache beside the TLS records made of it.
  static constexpr std::size_t kPiece = 64 << 10;
  /// Per turn and connection, so that large downloads do not hold up small answers.
  static constexpr std::size_t kShare = 64 << 10;

  /// By sendfile(2): the kernel passes on references, a quarter of the work.
  static constexpr std::size_t kDirectShare = 8 * kShare;

  /// Sends the parts one behind the other. `lane` may be null; `path` is for the log. `sendfile`:
  /// what is in the page cache goes without being read here, where the writer can do so.
  FileResponder(http::ResponseWriter& writer, std::shared_ptr<const FileVersion> file,
                std::string_view path, std::vector<http::BytePart> parts, net::WorkerLane* lane,
                bool sendfile = false);
  ~FileResponder() override;

  /// After writer.head(). Once.
  void begin();
  bool done() const { return state_ == State::Done; }
  void on_writable() override;

 private:
  enum class State { Sending, Waiting, Yielding, Retrying, Reading, Done };
  struct Job;  // what travels to the lane and back
  void on_timer(net::Timer& timer) override;
  void on_turn_end() override;
  void send();                              // until something stops it
  bool read_and_write(std::size_t& share);  // one piece; true: go on
  bool send_directly(std::size_t& share);   // false: it must be read
  bool in_page_cache(std::uint64_t offset) const;
  bool deliver(const std::shared_ptr<std::byte[]>& buffer, const ReadOutcome& outcome);
  void ask_lane(std::size_t want);
  void on_read();
  bool next_part();
  bool is_last() const { return left_ == 0 && part_ + 1 >= parts_.size(); }
  void yield();
  void retry_later();
  void fail(std::string_view why);
  bool was_rewritten() const;

  // Constant after construction
  http::ResponseWriter& writer_;
  const std::shared_ptr<const FileVersion> file_;
  const std::string path_;
  net::WorkerLane* const lane_;
  const bool sendfile_;

  State state_ = State::Sending;
  const std::vector<http::BytePart> parts_;
  std::size_t part_ = 0;      // the one being sent
  std::uint64_t offset_ = 0;  // of the next byte to read
  std::uint64_t left_ = 0;    // bytes of this part still to be sent
  std::unique_ptr<net::Timer> timer_;
  std::shared_ptr<Job> job_;                         // Reading
  std::unique_ptr<net::WorkerLane::Ticket> ticket_;  // Reading
};

}  // namespace gatescope::files
