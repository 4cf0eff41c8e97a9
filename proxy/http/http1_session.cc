#include "proxy/http/http1_session.h"

#include <algorithm>
#include <utility>

#include "proxy/http/http1_tunnel.h"

namespace gatescope::http {
namespace {

HeadRules head_rules(const SessionSettings& s) {
  HeadRules rules;
  rules.line_limit = std::max(s.header_buffer, s.large_buffer);
  rules.head_limit = std::max(s.header_buffer, s.large_buffers * s.large_buffer);
  rules.max_fields = s.max_headers;
  rules.lenient_line_endings = s.lenient_line_endings;
  rules.ignore_invalid_headers = s.ignore_invalid_headers;
  rules.underscores_in_headers = s.underscores_in_headers;
  return rules;
}

BodyRules body_rules(const SessionSettings& s) {
  BodyRules rules;
  rules.line_limit = s.large_buffer;
  rules.overhead_limit = s.large_buffers * s.large_buffer;
  rules.lenient_line_endings = s.lenient_line_endings;
  rules.underscores_in_headers = s.underscores_in_headers;
  return rules;
}

}  // namespace

std::unique_ptr<Session> make_http1_session(net::Stream& stream, net::Loop& loop, SessionHost& host,
                                            const SessionSettings& settings) {
  return std::make_unique<Http1Session>(stream, loop, host, settings);
}

Http1Session::Http1Session(net::Stream& stream, net::Loop& loop, SessionHost& host,
                           const SessionSettings& settings)
    : stream_(stream),
      loop_(loop),
      host_(host),
      settings_(settings),
      started_(loop.clock().now()),
      timer_(loop.make_timer(*this)) {
  keepalive_timeout_ = settings.first_wait();
}

void Http1Session::set_policy(const ExchangePolicy& policy) {
  *policy_ = policy;
  keepalive_timeout_ = policy.keepalive_timeout;
  keepalive_min_ = policy.keepalive_min;
}

const ExchangePolicy& Http1Session::policy() const {
  static constexpr ExchangePolicy kDefault;
  return policy_ ? *policy_ : kDefault;
}

Http1Session::~Http1Session() {
  // The connection is torn down around a running exchange (a hard stop): it still gets its log
  // line.
  if (exchange_) exchange_->on_over();
  exchange_.reset();
  if (tunnel_ != nullptr) tunnel_->forget_session();
  stream_.set_events(nullptr);
}

void Http1Session::start() {
  state_since_ = last_read_ = started_;
  stream_.set_events(this);
  schedule();
}

void Http1Session::finish() {
  finishing_ = true;
  const bool stays = requests_ > 0 && may_stay();  // its deadline closes it
  if (state_ == State::Idle && in_.empty() && !stays) close(false);
  schedule();
}

void Http1Session::on_data(std::span<const std::byte> data) {
  last_read_ = loop_.clock().now();
  schedule();
  if (in_.empty()) {
    with_last_ = false;
    // The usual case: everything is read where it lies, nothing is left over.
    in_.assign(advance(as_text(data)));
  } else {
    in_.append(as_text(data));
    advance_waiting();
  }
}

void Http1Session::advance_waiting() {
  const std::size_t rest = advance(in_).size();
  in_.erase(0, in_.size() - rest);
}

void Http1Session::on_end() {
  ended_ = true;
  schedule();
  if (state_ == State::Exchange && abort_on_end_ && reply_ != Reply::Ended && in_.empty() &&
      (body_ == Body::None || body_ == Body::Done))
    client_gone(
        make_error(ErrorKind::Closed, Origin::Client, "client prematurely closed connection"));
}

void Http1Session::on_failed(const Error& error) {
  schedule();
  client_gone(error);
}

void Http1Session::on_drained() {
  blocked_ = false;
  schedule();
  if (writer_waits_ && state_ == State::Exchange && reply_ != Reply::Ended) {
    writer_waits_ = false;
    exchange_->on_writable();
  }
}

// The one place where the machine goes on. Returns what it could not use of `input`.
std::string_view Http1Session::advance(std::string_view input) {
  for (;;) {
    switch (state_) {
      case State::Idle:
      case State::Head:
        if (!read_head(input)) return input;
        break;
      case State::Exchange:
        if (reply_ == Reply::Ended) {
          if (is_sending_slowly()) return input;
          end_exchange(!input.empty());
        } else if (!read_body(input)) {
          return input;
        }
        break;
      case State::Draining:
        if (!drain_body(input)) return input;
        break;
      case State::Tunnel:
        if (tunnel_ != nullptr) {
          tunnel_->preload(input);
          return {};
        }
        state_ = State::Exchange;
        reply_ = Reply::Ended;
        break;
      case State::Closing:
      case State::Lingering:
        if (ended_ && state_ == State::Lingering) state_ = State::Closing;
        return {};
      case State::Over:
        return {};
    }
  }
}

bool Http1Session::read_head(std::string_view& input) {
  if (output_full()) return false;  // back-pressure: a client that does not read gets no more
  if (state_ == State::Idle) {
    if (input.empty()) {
      if (!ended_) return false;
      close(false);
      return true;
    }
    state_ = State::Head;
    state_since_ = loop_.clock().now();
  }
  if (!scanner_) scanner_ = std::make_unique<HeadScanner>(head_rules(settings_), host_.log());
  if (scanner_->scan(input) == HeadScanner::Verdict::More) {
    if (!ended_) return false;
    if (!scanner_->begun()) {
      close(false);
      return true;
    }
    scanner_->refuse(400, "client prematurely closed connection");
  }
  const std::string_view head = input;
  input.remove_prefix(std::min(input.size(), scanner_->size()));
  begin_exchange(head);
  return true;
}

// `input` begins with the head.
void Http1Session::begin_exchange(std::string_view input) {
  RequestHead head = scanner_->take(input, arena_);
  if (!policy_) policy_ = std::make_unique<ExchangePolicy>();
  set_policy({});
  version_ = head.version;
  // A refused line that had come in part only may have been HEAD: its reader would take a body for
  // the next answer.
  constexpr std::string_view kHead = "HEAD ";
  is_head_ = head.method == "HEAD" || (head.method.empty() && !head.line.empty() &&
                                       head.line.substr(0, 5) == kHead.substr(0, head.line.size()));
  refused_ = head.refused != 0;
  client_keeps_ = head.wants_keep_alive;
  body_ = head.has_body ? Body::Reading : Body::None;
  reply_ = Reply::None;
  body_wanted_ = abort_on_end_ = keep_alive_ = bodiless_ = chunked_ = switching_ = cut_ = reset_ =
      false;
  writer_waits_ = false;
  continue_expected_ = scanner_->expects_continue();
  sent_ = head_sent_bytes_ = 0;
  received_ = head.bytes;
  body_left_.reset();
  if (head.has_body) {
    if (scanner_->chunked()) {
      body_parser_.begin_chunked(body_rules(settings_), arena_);
    } else {
      body_parser_.begin_length(*head.content_length);
    }
  }
  scanner_->reset();
  head.pipelined = std::exchange(with_last_, true);
  head.began = state_since_;
  ++requests_;
  state_ = State::Exchange;
  if (std::exchange(reported_idle_, false)) host_.on_idle(false);  // it may be over this turn
  exchange_ = host_.make_exchange(*this, std::move(head));
  exchange_->start();
}

// False: nothing more can be done now.
bool Http1Session::read_body(std::string_view& input) {
  if (body_ != Body::Reading || !body_wanted_) return false;
  const auto step = body_parser_.next(input);
  input.remove_prefix(step.consumed);
  received_ += step.consumed;
  switch (step.event) {
    case Http1BodyParser::Event::More:
      if (!ended_) return false;
      body_ = Body::Failed;
      exchange_->on_body_failed(400, make_error(ErrorKind::Closed, Origin::Client,
                                                "client prematurely closed connection"));
      return true;
    case Http1BodyParser::Event::Data:
      exchange_->on_body(as_bytes(step.data));
      return true;
    case Http1BodyParser::Event::End:
      body_ = Body::Done;
      exchange_->on_body_end(body_parser_.trailers());
      return true;
    case Http1BodyParser::Event::Failed:
      body_ = Body::Failed;
      exchange_->on_body_failed(
          400, make_error(ErrorKind::Protocol, Origin::Client, std::string(body_parser_.error())));
      return true;
  }
  return false;
}

bool Http1Session::drain_body(std::string_view& input) {
  const auto step = body_parser_.next(input);
  input.remove_prefix(step.consumed);
  switch (step.event) {
    case Http1BodyParser::Event::Data:
      return true;
    case Http1BodyParser::Event::More:
      if (!ended_) return false;
      close(false);
      return true;
    case Http1BodyParser::Event::Failed:
      close(true);
      return true;
    case Http1BodyParser::Event::End:
      if (!may_stay()) {
        close(!input.empty());
        return true;
      }
      state_ = State::Idle;
      arena_.reset();
      state_since_ = loop_.clock().now();
      return true;
  }
  return false;
}

void Http1Session::end_exchange(bool more_input) {
  exchange_->on_over();
  loop_.discard(std::move(exchange_));
  exchange_ = nullptr;
  writer_waits_ = false;
  state_since_ = loop_.clock().now();
  policy_->server_field = {};  // was the exchange's
  const bool unread = body_ == Body::Reading;
  // Trailers of a body that is still to be drained go into the arena, so it is reset behind them.
  if (!unread) arena_.reset();
  if (gone_) {
    state_ = State::Over;
  } else if (reset_) {
    stream_.reset_on_close();  // and no FIN before it
    state_ = State::Over;
  } else if (cut_) {
    close(false);
  } else if (unread && keep_alive_ && may_stay() && !continue_expected_ &&
             policy().lingering != ExchangePolicy::Lingering::Off) {
    last_read_ = state_since_;
    state_ = State::Draining;
  } else if (!unread && keep_alive_ && may_stay()) {
    state_ = State::Idle;
  } else {
    const bool expects_more = refused_ || unread || body_ == Body::Failed || more_input;
    close(policy().lingering == ExchangePolicy::Lingering::Always ||
          (policy().lingering == ExchangePolicy::Lingering::On && expects_more));
  }
}

void Http1Session::close(bool linger) {
  state_since_ = last_read_ = loop_.clock().now();
  state_ = linger && !ended_ ? State::Lingering : State::Closing;
  flush();
  stream_.shut_down();
  schedule();
}

void Http1Session::client_gone(const Error& error) {
  if (gone_) return;
  gone_ = true;
  out_.clear();
  if (state_ != State::Exchange) {
    state_ = State::Over;
  } else {  // also of an answer that has ended: it was still being sent
    reply_ = Reply::Ended;
    exchange_->on_client_gone(error);
  }
}

void Http1Session::GoOn::on_turn_end() {
  session_.go_on();
}

void Http1Session::go_on() {
  if (told_over_) return;
  schedule();
  if (writer_waits_ && !blocked_ && state_ == State::Exchange && reply_ != Reply::Ended) {
    writer_waits_ = false;
    exchange_->on_writable();
  }
}

void Http1Session::on_turn_end() {
  if (told_over_) return;  // asked for once more by what led to the end
  advance_waiting();
  flush();
  if (state_ == State::Closing) {
    if (stream_.unsent() == 0 || gone_) {
      state_ = State::Over;
    } else {
      stream_.notify_sent();
    }
  }
  if (state_ == State::Over) {
    timer_->stop();
    if (reading_ && !gone_) stream_.stop_reading();
    reading_ = false;
    told_over_ = true;
    host_.on_session_over();
    return;
  }
  if (state_ != State::Tunnel) update_reading();
  arm();
  const bool is_idle = state_ == State::Idle;
  if (is_idle && in_.empty()) release_buffers();
  if (is_idle != reported_idle_) {
    reported_idle_ = is_idle;
    host_.on_idle(is_idle);
  }
}

}  // namespace gatescope::http
