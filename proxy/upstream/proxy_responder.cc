#include "proxy/upstream/proxy_responder.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "proxy/upstream/accel.h"
#include "proxy/upstream/response_head.h"

namespace gatescope::upstream {

namespace {

constexpr Duration kRest{50};  // between two rounds of tries while no server can be connected

bool is_idempotent(std::string_view method) {
  for (std::string_view m : {"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE", "PROPFIND"})
    if (method == m) return true;
  return false;
}

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

ProxyResponder::ProxyResponder(const ProxyHandler& handler, const http::Request& request,
                               http::ResponseWriter& writer, ProxyTarget target)
    : settings_(handler.settings()),
      request_(request),
      writer_(writer),
      target_(std::move(target)),
      upstream_(target_.upstream->on(writer.loop())),
      body_plan_(plan_body(request, settings_, writer.exchange().body_begun())),
      idempotent_(is_idempotent(request.head.method)) {}

ProxyResponder::~ProxyResponder() {
  stop_resting();
  if (connection_) connection_->close();
}

void ProxyResponder::start() {
  started_ = writer_.loop().clock().now();
  auto& exchange = writer_.exchange();
  exchange.link().abort_on_client_end(!settings_.ignore_client_abort.get());
  uri_ = map_uri(uri_input(exchange, *settings_.pass, target_.url));
  if (uri_.empty()) uri_ = "/";
  if (reads_first(request_, settings_, exchange.body_begun())) {
    if (exchange.body_forgotten()) {
      state_ = State::Done;
      return writer_.fail(make_error(ErrorKind::Internal, Origin::Internal,
                                     "the request body was passed on and cannot be sent again"));
    }
    if (!exchange.kept_body()) {
      state_ = State::Collecting;
      return writer_.keep_body();
    }
  } else if (body_plan_ != BodyPlan::Stream) {
    writer_.resume_body(http::Pause::NotStarted);  // a client that expects 100 gets it
  }
  try_next();
}

// ---- Tries

http::UpstreamTry& ProxyResponder::current_try() {
  return writer_.exchange().upstream_tries()[try_index_];
}

void ProxyResponder::try_next() {
  const bool rested = rest_until_ != MonoTime{};
  const auto peer = upstream_.choose(tried_, balancing_key(), rested);
  if (!peer) {
    if (rest()) return;
    writer_.exchange().upstream_tries().push_back(
        {.address = target_.upstream->name(), .status = 502});
    state_ = State::Done;
    return writer_.fail(make_error(
        ErrorKind::Unreachable, Origin::Upstream,
        fmt::format("no live upstreams while connecting to upstream, upstream: \"{}://{}{}\"",
                    target_.url.scheme(), target_.upstream->name(), uri_)));
  }
  tried_.resize(upstream_.size());
  tried_[*peer] = true;
  ++tries_;
  connect(*peer, false);
}

/// No server can be connected: a restart of the backend takes a second, an answer of 502 stays.
/// True: the request waits and tries all of them again.
bool ProxyResponder::rest() {
  const auto& wait = settings_.wait_upstream.get();
  const MonoTime now = writer_.loop().clock().now();
  if (wait.time <= Duration::zero()) return false;
  if (rest_until_ == MonoTime{}) {
    if (upstream_.waiting >= wait.requests) return false;
    rest_until_ = now + wait.time;
    ++upstream_.waiting;
    rest_timer_ = writer_.loop().make_timer(*this);
    writer_.log(LogLevel::Warn, fmt::format("waits for an upstream that can be connected{}",
                                            tries_ > 0 ? upstream_note() : std::string()));
  }
  if (now >= rest_until_) return false;
  state_ = State::Resting;
  tried_.assign(tried_.size(), false);
  rest_timer_->start(std::min(kRest, std::chrono::ceil<Duration>(rest_until_ - now)));
  return true;
}

void ProxyResponder::stop_resting() {
  if (rest_until_ == MonoTime{}) return;
  rest_until_ = {};
  rest_timer_->stop();
  --upstream_.waiting;
}

void ProxyResponder::on_timer(net::Timer&) {
  if (state_ == State::Resting) try_next();
}

/// What the group's balancing goes by.
std::string_view ProxyResponder::balancing_key() {
  auto& exchange = writer_.exchange();
  switch (target_.upstream->balancing()) {
    case Balancing::IpHash:
      return exchange.connection().client_address;
    case Balancing::Hash:
    case Balancing::ConsistentHash:
      return target_.upstream->hash_key().evaluate(exchange, exchange.arena());
    default:
      return {};
  }
}

void ProxyResponder::connect(std::size_t peer, bool fresh) {
  auto& exchange = writer_.exchange();
  peer_ = peer;
  use_ = upstream_.use(peer);
  state_ = State::Waiting;
  reader_.reset();
  const auto* kept = exchange.kept_body();
  auto request = build_request(exchange, settings_, target_.url.host_header(), uri_,
                               upstream_.pool().enabled(), body_plan_, kept ? kept->size() : 0);
  if (!request) {
    state_ = State::Done;
    return writer_.fail(request.error());
  }
  try_index_ = exchange.upstream_tries().size();
  try_started_ = writer_.loop().clock().now();
  exchange.upstream_tries().push_back(
      {.address = upstream_.peer(peer).name, .began = try_started_});
  ConnectionSettings limits{settings_.connect_timeout.get(),
                            settings_.send_timeout.get(),
                            settings_.read_timeout.get(),
                            {},
                            target_.tls,
                            {}};
  if (target_.tls) {
    limits.server = settings_.tls.identity(target_.url, exchange);
    limits.server.session = upstream_.peer(peer).name + " " + limits.server.name;
  }
  limits.limits.head_bytes = settings_.buffer_size.get();
  limits.limits.lenient_line_endings = exchange.core().lenient_line_endings.get();
  connection_ = std::make_unique<UpstreamConnection>(
      writer_.loop(), upstream_, peer, limits, std::move(*request),
      static_cast<UpstreamConnection::Events&>(*this));
  connection_->start(fresh);
}

void ProxyResponder::drop_connection() {
  use_ = {};
  reader_.reset();
  if (!connection_) return;
  connection_->close();
  writer_.loop().discard(std::move(connection_));
}

bool ProxyResponder::replayable() const {
  return !body_begun_ && state_ == State::Waiting;
}

bool ProxyResponder::may_try_next(unsigned cause, bool request_sent) const {
  const auto& next = settings_.next_upstream.get();
  if (cause != 0 && !(next.causes & cause)) return false;
  if (request_sent && !idempotent_ && !(next.causes & NextUpstream::kNonIdempotent)) return false;
  const auto limit = settings_.next_upstream_tries.get();
  if (limit != 0 && tries_ >= limit) return false;
  const auto time = settings_.next_upstream_timeout.get();
  if (time.count() != 0 && writer_.loop().clock().now() - started_ >= time) return false;
  return replayable();
}

// ---- The client's body

void ProxyResponder::on_body(std::span<const std::byte> data) {
  if (!connection_ || body_plan_ != BodyPlan::Stream) return;
  body_begun_ = true;
  if (connection_->send_body(data) == Flow::Wait) writer_.pause_body(http::Pause::UpstreamFull);
}

void ProxyResponder::on_body_end() {
  if (state_ == State::Collecting) return try_next();
  if (!connection_ || body_plan_ != BodyPlan::Stream) return;
  body_begun_ = true;
  connection_->end_body(writer_.exchange().request_trailers());
}

void ProxyResponder::on_upstream_connected() {
  current_try().connect_ms = ms_since(try_started_);
  if (body_plan_ == BodyPlan::Kept) return send_kept();
  if (body_plan_ != BodyPlan::Stream) return;
  // Only now: as long as nothing was taken from the client, another server may be tried.
  writer_.resume_body(http::Pause::UpstreamFull);
  writer_.resume_body(http::Pause::NotStarted);
}

void ProxyResponder::send_kept() {
  const auto& body = *writer_.exchange().kept_body();
  if (!body.in_file()) {
    connection_->send_body(as_bytes(body.memory()));
    return connection_->end_body();
  }
  reader_ = std::make_unique<http::BodyReader>(body, static_cast<http::BodyReader::Events&>(*this));
  reader_->next();
}

void ProxyResponder::on_body_piece(std::span<const std::byte> piece) {
  if (!connection_ || state_ == State::Done) return;
  const auto flow = connection_->send_body(piece);
  if (reader_->done()) return connection_->end_body();
  if (flow == Flow::GoOn) reader_->next();
}

void ProxyResponder::on_body_unreadable(const Error& error) {
  state_ = State::Done;
  drop_connection();
  writer_.fail(error);
}

void ProxyResponder::on_upstream_writable() {
  if (body_plan_ != BodyPlan::Kept) return writer_.resume_body(http::Pause::UpstreamFull);
  if (reader_ && !reader_->reading() && !reader_->done()) reader_->next();
}

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
  if (const auto to = head.headers.find("X-Accel-Redirect");
      to && !(ignored & IgnoredFields::kRedirect)) {
    return redirect_inside(head, *to);
  }
  if (const auto rate = accel_limit_rate(head); rate && !(ignored & IgnoredFields::kLimitRate))
    exchange.set_limit_rate(*rate);
  state_ = State::Streaming;
  writer_.head(make_response_head(writer_.exchange(), head, settings_),
               settings_.intercept_errors.get());
  if (!writer_.exchange().head_sent()) {  // error_page took over
    state_ = State::Done;
    drop_connection();
  }
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
  drop_connection();
  auto& method = exchange.request().head.method;
  if (target->front() == '/' && method != "HEAD") method = "GET";
  writer_.redirect(*target);
}

void ProxyResponder::on_upstream_body(std::span<const std::byte> data) {
  if (state_ != State::Streaming) return;
  auto& entry = current_try();
  entry.response_length += data.size();
  entry.response_ms = ms_since(try_started_);  // as far as it came, should the client leave
  note_sizes();
  if (writer_.write(SharedBytes::copy_of(as_text(data))) == Flow::Wait && connection_)
    connection_->pause();
}

void ProxyResponder::on_writable() {
  if (connection_) connection_->resume();
}

void ProxyResponder::on_upstream_end(const http::HeaderList& trailers) {
  if (state_ != State::Streaming) return;
  note_sizes();
  current_try().response_ms = ms_since(try_started_);
  use_ = {};
  state_ = State::Done;
  http::HeaderList passed;
  if (settings_.pass_trailers.get())
    for (const auto& field : trailers)
      passed.add(writer_.arena().copy(field.name), writer_.arena().copy(field.value));
  writer_.end(passed);
}

void ProxyResponder::on_upstream_upgraded(const http::ReceivedHead& head) {
  auto& entry = current_try();
  entry.status = 101;
  entry.header_ms = ms_since(try_started_);
  note_sizes();
  upstream_.report(peer_, true);
  auto answer = make_response_head(writer_.exchange(), head, settings_);
  if (const auto protocol = head.headers.find("Upgrade"))
    answer.headers.add("Upgrade", writer_.arena().copy(*protocol));
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
    state_ = State::Done;
    upstream_.report(peer_, false);
    return writer_.fail(error);  // the head has left: the client sees a cut
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

void ProxyResponder::note_sizes() {
  auto& entry = current_try();
  if (!connection_) return;
  entry.bytes_sent = connection_->bytes_sent();
  entry.bytes_received = connection_->bytes_received();
}

std::string ProxyResponder::upstream_note() const {
  const auto& peer = upstream_.peer(peer_);
  const bool is_unix = peer.endpoint.family() == net::Endpoint::Family::Unix;
  return fmt::format(", upstream: \"{}://{}{}{}\"", target_.url.scheme(), peer.name,
                     is_unix ? ":" : "", uri_);
}

std::int64_t ProxyResponder::ms_since(MonoTime time) const {
  return std::chrono::duration_cast<std::chrono::milliseconds>(writer_.loop().clock().now() - time)
      .count();
}

}  // namespace gatescope::upstream
