#include "proxy/http/http1_tunnel.h"

#include <utility>

#include "proxy/http/http1_session.h"

namespace gatescope::http {

Http1Tunnel::Http1Tunnel(net::Stream& stream, net::Loop& loop, Http1Session& session)
    : stream_(stream), loop_(loop), session_(&session) {
  stream_.stop_reading();
  session.reading_ = false;
  stream_.set_events(this);
}

Http1Tunnel::~Http1Tunnel() {
  if (session_ == nullptr) return;
  if (!failed_) {
    if (!out_.empty()) {
      session_->written_ += out_.size();
      stream_.write(out_);
    }
    stream_.stop_reading();
  }
  session_->on_tunnel_closed(failed_);
}

void Http1Tunnel::set_events(Events* events) {
  events_ = events;
}

void Http1Tunnel::start_reading() {
  reading_ = true;
  loop_.at_turn_end(*this);
}

void Http1Tunnel::stop_reading() {
  reading_ = false;
  if (session_ != nullptr && !failed_) stream_.stop_reading();
}

Flow Http1Tunnel::write(SharedBytes bytes) {
  if (session_ == nullptr || failed_ || shut_down_) return Flow::GoOn;
  session_->sent_ += bytes.size();
  out_.append(std::move(bytes));
  loop_.at_turn_end(*this);
  if (out_.size() + stream_.unsent() < net::Stream::kHighWater) return Flow::GoOn;
  waits_ = true;
  return Flow::Wait;
}

void Http1Tunnel::shut_down() {
  shut_down_ = true;
  loop_.at_turn_end(*this);
}

void Http1Tunnel::preload(std::string_view bytes) {
  if (bytes.empty()) return;
  early_.append(bytes);
  loop_.at_turn_end(*this);
}

void Http1Tunnel::on_data(std::span<const std::byte> data) {
  if (session_ != nullptr) session_->received_ += data.size();
  if (events_ != nullptr) events_->on_tunnel_data(data);
}

void Http1Tunnel::on_end() {
  if (events_ != nullptr) events_->on_tunnel_end();
}

void Http1Tunnel::on_drained() {
  if (std::exchange(waits_, false) && events_ != nullptr) events_->on_tunnel_writable();
}

void Http1Tunnel::on_failed(const Error& error) {
  failed_ = true;
  if (events_ != nullptr) events_->on_tunnel_failed(error);
}

// Writes first: the events below may destroy this.
void Http1Tunnel::on_turn_end() {
  if (session_ == nullptr || failed_) return;
  bool open = true;
  if (!out_.empty()) {
    session_->written_ += out_.size();
    open = stream_.write(out_) == Flow::GoOn;
  }
  if (std::exchange(shut_down_, false)) stream_.shut_down();
  if (reading_ && events_ != nullptr && !early_.empty()) {
    const std::string early = std::exchange(early_, {});
    loop_.at_turn_end(*this);
    session_->received_ += early.size();
    return events_->on_tunnel_data(as_bytes(early));
  }
  if (reading_) stream_.start_reading();
  if (waits_ && open) {
    waits_ = false;
    if (events_ != nullptr) events_->on_tunnel_writable();
  }
}

}  // namespace gatescope::http
