#include "proxy/upstream/response_buffer.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace gatescope::upstream {

namespace {
constexpr Duration kPatience{100};  // that the upstream waits for its client, in all
constexpr std::size_t kLeastPiece = 16 * 1024, kLargestPiece = 256 * 1024;  // read back at a time
}  // namespace

ResponseBuffer::ResponseBuffer(http::BodyFiles* files, const ResponseBufferSettings& settings,
                               http::ResponseWriter& writer, Events& events)
    : files_(settings.path ? files : nullptr),
      settings_(settings),
      writer_(writer),
      events_(events),
      patience_(kPatience) {}

std::size_t ResponseBuffer::piece_size() const {
  return static_cast<std::size_t>(std::min<std::uint64_t>(settings_.file_write, settings_.file));
}

ResponseBuffer::~ResponseBuffer() {
  ticket_.reset();
  if (file_) files_->close(std::move(file_));
}

bool ResponseBuffer::empty() const {
  return front_.empty() && tail_.empty() && stored_ == sent_ && !ticket_;
}

/// The file takes what waits behind it.
bool ResponseBuffer::spools() const {
  return files_ && settings_.file > 0 && !patient_ && !refused_ &&
         stored_ + tail_.size() <= settings_.file;
}

bool ResponseBuffer::full() const {
  if (!held_ && stored_ == sent_ && !ticket_) return false;  // it goes straight to the client
  if (spools()) return tail_.size() >= piece_size();
  return front_.size() + tail_.size() >= settings_.memory;
}

Flow ResponseBuffer::append(std::span<const std::byte> data) {
  if (over_) return Flow::GoOn;
  if (!held_ && empty()) {
    held_ = writer_.write(SharedBytes::copy_of(as_text(data))) == Flow::Wait;
  } else if (tail_.empty() && stored_ == sent_ && !ticket_ &&
             (!spools() || front_.size() + data.size() <= settings_.memory)) {
    front_.append_copy(as_text(data));
  } else {
    tail_ += as_text(data);
    spool();
  }
  if (!full()) return Flow::GoOn;
  room_owed_ = true;
  begin_wait();
  return Flow::Wait;
}

void ResponseBuffer::begin_wait() {
  if (!patient_ || waits_since_ != MonoTime{} || !files_ || settings_.file == 0) return;
  waits_since_ = writer_.loop().clock().now();
  if (!timer_) timer_ = writer_.loop().make_timer(*this);
  timer_->start(patience_);
}

void ResponseBuffer::end_wait() {
  if (waits_since_ == MonoTime{}) return;
  patience_ -= std::chrono::floor<Duration>(writer_.loop().clock().now() - waits_since_);
  waits_since_ = {};
  timer_->stop();
  patient_ = patience_ > Duration::zero();
}

/// The client is slow: what waits in front goes to the file as well, which is empty so far.
void ResponseBuffer::on_timer(net::Timer&) {
  patient_ = false;
  tail_ = front_.to_string();
  front_.clear();
  front_.shrink();
  spool();
  push();
}

void ResponseBuffer::finish() {
  finished_ = true;
  spool();
  push();
}

void ResponseBuffer::on_writable() {
  held_ = false;
  push();
}

/// Hands the client what it takes, and says what has become possible.
void ResponseBuffer::push() {
  if (over_) return;
  while (!held_ && (!front_.empty() || refill()))
    held_ = writer_.write(front_.pop_front()) == Flow::Wait;
  if (finished_ && empty()) {
    over_ = true;
    return events_.on_buffer_sent();
  }
  if (room_owed_ && !full()) {
    room_owed_ = false;
    end_wait();
    events_.on_buffer_room();
  }
}

/// True: there is something in front again.
bool ResponseBuffer::refill() {
  if (ticket_) return false;
  if (stored_ > sent_) {
    read_file();
    return false;
  }
  if (file_ && stored_ > 0) file_->rewind();
  stored_ = sent_ = 0;
  if (tail_.empty()) return false;
  front_.append(SharedBytes(std::exchange(tail_, {})));
  return true;
}

// ---- The file

void ResponseBuffer::spool() {
  // With the end of the answer nothing is left to wait for: the rest goes to where the others are.
  const auto least = finished_ && stored_ > sent_ ? 1 : piece_size();
  if (ticket_ || !spools() || tail_.size() < least) return;
  if (!file_) file_ = files_->make({0, settings_.path->folder, settings_.path->levels});
  piece_ = std::make_shared<std::string>(std::exchange(tail_, {}));
  const auto write = [file = file_, piece = piece_]() -> Result<std::string> {
    if (auto done = file->append(*piece); !done) return done.error();
    return std::string();
  };
  if (!submit(write, &ResponseBuffer::on_stored)) tail_ = std::move(*piece_);
}

void ResponseBuffer::on_stored() {
  if (*outcome_) {
    stored_ += piece_->size();
    if (!std::exchange(told_, true))
      writer_.log(LogLevel::Warn, fmt::format("an upstream response is buffered to a temporary "
                                              "file {} while reading upstream",
                                              file_->path()));
  } else {
    // What came must not be lost with the disk: the upstream waits from now on.
    refused_ = true;
    tail_.insert(0, *piece_);
    writer_.log(LogLevel::Crit, fmt::format("{} while buffering a response; the upstream waits for "
                                            "the client instead",
                                            outcome_->error().detail));
  }
  piece_.reset();
  outcome_.reset();
  spool();
  push();
}

void ResponseBuffer::read_file() {
  const auto size = std::min<std::uint64_t>(
      stored_ - sent_, std::clamp(settings_.memory, kLeastPiece, kLargestPiece));
  const auto read = [file = file_, at = sent_, size] {
    return file->read(at, static_cast<std::size_t>(size));
  };
  if (submit(read, &ResponseBuffer::on_read)) return;
  over_ = true;
  events_.on_buffer_lost(make_error(ErrorKind::Busy, Origin::Internal,
                                    "too many temporary files are read at the same time"));
}

void ResponseBuffer::on_read() {
  if (!*outcome_) {
    over_ = true;
    return events_.on_buffer_lost(outcome_->error());
  }
  sent_ += (*outcome_)->size();
  front_.append(SharedBytes(std::move(**outcome_)));
  outcome_.reset();
  spool();
  push();
}

bool ResponseBuffer::submit(std::function<Result<std::string>()> work,
                            void (ResponseBuffer::*then)()) {
  outcome_ = std::make_shared<Result<std::string>>(std::string());
  auto ticket = files_->lane().submit(
      [outcome = outcome_, work = std::move(work)](unsigned) { *outcome = work(); },
      [this, then] {
        ticket_.reset();
        (this->*then)();
      });
  if (!ticket) return false;
  ticket_ = std::move(*ticket);
  return true;
}

}  // namespace gatescope::upstream
