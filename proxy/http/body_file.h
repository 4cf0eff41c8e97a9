#pragma once

// The temporary file of a request body, and the thread that writes and reads it.

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/result.h"
#include "proxy/base/unique_fd.h"
#include "proxy/net/loop.h"

namespace gatescope::http {

/// Where bodies go that do not fit into memory, and what becomes of the file.
struct BodyStorage {
  std::size_t memory = 16384;    // client_body_buffer_size
  std::string folder;            // client_body_temp_path, absolute; made when it is first needed
  std::vector<unsigned> levels;  // its levels: digits of each folder's name
  /// client_body_in_file_only. Off: the file has no name any more as soon as it is open, so that
  /// nothing stays behind however the process ends.
  enum class FileOnly { Off, On, Clean } file_only = FileOnly::Off;
};

/// One file. Made on the loop's thread, used by one job of the lane at a time; jobs may be dropped,
/// and the last owner closes. Errors are in nginx's words: `pwrite() "/x" failed (28: ...)`.
class BodyFile {
 public:
  BodyFile(const BodyStorage& storage, std::uint64_t number);
  ~BodyFile();
  /// Appends; opens first when it is not open.
  Result<void> append(std::string_view bytes);
  Result<std::string> read(std::uint64_t offset, std::size_t size);
  /// What is in it is not needed any more: the next append() begins anew.
  void rewind();
  /// Removes a file that is not to be kept, and closes.
  void close();
  /// Its name, also when it is unlinked; settled by the first append().
  const std::string& path() const { return path_; }

 private:
  Result<void> open();

  const BodyStorage storage_;
  std::mutex mutex_;  // a job that is running when the exchange ends, against close()
  std::uint64_t number_;
  std::string path_;
  UniqueFd fd_;
  std::uint64_t size_ = 0;
  bool closed_ = false;
};

/// What the bodies of one loop share: a lane of their own, made with the first file, since a disk
/// may stand still for seconds. Shared by the generations of that loop (ExchangeContext) and
/// outlives their exchanges, so that a body can always hand its file back.
class BodyFiles {
 public:
  explicit BodyFiles(net::Loop& loop);
  net::WorkerLane& lane();
  std::shared_ptr<BodyFile> make(const BodyStorage& storage);
  /// Closes on the lane: the last close of a large file takes its time.
  void close(std::shared_ptr<BodyFile> file);

 private:
  struct Closing {
    std::uint64_t key;
    std::unique_ptr<net::WorkerLane::Ticket> ticket;
  };
  net::Loop& loop_;
  std::shared_ptr<net::WorkerLane> lane_;  // null: no body needed it yet
  std::uint64_t next_number_;
  std::uint64_t next_key_ = 0;
  std::vector<Closing> closing_;
};

}  // namespace gatescope::http
