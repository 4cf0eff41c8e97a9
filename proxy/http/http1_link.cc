// The half of Http1Session that an exchange sees: what it sends, and how that becomes bytes.

#include <algorithm>
#include <utility>

#include "proxy/http/http1_session.h"
#include "proxy/http/http1_tunnel.h"

namespace gatescope::http {
namespace {

// What a socket takes for sure when nothing waits before it.
constexpr std::size_t kLeavesAtOnce = 16 * 1024;

}  // namespace

bool Http1Session::output_full() const {
  return blocked_ || out_.size() >= net::Stream::kHighWater;
}

void Http1Session::account(std::size_t size_before) {
  sent_ += out_.size() - size_before;
  schedule();
}

void Http1Session::send_informational(int status, const HeaderList& headers) {
  if (gone_ || reply_ != Reply::None || version_ == Version::Http10) return;
  const std::size_t before = out_.size();
  if (status == 100) continue_expected_ = false;
  write_informational(out_.tail(), status, headers);
  head_sent_bytes_ += out_.size() - before;
  account(before);
}

bool Http1Session::keeps_alive() const {
  return client_keeps_ && !refused_ && may_stay() && body_ != Body::Failed &&
         policy().keepalive_timeout > Duration::zero() && requests_ < policy().keepalive_requests &&
         loop_.clock().now() - started_ < policy().keepalive_time;
}

void Http1Session::send_head(const ResponseHead& head) {
  if (gone_ || reply_ != Reply::None) return;
  // As nginx: who waits for 100 gets it with a good answer too, and sends a body that is dropped;
  // the connection can be kept.
  if (continue_expected_ && head.status >= 200 && head.status < 400) send_informational(100, {});
  reply_ = Reply::HeadSent;
  bodiless_ = is_head_ || head.bodiless();
  body_left_ = head.content_length;
  chunked_ = !bodiless_ && !head.content_length && version_ == Version::Http11 && policy().chunked;
  switching_ = head.status == 101;
  keep_alive_ = keeps_alive() && !switching_;
  // Without a length or chunks only the connection's end ends the body.
  if (!bodiless_ && !head.content_length && !chunked_) keep_alive_ = false;
  // Who has been told to wait for 100 may send the body or not: the next bytes mean nothing
  // certain.
  if (continue_expected_ && body_ == Body::Reading) keep_alive_ = false;
  ResponseFraming framing;
  framing.keep_alive = keep_alive_;
  framing.chunked = chunked_;
  framing.keepalive_header = policy().keepalive_header;
  framing.server = policy().server_field;
  framing.date = host_.date();
  const std::size_t before = out_.size();
  write_head(out_.tail(), head, framing);
  head_sent_bytes_ += out_.size() - before;
  account(before);
}

Flow Http1Session::send_body(SharedBytes bytes) {
  if (gone_ || reply_ != Reply::HeadSent || bodiless_ || bytes.empty()) return Flow::GoOn;
  if (body_left_ && bytes.size() > *body_left_) {
    host_.log().print(LogLevel::Error,
                      "response body is longer than its Content-Length by {} bytes",
                      bytes.size() - *body_left_);
    bytes = bytes.slice(0, static_cast<std::size_t>(*body_left_));
    if (bytes.empty()) return Flow::GoOn;
  }
  const std::size_t before = out_.size();
  if (body_left_) *body_left_ -= bytes.size();
  if (chunked_) write_chunk_size(out_.tail(), bytes.size());
  out_.append(std::move(bytes));
  if (chunked_) out_.append_copy("\r\n");
  account(before);
  if (!output_full() && out_.size() + stream_.unsent() < net::Stream::kHighWater) return Flow::GoOn;
  writer_waits_ = true;
  return Flow::Wait;
}

std::optional<std::size_t> Http1Session::send_file(int file, std::uint64_t offset,
                                                   std::size_t size) {
  if (gone_ || reply_ != Reply::HeadSent || bodiless_ || chunked_ || body_left_.value_or(0) < size)
    return std::nullopt;
  flush();
  if (blocked_ || stream_.unsent() > 0) return std::nullopt;
  const auto sent = stream_.send_file(file, offset, size);
  if (!sent) return std::nullopt;
  *body_left_ -= *sent;
  sent_ += *sent;
  written_ += *sent;
  schedule();
  return sent;
}

void Http1Session::send_end(const HeaderList& trailers) {
  if (gone_ || reply_ == Reply::Ended) return;
  if (reply_ == Reply::None || (!bodiless_ && body_left_.value_or(0) > 0)) {
    if (reply_ == Reply::HeadSent)
      host_.log().print(LogLevel::Error,
                        "response body is shorter than its Content-Length by {} bytes",
                        *body_left_);
    return cut(false);
  }
  reply_ = Reply::Ended;
  writer_waits_ = false;
  const std::size_t before = out_.size();
  if (chunked_) write_last_chunk(out_.tail(), trailers);
  account(before);
}

void Http1Session::cut(bool reset) {
  if (gone_ || reply_ == Reply::Ended) return;
  // A body that the connection's end delimits would look whole if the connection ended in order.
  const bool looks_whole = reply_ == Reply::HeadSent && !bodiless_ && !chunked_ && !body_left_;
  cut_ = true;
  reset_ = reset || looks_whole;
  reply_ = Reply::Ended;
  writer_waits_ = false;
  schedule();
}

void Http1Session::want_body(bool wanted) {
  if (wanted && !body_wanted_) {
    last_read_ = loop_.clock().now();
    if (continue_expected_ && reply_ == Reply::None && !gone_) {
      continue_expected_ = false;
      const std::size_t before = out_.size();
      write_informational(out_.tail(), 100, {});
      account(before);
    }
  }
  body_wanted_ = wanted;
  schedule();
}

/// Whether the last bytes of an answer are still here: as nginx's, its exchange is over (and
/// logged, $request_time) when the kernel has them. Small ones leave with the turn; only for others
/// it is looked at.
bool Http1Session::is_sending_slowly() {
  if (gone_ || cut_ || body_ == Body::Reading) return false;
  if (stream_.unsent() == 0) {
    if (out_.size() <= kLeavesAtOnce) return false;
    flush();
    if (stream_.unsent() == 0) return false;
  }
  stream_.notify_sent();
  return true;
}

void Http1Session::flush() {
  if (out_.empty()) return;
  if (gone_ || state_ == State::Over) return out_.clear();
  written_ += out_.size();
  blocked_ = stream_.write(out_) == Flow::Wait;
  // What else waits goes on in the next turn: others have their turn in between.
  const bool requests_wait = (state_ == State::Idle || state_ == State::Head) && !in_.empty();
  if ((writer_waits_ || requests_wait) && !blocked_) loop_.at_next_turn_end(go_on_);
}

std::unique_ptr<ByteTunnel> Http1Session::take_tunnel() {
  if (gone_ || state_ != State::Exchange || reply_ != Reply::HeadSent || !switching_ ||
      body_ == Body::Reading)
    return nullptr;
  flush();
  state_ = State::Tunnel;
  keep_alive_ = false;
  auto tunnel = std::make_unique<Http1Tunnel>(stream_, loop_, *this);
  tunnel_ = tunnel.get();
  schedule();
  return tunnel;
}

void Http1Session::on_tunnel_closed(bool failed) {
  tunnel_ = nullptr;
  gone_ = gone_ || failed;
  stream_.set_events(this);
  schedule();
}

}  // namespace gatescope::http
