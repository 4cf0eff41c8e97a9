#include "proxy/http/request_body.h"

#include <algorithm>
#include <utility>

namespace gatescope::http {
namespace {
constexpr std::size_t kPiece = 64 * 1024;  // read back at a time
}

RequestBody::RequestBody(BodyFiles* files, BodyStorage storage, Events& events)
    : files_(files), storage_(std::move(storage)), events_(events) {}

RequestBody::~RequestBody() {
  ticket_.reset();
  if (file_) files_->close(std::move(file_));
}

Flow RequestBody::append(std::span<const std::byte> data) {
  size_ += data.size();
  if (state_ == State::Failed || state_ == State::Forgotten) return Flow::GoOn;
  memory_ += as_text(data);
  if (memory_.size() <= storage_.memory) return Flow::GoOn;
  state_ = State::File;
  if (!ticket_) {
    spool();
    return Flow::GoOn;
  }
  room_owed_ = true;
  return Flow::Wait;
}

void RequestBody::remember(std::span<const std::byte> data) {
  size_ += data.size();
  if (state_ != State::Memory) return;
  if (size_ > storage_.memory) {
    state_ = State::Forgotten;
    free_storage(memory_);
    return;
  }
  memory_ += as_text(data);
}

void RequestBody::finish() {
  finished_ = true;
  if (state_ == State::Memory && storage_.file_only != BodyStorage::FileOnly::Off)
    state_ = State::File;
  settle();
}

/// Goes on with what can be done now: write more, say that there is room, say that it is whole.
void RequestBody::settle() {
  if (ticket_) return;
  const bool unwritten = finished_ ? !memory_.empty() || !file_ : memory_.size() > storage_.memory;
  if (state_ == State::File && unwritten) return spool();
  if (!finished_ || (state_ != State::Memory && state_ != State::File)) return;
  state_ = State::Whole;
  events_.on_body_whole();
}

void RequestBody::spool() {
  if (!files_) {
    outcome_ = std::make_shared<Result<void>>(
        make_error(ErrorKind::Internal, Origin::Internal, "no place to keep request bodies in"));
    return on_stored();
  }
  if (!file_) file_ = files_->make(storage_);
  outcome_ = std::make_shared<Result<void>>();
  auto bytes = std::make_shared<std::string>(std::exchange(memory_, {}));
  auto ticket = files_->lane().submit(
      [file = file_, bytes, outcome = outcome_](unsigned) { *outcome = file->append(*bytes); },
      [this] { on_stored(); });
  if (ticket) {
    ticket_ = std::move(*ticket);
  } else {
    *outcome_ = ticket.error();
    on_stored();
  }
}

void RequestBody::on_stored() {
  ticket_.reset();
  if (!*outcome_) {
    state_ = State::Failed;
    free_storage(memory_);
    const Error error = outcome_->error();
    return events_.on_body_not_kept(error);
  }
  file_name_ = file_->path();
  const bool room = std::exchange(room_owed_, false);
  settle();
  if (room && state_ == State::File) events_.on_body_room();
}

void BodyReader::next() {
  const auto size =
      static_cast<std::size_t>(std::min<std::uint64_t>(kPiece, body_.size() - offset_));
  outcome_ = std::make_shared<Result<std::string>>(std::string());
  auto ticket =
      body_.files_->lane().submit([file = body_.file_, at = offset_, size, outcome = outcome_](
                                      unsigned) { *outcome = file->read(at, size); },
                                  [this] {
                                    ticket_.reset();
                                    const auto outcome = std::move(outcome_);
                                    if (!*outcome)
                                      return events_.on_body_unreadable(outcome->error());
                                    offset_ += (*outcome)->size();
                                    events_.on_body_piece(as_bytes(**outcome));
                                  });
  if (!ticket) return events_.on_body_unreadable(ticket.error());
  ticket_ = std::move(*ticket);
}

}  // namespace gatescope::http
