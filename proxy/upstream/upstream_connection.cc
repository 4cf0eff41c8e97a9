#include "proxy/upstream/upstream_connection.h"

#include <fmt/format.h>

#include <utility>

namespace gatescope::upstream {

namespace {

constexpr std::size_t kFlushAbove = 64 * 1024;  // more is not collected within a turn

/// nginx names a TCP peer only in `upstream: "..."`, a unix socket in the sentence as well.
std::string connect_detail(std::string detail, const net::Endpoint& endpoint) {
  const auto named = " to " + endpoint.to_string();
  if (endpoint.family() != net::Endpoint::Family::Unix)
    if (const auto at = detail.find(named); at != std::string::npos) detail.erase(at, named.size());
  return detail;
}

}  // namespace

UpstreamConnection::UpstreamConnection(net::Loop& loop, UpstreamOnLoop& upstream, std::size_t peer,
                                       const ConnectionSettings& settings, UpstreamRequest request,
                                       Events& events)
    : loop_(loop),
      upstream_(upstream),
      peer_(peer),
      settings_(settings),
      events_(events),
      request_(std::move(request)),
      timer_(loop.make_timer(*this)),
      parser_(request_.answers_head, settings.limits) {}

void UpstreamConnection::start(bool fresh) {
  const auto& from = settings_.from;
  if (from.is_set()) connection_.from = from.address.to_string();
  if (!fresh && settings_.preamble.empty())
    if (auto kept = upstream_.pool().take(peer_, connection_.from); kept.stream)
      connection_ = std::move(kept);
  if (connection_.stream) return connected();
  const auto& endpoint = upstream_.peer(peer_).endpoint;
  connecting_ = from.is_set() ? loop_.connect_from(from, endpoint, settings_.connect_timeout, *this)
                              : loop_.connect(endpoint, settings_.connect_timeout, *this);
}

void UpstreamConnection::on_connected(std::unique_ptr<net::Stream> stream) {
  connecting_.reset();
  if (state_ != State::Connecting) return loop_.discard(std::move(stream));
  connection_.made = loop_.clock().now();
  if (!settings_.preamble.empty()) {
    ByteQueue preamble;
    preamble.append_copy(settings_.preamble);
    (void)stream->write(preamble);
  }
  if (settings_.tls) {
    auto secured =
        tls::TlsStream::connect(std::move(stream), loop_, settings_.tls, settings_.server, *this);
    if (!secured) return fail(UpstreamFailure::Kind::Error, secured.error());
    handshaking_ = *std::move(secured);
    return timer_->start(settings_.connect_timeout);
  }
  connection_.stream = std::move(stream);
  connected();
}

void UpstreamConnection::on_handshake_done() {
  if (state_ != State::Connecting) return;
  connection_.stream = std::move(handshaking_);
  connected();
}

void UpstreamConnection::on_handshake_failed(const Error& error, bool) {
  if (state_ == State::Connecting) fail(UpstreamFailure::Kind::Error, error);
}

void UpstreamConnection::on_connect_failed(const Error& error) {
  connecting_.reset();
  if (state_ != State::Connecting) return;
  if (error.kind == ErrorKind::Timeout)
    return fail(UpstreamFailure::Kind::Timeout, ErrorKind::Timeout,
                "upstream timed out (110: Connection timed out)");
  Error told = error;
  told.detail = connect_detail(std::move(told.detail), upstream_.peer(peer_).endpoint);
  fail(UpstreamFailure::Kind::Error, std::move(told));
}

void UpstreamConnection::connected() {
  connection_.stream->set_events(this);
  connection_.stream->start_reading();
  request_done_ = request_.body == UpstreamRequest::Body::None;
  body_awaited_ = !request_done_;
  queue(request_.head);
  enter(request_done_ ? State::Head : State::Sending);
  events_.on_upstream_connected();
}

// ---- The request

void UpstreamConnection::queue(std::string_view text) {
  out_.append_copy(text);
  bytes_sent_ += text.size();
  loop_.at_turn_end(*this);  // head and first body bytes leave in one write
}

void UpstreamConnection::queue_chunk() {
  if (chunk_.empty()) return;
  queue(fmt::format("{:x}\r\n", chunk_.size()));
  queue(chunk_ += "\r\n");
  chunk_.clear();
}

Flow UpstreamConnection::send_body(std::span<const std::byte> data) {
  if (!connection_.stream || request_done_ || data.empty()) return Flow::GoOn;
  if (request_.body == UpstreamRequest::Body::Chunked) {
    chunk_ += as_text(data);
    loop_.at_turn_end(*this);
  } else {
    queue(as_text(data));
  }
  if (out_.size() + chunk_.size() > kFlushAbove && !blocked_) flush();
  return blocked_ || out_.size() > kFlushAbove ? Flow::Wait : Flow::GoOn;
}

void UpstreamConnection::end_body(const http::HeaderList& trailers) {
  if (!connection_.stream || request_done_) return;
  request_done_ = true;
  if (request_.body == UpstreamRequest::Body::Chunked) {
    queue_chunk();
    queue("0\r\n");
    for (const auto& field : trailers)
      queue(fmt::format("{}: {}\r\n", field.name, field.value));
    queue("\r\n");
  }
  if (state_ == State::Sending) enter(State::Head);
}

void UpstreamConnection::on_turn_end() {
  // Behind the session's hook, which may have the first bytes of the body: one write for both.
  if (std::exchange(body_awaited_, false) && !request_done_) return loop_.at_turn_end(*this);
  flush();
}

void UpstreamConnection::flush() {
  queue_chunk();
  if (!connection_.stream || out_.empty()) return;
  const bool was_blocked = blocked_;
  blocked_ = connection_.stream->write(out_) == Flow::Wait;
  if (blocked_ != was_blocked) arm();
}

void UpstreamConnection::on_drained() {
  blocked_ = false;
  arm();
  if (!request_done_) events_.on_upstream_writable();
}

// ---- The response

void UpstreamConnection::on_data(std::span<const std::byte> data) {
  bytes_received_ += data.size();
  while (state_ != State::Done) {
    auto item = parser_.next(data);
    if (!item) return fail(UpstreamFailure::Kind::InvalidHeader, item.error());
    if (*item == http::Http1ResponseParser::Item::NeedMore) break;
    if (!handle(*item, data)) return;
  }
  if (state_ != State::Done) arm();
}

/// False: the message is over, or the connection is not ours any more.
bool UpstreamConnection::handle(http::Http1ResponseParser::Item item,
                                std::span<const std::byte>& rest) {
  using Item = http::Http1ResponseParser::Item;
  switch (item) {
    case Item::NeedMore:
      return true;
    case Item::Informational:
      events_.on_upstream_informational(parser_.head());
      return true;
    case Item::Head:
      if (parser_.head().status == 101) {
        if (!request_.asks_upgrade) {
          fail(UpstreamFailure::Kind::InvalidHeader, ErrorKind::Protocol,
               "upstream sent 101 without an \"Upgrade\" in the request");
          return false;
        }
        flush();
        early_ = as_text(rest);
        enter(State::Tunnel);
        events_.on_upstream_upgraded(parser_.head());
        return false;
      }
      enter(State::Body);
      events_.on_upstream_head(parser_.head());
      return true;
    case Item::Body:
      events_.on_upstream_body(parser_.body());
      return true;
    case Item::End:
      finish_message(!rest.empty());
      return false;
  }
  return false;
}

void UpstreamConnection::finish_message(bool surplus) {
  flush();  // a short request body may still wait for the end of the turn
  const bool clean = !surplus && settings_.preamble.empty() && request_done_ && out_.empty() &&
                     parser_.reusable() && connection_.stream->unsent() == 0;
  if (clean) {
    enter(State::Done);
    ++connection_.requests;
    upstream_.pool().give_back(peer_, std::move(connection_));
  } else {
    close();
  }
  events_.on_upstream_end(parser_.trailers());
}

void UpstreamConnection::on_end() {
  auto item = parser_.finish();
  if (!item) return fail(UpstreamFailure::Kind::Error, item.error());
  close();
  events_.on_upstream_end({});
}

void UpstreamConnection::on_failed(const Error& error) {
  fail(UpstreamFailure::Kind::Error, error);
}

void UpstreamConnection::pause(Hold why) {
  if (!connection_.stream) return;
  if (held_ == 0) connection_.stream->stop_reading();
  held_ |= static_cast<unsigned>(why);
  arm();
}

void UpstreamConnection::resume(Hold why) {
  if (held_ == 0 || !connection_.stream) return;
  held_ &= ~static_cast<unsigned>(why);
  if (held_ != 0) return;
  connection_.stream->start_reading();
  arm();
}

std::unique_ptr<net::Stream> UpstreamConnection::take_stream(std::string& early) {
  early = std::move(early_);
  enter(State::Done);
  return std::move(connection_.stream);
}

// ---- Deadlines and ends

void UpstreamConnection::enter(State state) {
  state_ = state;
  arm();
}

void UpstreamConnection::arm() {
  switch (state_) {
    case State::Sending:
      if (blocked_) return timer_->start(settings_.send_timeout);
      return timer_->stop();
    case State::Head:
      return timer_->start(blocked_ ? settings_.send_timeout : settings_.read_timeout);
    case State::Body:
      if (held_ != 0) return timer_->stop();
      return timer_->start(settings_.read_timeout);
    case State::Connecting:  // connect() has the deadline, and on_connected()
    case State::Tunnel:
    case State::Done:
      return timer_->stop();
  }
}

void UpstreamConnection::on_timer(net::Timer&) {
  fail(UpstreamFailure::Kind::Timeout, ErrorKind::Timeout,
       "upstream timed out (110: Connection timed out)");
}

std::string_view UpstreamConnection::doing() const {
  switch (state_) {
    case State::Connecting:
      return handshaking_ ? "while SSL handshaking to upstream" : "while connecting to upstream";
    case State::Sending:
      return "while sending request to upstream";
    case State::Head:
      return blocked_ ? "while sending request to upstream"
                      : "while reading response header from upstream";
    default:
      return "while reading upstream";
  }
}

void UpstreamConnection::fail(UpstreamFailure::Kind kind, ErrorKind error, std::string_view what) {
  fail(kind, make_error(error, Origin::Upstream, std::string(what)));
}

void UpstreamConnection::fail(UpstreamFailure::Kind kind, Error error) {
  if (state_ == State::Done) return;
  error.origin = Origin::Upstream;
  error.detail += fmt::format(" {}", doing());
  UpstreamFailure failure{kind, std::move(error), bytes_received_ > 0, bytes_sent_ > out_.size()};
  close();
  events_.on_upstream_failed(failure);
}

void UpstreamConnection::close() {
  enter(State::Done);
  connecting_.reset();  // not into the bin: the rest of the turn could still bring its event
  if (handshaking_) handshaking_->set_events(nullptr);
  loop_.discard(std::move(handshaking_));
  if (!connection_.stream) return;
  connection_.stream->set_events(nullptr);
  connection_.stream->stop_reading();
  loop_.discard(std::move(connection_.stream));
}

}  // namespace gatescope::upstream
