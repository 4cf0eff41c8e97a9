#include "proxy/upstream/proxy_responder.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace gatescope::upstream {

namespace {

constexpr Duration kRest{50};  // between two rounds of tries while no server can be connected

bool is_idempotent(std::string_view method) {
  for (std::string_view m : {"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE", "PROPFIND"})
    if (method == m) return true;
  return false;
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
  uri_ = map_uri(uri_input(exchange, *settings_.pass, *target_.url));
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

void ProxyResponder::add_try(http::UpstreamTry entry) {
  auto& tries = writer_.exchange().upstream_tries();
  entry.elsewhere = !std::exchange(has_tried_, true) && !tries.empty();
  try_index_ = tries.size();
  tries.push_back(entry);
}

http::UpstreamTry& ProxyResponder::current_try() {
  return writer_.exchange().upstream_tries()[try_index_];
}

void ProxyResponder::try_next() {
  const bool rested = rest_until_ != MonoTime{};
  const auto peer = upstream_.choose(tried_, balancing_key(), rested);
  if (!peer) {
    if (rest()) return;
    add_try({.address = writer_.arena().copy(target_.upstream->name()), .status = 502});
    state_ = State::Done;
    return writer_.fail(make_error(
        ErrorKind::Unreachable, Origin::Upstream,
        fmt::format("no live upstreams while connecting to upstream, upstream: \"{}://{}{}\"",
                    target_.url->scheme(), target_.upstream->name(), uri_)));
  }
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

/// proxy_bind. As nginx: one that makes no sense is said, and the system chooses.
net::LocalAddress ProxyResponder::local_address() {
  auto& exchange = writer_.exchange();
  auto local = settings_.bind.get().local(exchange, exchange.arena());
  if (local) return *local;
  writer_.log(LogLevel::Error, local.error().detail);
  return {};
}

void ProxyResponder::connect(std::size_t peer, bool fresh) {
  auto& exchange = writer_.exchange();
  peer_ = peer;
  use_ = upstream_.use(peer);
  state_ = State::Waiting;
  reader_.reset();
  const auto* kept = exchange.kept_body();
  const auto send_proxy = settings_.send_proxy.get();
  const bool keeps = upstream_.pool().enabled() && send_proxy == SendProxy::Off;
  auto request = build_request(exchange, settings_, target_.url->host_header(), uri_, keeps,
                               body_plan_, kept ? kept->size() : 0);
  if (!request) {
    state_ = State::Done;
    return writer_.fail(request.error());
  }
  try_started_ = writer_.loop().clock().now();
  add_try({.address = writer_.arena().copy(upstream_.peer(peer).name), .began = try_started_});
  ConnectionSettings limits{
      settings_.connect_timeout.get(),
      settings_.send_timeout.get(),
      settings_.read_timeout.get(),
      {},
      target_.tls,
      {},
      local_address(),
      proxy_preamble(send_proxy, exchange.connection().client, exchange.connection().local)};
  if (target_.tls) {
    limits.server = settings_.tls.identity(*target_.url, exchange, exchange.arena());
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

/// Only when the peer was not good enough: of most requests no peer need be remembered.
void ProxyResponder::note_tried() {
  tried_.resize(upstream_.size());
  tried_[peer_] = true;
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

// ---- What is told

void ProxyResponder::note_sizes() {
  auto& entry = current_try();
  if (!connection_) return;
  entry.bytes_sent = connection_->bytes_sent();
  entry.bytes_received = connection_->bytes_received();
}

std::string ProxyResponder::upstream_note() const {
  const auto& peer = upstream_.peer(peer_);
  const bool is_unix = peer.endpoint.family() == net::Endpoint::Family::Unix;
  return fmt::format(", upstream: \"{}://{}{}{}\"", target_.url->scheme(), peer.name,
                     is_unix ? ":" : "", uri_);
}

std::int64_t ProxyResponder::ms_since(MonoTime time) const {
  return std::chrono::duration_cast<std::chrono::milliseconds>(writer_.loop().clock().now() - time)
      .count();
}

}  // namespace gatescope::upstream
