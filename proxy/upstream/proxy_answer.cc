// ProxyResponder, the second half: what comes back from the upstream, or does not.

#include <fmt/format.h>

#include <algorithm>

#include "proxy/upstream/accel.h"
#include "proxy/upstream/proxy_responder.h"
#include "proxy/upstream/response_head.h"

namespace gatescope::upstream {

namespace {

unsigned cause_of(UpstreamFailure::Kind kind) {
  switch (kind) {
    case UpstreamFailure::Kind::Error:
      return NextUpstream::kError;
    case UpstreamFailure::Kind::Timeout:
      return NextUpstream::kTimeout;
    case UpstreamFailure::Kind::InvalidHeader:
      return NextUpstream::kInvalidHeader;
  }
  return 0;
}

}  // namespace

// ---- The answer

void ProxyResponder::on_upstream_informational(const http::ReceivedHead& head) {
  if (head.status != 103) return;  // 100 answers nothing that we asked: Expect is not forwarded
  writer_.informational(103, forwarded_fields(writer_.exchange(), head));
}

void ProxyResponder::on_upstream_head(const http::ReceivedHead& head) {
  auto& entry = current_try();
  entry.header_ms = ms_since(try_started_);
  entry.status = head.status;
  note_sizes();
  stop_resting();

  const auto& statuses = settings_.next_upstream.get().statuses;
  if (std::find(statuses.begin(), statuses.end(), head.status) != statuses.end()) {
    // 403 and 404 say nothing about the server's health
    if (head.status != 403 && head.status != 404) upstream_.report(peer_, false);
    note_tried();
    if (may_try_next(0, true) && upstream_.has_untried(tried_)) {
      entry.response_ms = ms_since(try_started_);
      drop_connection();
      return try_next();
    }
  } else {
    upstream_.report(peer_, true);
  }

  auto& exchange = writer_.exchange();
  const unsigned ignored = settings_.ignored.get();
  const bool intercepted = settings_.intercept_errors.get() && exchange.has_error_page(head.status);
  if (const auto to = head.headers.find("X-Accel-Redirect");
      to && !(ignored & IgnoredFields::kRedirect) && !intercepted) {
    return redirect_inside(head, *to);
  }
  if (const auto rate = accel_limit_rate(head); rate && !(ignored & IgnoredFields::kLimitRate))
    exchange.set_limit_rate(*rate);
  state_ = State::Streaming;
  begin_body(head);
  writer_.head(make_response_head(writer_.exchange(), head, settings_),
               settings_.intercept_errors.get());
  if (!writer_.exchange().head_sent()) {  // error_page took over
    state_ = State::Done;
    drop_connection();
  }
}

void ProxyResponder::begin_body(const http::ReceivedHead& head) {
  auto& exchange = writer_.exchange();
  const bool ignored = settings_.ignored.get() & IgnoredFields::kBuffering;
  const auto told = ignored ? std::nullopt : accel_buffering(head);
  const bool buffers = told.value_or(settings_.buffering.get());
  ResponseBufferSettings limits{0, 0, settings_.temp_file_write_size.get(),
                                &settings_.temp_path.get()};
  if (buffers) {
    limits.memory = settings_.buffers.get();
    limits.file = settings_.max_temp_file_size.get();
  }
  buffer_.emplace(exchange.context().bodies.get(), limits, writer_,
                  static_cast<ResponseBuffer::Events&>(*this));
  if (!buffers || settings_.limit_rate->empty()) return;
  const auto rate =
      parse_size(settings_.limit_rate->evaluate(exchange, exchange.arena())).value_or(0);
  if (rate != 0)
    pacer_ = std::make_unique<http::BodyPacer>(writer_.loop(), rate, 0,
                                               static_cast<http::BodyPacer::Events&>(*this));
}

/// X-Accel-Redirect: another place of this server answers; the upstream's body is not wanted.
void ProxyResponder::redirect_inside(const http::ReceivedHead& head, std::string_view to) {
  auto& exchange = writer_.exchange();
  exchange.set_upstream_head(exchange.arena().copy(head.text));
  current_try().response_ms = ms_since(try_started_);
  state_ = State::Done;
  const auto target = safe_redirect(to);
  if (!target) {
    writer_.log(LogLevel::Error,
                fmt::format("unsafe URI \"{}\" was detected{}", to, upstream_note()));
    drop_connection();
    return writer_.status(404);
  }
  keep_for_redirect(exchange, head);
  if (const auto rate = accel_limit_rate(head);
      rate && !(settings_.ignored.get() & IgnoredFields::kLimitRate)) {
    exchange.set_limit_rate(*rate);
  }
  const auto args =
      target->args ? std::optional(exchange.arena().copy(*target->args)) : std::nullopt;
  drop_connection();
  if (target->path.front() == '/') exchange.ask_for_page();
  exchange.redirect(target->path, args);
}

void ProxyResponder::on_upstream_body(std::span<const std::byte> data) {
  if (state_ != State::Streaming) return;
  auto& entry = current_try();
  entry.response_length += data.size();
  entry.response_ms = ms_since(try_started_);  // as far as it came, should the client leave
  note_sizes();
  if (!pacer_) return take_body(data);
  if (pacer_->add(SharedBytes::copy_of(as_text(data))) == Flow::Wait && connection_)
    connection_->pause(UpstreamConnection::Hold::Rate);
}

void ProxyResponder::take_body(std::span<const std::byte> data) {
  if (buffer_->append(data) == Flow::Wait && connection_)
    connection_->pause(UpstreamConnection::Hold::Client);
}

/// proxy_limit_rate lets go of what was read: the buffer takes it whatever the client does.
Flow ProxyResponder::on_paced(SharedBytes bytes) {
  take_body(bytes.span());
  return Flow::GoOn;
}

void ProxyResponder::on_all_paced() {
  if (state_ == State::Draining) return buffer_->finish();
  if (connection_) connection_->resume(UpstreamConnection::Hold::Rate);
}

/// The upstream sends no more: Draining begins.
void ProxyResponder::finish_body() {
  state_ = State::Draining;
  drop_connection();  // it has given its stream back, and would only cost memory
  if (!pacer_ || pacer_->empty()) buffer_->finish();
}

void ProxyResponder::on_writable() {
  if (buffer_) buffer_->on_writable();
}

void ProxyResponder::on_buffer_room() {
  if (connection_) connection_->resume(UpstreamConnection::Hold::Client);
}

void ProxyResponder::on_buffer_sent() {
  state_ = State::Done;
  failure_ ? writer_.fail(*failure_) : writer_.end(trailers_);
}

void ProxyResponder::on_buffer_lost(const Error& error) {
  state_ = State::Done;
  drop_connection();
  writer_.fail(error);
}

void ProxyResponder::on_upstream_end(const http::HeaderList& trailers) {
  if (state_ != State::Streaming) return;
  note_sizes();
  current_try().response_ms = ms_since(try_started_);
  use_ = {};
  if (!trailers.empty()) {
    std::string text;
    for (const auto& field : trailers)
      text.append(field.name).append(": ").append(field.value).append("\n");
    writer_.exchange().set_upstream_trailers(writer_.arena().copy(text));
  }
  if (settings_.pass_trailers.get())
    for (const auto& field : trailers)
      trailers_.add(writer_.arena().copy(field.name), writer_.arena().copy(field.value));
  finish_body();
}

void ProxyResponder::on_upstream_upgraded(const http::ReceivedHead& head) {
  auto& entry = current_try();
  entry.status = 101;
  entry.header_ms = ms_since(try_started_);
  note_sizes();
  upstream_.report(peer_, true);
  // RFC 9113 8.6: its clients cannot ask for it, a constant `proxy_set_header Upgrade` does
  if (writer_.exchange().request().head.version == http::Version::Http2) {
    state_ = State::Done;
    writer_.loop().discard(std::move(connection_));
    return writer_.fail(make_error(
        ErrorKind::Protocol, Origin::Upstream,
        "upstream switched protocols for a client that speaks HTTP/2" + upstream_note()));
  }
  auto answer = make_response_head(writer_.exchange(), head, settings_);
  std::string early;
  auto stream = connection_->take_stream(early);
  writer_.loop().discard(std::move(connection_));
  state_ = State::Tunnel;
  writer_.head(std::move(answer));
  auto client = writer_.upgrade();
  if (!client) {
    state_ = State::Done;
    stream->set_events(nullptr);
    writer_.loop().discard(std::move(stream));
    return writer_.fail(
        make_error(ErrorKind::Protocol, Origin::Upstream,
                   "upstream switched protocols on a connection that cannot" + upstream_note()));
  }
  tunnel_ = std::make_unique<UpgradeTunnel>(writer_.loop(), std::move(stream), std::move(client),
                                            settings_.read_timeout.get(),
                                            static_cast<UpgradeTunnel::Owner&>(*this));
  tunnel_->start(std::move(early));
}

void ProxyResponder::on_tunnel_over() {
  state_ = State::Done;
  use_ = {};
  auto& entry = current_try();
  entry.bytes_received += tunnel_->bytes_from_upstream();
  entry.response_length += tunnel_->bytes_from_upstream();
  entry.bytes_sent += tunnel_->bytes_to_upstream();
  entry.response_ms = ms_since(try_started_);
  writer_.loop().discard(std::move(tunnel_));
}

// ---- Failures

void ProxyResponder::on_upstream_failed(const UpstreamFailure& failure) {
  if (state_ == State::Done) return;
  note_sizes();
  current_try().response_ms = ms_since(try_started_);
  use_ = {};
  auto error = failure.error;
  error.detail += upstream_note();
  if (state_ == State::Streaming) {
    upstream_.report(peer_, false);
    failure_ = std::move(error);  // the head has left: the client sees a cut, behind what came
    return finish_body();
  }

  // A pooled connection that the peer had closed, as it may: says nothing about the peer.
  const bool stale =
      connection_->reused() && !failure.answered && failure.kind == UpstreamFailure::Kind::Error;
  if (stale && replayable() && (idempotent_ || !failure.request_sent)) {
    writer_.loop().discard(std::move(connection_));
    writer_.exchange().upstream_tries().pop_back();
    return connect(peer_, true);
  }

  upstream_.report(peer_, false);
  current_try().status = failure.kind == UpstreamFailure::Kind::Timeout ? 504 : 502;
  const bool connected = current_try().connect_ms >= 0;
  note_tried();
  if (upstream_.has_untried(tried_) && may_try_next(cause_of(failure.kind), failure.request_sent)) {
    writer_.log(LogLevel::Error, error.detail);
    writer_.loop().discard(std::move(connection_));
    if (body_plan_ == BodyPlan::Stream) writer_.pause_body(http::Pause::UpstreamFull);
    return try_next();
  }
  // Nobody could be connected, or what was asked may be asked again (RFC 9110, 9.2.2).
  const bool harmless = !connected || (idempotent_ && !failure.answered);
  if (failure.kind == UpstreamFailure::Kind::Error && harmless && replayable() && rest()) {
    writer_.loop().discard(std::move(connection_));
    writer_.exchange().upstream_tries().pop_back();  // all of them show as one
    if (body_plan_ == BodyPlan::Stream) writer_.pause_body(http::Pause::UpstreamFull);
    return;
  }
  state_ = State::Done;
  writer_.fail(error);
}

}  // namespace gatescope::upstream
