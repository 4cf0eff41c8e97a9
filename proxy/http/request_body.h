#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "proxy/base/bytes.h"
#include "proxy/http/body_file.h"

namespace gatescope::http {

/// The body of one request, kept: in memory as long as it fits into client_body_buffer_size, else
/// all of it in a temporary file, written on a worker lane. Holds at most that size and one read
/// more in memory, twice while it is written; append() says Wait while the disk is slower than the
/// client. Owned by the Exchange, from the first byte to its end; destroying it drops what is still
/// to be written.
///   Memory -> File (too large, or client_body_in_file_only);  either -> Whole;  File -> Failed
class RequestBody {
 public:
  /// on_body_whole() may come from inside finish(), on_body_not_kept() from append() too (the lane
  /// takes no more).
  class Events {
   public:
    virtual ~Events() = default;
    virtual void on_body_room() = 0;                        // after Flow::Wait
    virtual void on_body_whole() = 0;                       // after finish(), all is stored
    virtual void on_body_not_kept(const Error& error) = 0;  // the disk is full, or the lane
  };
  /// `files` null: nothing can be stored but in memory.
  RequestBody(BodyFiles* files, BodyStorage storage, Events& events);
  ~RequestBody();

  Flow append(std::span<const std::byte> data);
  /// Like append(), for a body that is passed on at the same time: kept while it fits into memory,
  /// forgotten when it does not.
  void remember(std::span<const std::byte> data);
  void finish();

  /// All of it is here and can be read, any number of times.
  bool whole() const { return state_ == State::Whole; }
  /// A part of it was passed on and forgotten.
  bool forgotten() const { return state_ == State::Forgotten; }
  std::uint64_t size() const { return size_; }
  bool in_file() const { return file_ != nullptr; }
  /// When whole and not in a file: the body.
  std::string_view memory() const { return memory_; }
  /// Name of the file, which may have none on the disk any more; empty: there is none.
  const std::string& file_name() const { return file_name_; }

 private:
  friend class BodyReader;
  enum class State { Memory, File, Whole, Forgotten, Failed };
  void spool();
  void on_stored();
  void settle();

  // Constant after construction
  BodyFiles* const files_;
  const BodyStorage storage_;
  Events& events_;

  State state_ = State::Memory;
  std::uint64_t size_ = 0;
  std::string memory_;  // the body; with a file: what is to be written next
  bool finished_ = false, room_owed_ = false;
  std::shared_ptr<BodyFile> file_;  // null: in memory. Shared with the lane's thread
  std::string file_name_;
  std::shared_ptr<Result<void>> outcome_;            // of the job; shared with the lane's thread
  std::unique_ptr<net::WorkerLane::Ticket> ticket_;  // null: nothing is being written
};

/// Reads a whole body back from its file, piece by piece, on the lane. Owned by who sends it; must
/// not outlive the body. One event for each next(), never from inside it.
class BodyReader {
 public:
  class Events {
   public:
    virtual ~Events() = default;
    virtual void on_body_piece(std::span<const std::byte> piece) = 0;
    virtual void on_body_unreadable(const Error& error) = 0;
  };
  BodyReader(const RequestBody& body, Events& events) : body_(body), events_(events) {}
  void next();
  /// A next() has not been answered yet.
  bool reading() const { return ticket_ != nullptr; }
  bool done() const { return offset_ == body_.size(); }

 private:
  const RequestBody& body_;
  Events& events_;
  std::uint64_t offset_ = 0;
  std::shared_ptr<Result<std::string>> outcome_;  // of the job; shared with the lane's thread
  std::unique_ptr<net::WorkerLane::Ticket> ticket_;
};

}  // namespace gatescope::http
