#include "static/file_responder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include "static/file_read.h"

namespace gatescope::files {
namespace {

/// When the lane's queue is full: soon enough not to be noticed, seldom enough not to burn the
/// loop.
constexpr Duration kRetryAfter{10};

}  // namespace

/// Owned by the responder and by the running work, whichever ends last: hence shared. Nothing in it
/// belongs to the loop.
struct FileResponder::Job {
  std::shared_ptr<const FileVersion> file;
  std::shared_ptr<std::byte[]> buffer;
  std::size_t size = 0;
  std::uint64_t offset = 0;
  ReadOutcome outcome;
};

FileResponder::FileResponder(http::ResponseWriter& writer, std::shared_ptr<const FileVersion> file,
                             std::string_view path, std::vector<http::BytePart> parts,
                             net::WorkerLane* lane, bool sendfile)
    : writer_(writer),
      file_(std::move(file)),
      path_(path),
      lane_(lane),
      sendfile_(sendfile),
      parts_(std::move(parts)) {
  if (parts_.empty()) return;
  offset_ = parts_.front().first;
  left_ = parts_.front().length;
}

FileResponder::~FileResponder() = default;

void FileResponder::begin() {
  send();
}

void FileResponder::on_writable() {
  if (state_ == State::Waiting) send();
}

void FileResponder::on_timer(net::Timer&) {
  if (state_ == State::Retrying) send();
}

void FileResponder::on_turn_end() {
  if (state_ == State::Yielding) send();
}

void FileResponder::send() {
  state_ = State::Sending;
  std::size_t share = kShare;
  while (state_ == State::Sending && (left_ > 0 || next_part())) {
    if (share == 0) return yield();
    if (!send_directly(share) && !read_and_write(share)) return;
  }
  if (state_ != State::Sending) return;
  state_ = State::Done;
  writer_.end();
}

bool FileResponder::next_part() {
  if (part_ + 1 >= parts_.size()) return false;
  ++part_;
  offset_ = parts_[part_].first;
  left_ = parts_[part_].length;
  return true;
}

bool FileResponder::send_directly(std::size_t& share) {
  if (!sendfile_) return false;
  const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(kDirectShare, left_));
  // The loop must not wait for the disk. Pages are read in order: the last one tells of those
  // before.
  if (lane_ && !in_page_cache(offset_ + want - 1)) return false;
  if (want == left_ && part_ + 1 >= parts_.size() && was_rewritten()) {
    fail("the file was written anew");
    return true;
  }
  const auto sent = writer_.write_file(file_->fd.get(), offset_, want);
  if (!sent) return false;
  offset_ += *sent;
  left_ -= *sent;
  share -= std::min(share, *sent / (kDirectShare / kShare));
  return true;
}

bool FileResponder::in_page_cache(std::uint64_t offset) const {
  std::byte one;
  return read_at(file_->fd.get(), {&one, 1}, offset, Patience::None).bytes == 1;
}

bool FileResponder::read_and_write(std::size_t& share) {
  const auto want = static_cast<std::size_t>(std::min<std::uint64_t>({kPiece, left_, share}));
  const auto buffer = make_buffer(want);
  const std::span<std::byte> into(buffer.get(), want);
  auto outcome = read_at(file_->fd.get(), into, offset_, lane_ ? Patience::None : Patience::Wait);
  if (lane_ && (outcome.would_block || outcome.error == EOPNOTSUPP)) {
    ask_lane(want);
    return false;
  }
  share -= std::min(share, outcome.bytes);
  return deliver(buffer, outcome);
}

/// Passes on what was read; false: something else must happen first.
bool FileResponder::deliver(const std::shared_ptr<std::byte[]>& buffer,
                            const ReadOutcome& outcome) {
  if (outcome.error != 0) {
    fail(system_error(outcome.error, "pread()").detail);
    return false;
  }
  if (outcome.bytes == 0) {
    fail("the file became shorter");
    return false;
  }
  offset_ += outcome.bytes;
  left_ -= outcome.bytes;
  if (is_last() && was_rewritten()) {
    fail("the file was written anew");
    return false;
  }
  const Flow flow = writer_.write(SharedBytes::of_owner(buffer, {buffer.get(), outcome.bytes}));
  if (!is_last() && flow == Flow::Wait) {
    state_ = State::Waiting;
    return false;
  }
  return true;
}

/// Asked before the last piece leaves, while the answer can still be cut. A file that only grew (a
/// log) is whole as far as it was announced; one that shrank, or has the same size and another
/// time, may have given us bytes of two versions.
bool FileResponder::was_rewritten() const {
  FileFacts now;
  if (!read_facts(file_->fd.get(), now)) return true;
  const FileFacts& then = file_->facts;
  if (now.size != then.size) return now.size < then.size;
  return now.mtime != then.mtime || now.mtime_ns != then.mtime_ns;
}

void FileResponder::ask_lane(std::size_t want) {
  job_ = std::make_shared<Job>();
  job_->file = file_;
  job_->buffer = make_buffer(want);
  job_->size = want;
  job_->offset = offset_;
  auto ticket = lane_->submit(
      [job = job_](unsigned) {
        job->outcome = read_at(job->file->fd.get(), {job->buffer.get(), job->size}, job->offset,
                               Patience::Wait);
      },
      [this] { on_read(); });  // dropped with the ticket
  if (!ticket) return retry_later();
  state_ = State::Reading;
  ticket_ = std::move(*ticket);
}

void FileResponder::on_read() {
  if (state_ != State::Reading) return;
  const auto job = std::move(job_);
  ticket_.reset();
  state_ = State::Sending;
  if (deliver(job->buffer, job->outcome)) send();
}

void FileResponder::yield() {
  state_ = State::Yielding;
  writer_.loop().at_next_turn_end(*this);
}

void FileResponder::retry_later() {
  state_ = State::Retrying;
  if (!timer_) timer_ = writer_.loop().make_timer(*this);
  timer_->start(kRetryAfter);
}

void FileResponder::fail(std::string_view why) {
  state_ = State::Done;
  writer_.fail(
      make_error(ErrorKind::System, Origin::Internal,
                 fmt::format("sending \"{}\" failed with {} bytes to go: {}", path_, left_, why)));
}

}  // namespace gatescope::files
