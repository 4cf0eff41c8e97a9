// The request's body on its way through the Exchange: passed on, or kept until it is whole.

#include <fmt/format.h>

#include "proxy/http/exchange.h"

namespace gatescope::http {

bool Exchange::body_too_large(std::uint64_t length) {
  const auto limit = location_->core->client_max_body_size.get();
  if (limit == 0 || length <= limit) return false;
  log(LogLevel::Error,
      request_.head.content_length
          ? fmt::format("client intended to send too large body: {} bytes", length)
          : fmt::format("client intended to send too large chunked body: {} bytes", length));
  return true;
}

RequestBody& Exchange::make_body() {
  if (!body_) {
    const auto& core = *location_->core;
    BodyStorage storage;
    storage.memory = core.client_body_buffer_size.get();
    storage.folder = core.client_body_temp_path->folder;
    storage.levels = core.client_body_temp_path->levels;
    if (keep_body_ && request_.head.has_body)
      storage.file_only = core.client_body_in_file_only.get();
    body_ = std::make_unique<RequestBody>(context_.bodies.get(), std::move(storage),
                                          static_cast<RequestBody::Events&>(*this));
  }
  return *body_;
}

void Exchange::on_body(std::span<const std::byte> data) {
  body_received_ += data.size();
  if (context_.stats) {
    counted_received_ += data.size();
    context_.stats->count_received(data.size());
  }
  if (body_finished_) return;  // it was too large: what comes with the same bytes
  if (!request_.head.content_length && body_too_large(body_received_)) {
    forget_body();
    status(413, {});
    return update_body_wish();
  }
  if (keep_body_) {
    if (make_body().append(data) == Flow::Wait) pause_body(Pause::WaitingForWorker);
    return;
  }
  make_body().remember(data);  // $request_body, and whoever an error page asks next
  if (responder_) responder_->on_body(data);
}

void Exchange::on_body_end(const HeaderList& trailers) {
  body_finished_ = true;
  request_trailers_ = trailers;  // their text is in the arena
  make_body().finish();          // on_body_whole() follows, now or when the disk has it
  if (body_->forgotten()) on_body_whole();
}

void Exchange::on_body_failed(int code, const Error& error) {
  log(LogLevel::Info, error.detail);
  const bool reset = code == 408 && location_->core->reset_timedout_connection.get();
  if (head_sent_ || reset) {
    if (!head_sent_) unsent_status_ = code;
    drop_responder();
    state_ = State::Ended;
    return link_.cut(reset);
  }
  forget_body();
  status(code, {});
}

/// Nothing of it that an error page's handler could wait for, or pass on.
void Exchange::forget_body() {
  drop_responder();
  loop().discard(std::move(body_));
  keep_body_ = false;
  request_.head.has_body = false;
  request_.head.content_length.reset();
  body_finished_ = true;
  make_body().finish();
}

void Exchange::on_body_room() {
  resume_body(Pause::WaitingForWorker);
}

void Exchange::on_body_whole() {
  if (responder_) responder_->on_body_end();
}

void Exchange::on_body_not_kept(const Error& error) {
  fail(error);
}

void Exchange::keep_body() {
  keep_body_ = true;
  resume_body(Pause::NotStarted);
}

void Exchange::pause_body(Pause reason) {
  pauses_ |= static_cast<unsigned>(reason);
  update_body_wish();
}

void Exchange::resume_body(Pause reason) {
  pauses_ &= ~static_cast<unsigned>(reason);
  update_body_wish();
}

void Exchange::update_body_wish() {
  // While a handler's start() is on the stack its Responder is not ours yet; run_phases() asks
  // again.
  if (on_stack_) return;
  link_.want_body(state_ == State::Responding && pauses_ == 0 && !body_finished_ &&
                  responder_ != nullptr);
}

}  // namespace gatescope::http
