#include "proxy/connection.h"

#include <fmt/format.h>

#include <utility>

#include "proxy/replay_stream.h"

namespace gatescope::server {

Connection::Connection(Front& front, std::shared_ptr<const Current> current,
                       const http::ListenAddress& address, std::unique_ptr<net::Stream> stream,
                       std::uint64_t number)
    : front_(front),
      current_(std::move(current)),
      address_(&address),
      stream_(std::move(stream)),
      log_(*this) {
  info_.number = number;
  info_.client = stream_->peer();
  info_.local = stream_->local();
  info_.client_address = info_.client.address();
  info_.started = front_.loop().clock().now();
}

Connection::~Connection() {
  count_as(Counted::None);
}

void Connection::count_as(Counted now) {
  auto& stats = front_.stats();
  const auto number = [&](Counted counted) -> LoopCounter* {
    switch (counted) {
      case Counted::Handshaking:
        return &stats.handshaking;
      case Counted::Waiting:
        return &stats.waiting;
      case Counted::Busy:
        return http2_ ? nullptr : &stats.busy_http1;
      case Counted::None:
        break;
    }
    return nullptr;
  };
  if (auto* before = number(std::exchange(counted_, now))) before->sub();
  if (auto* after = number(now)) after->add();
}

void Connection::start() {
  if (!address_->proxy_protocol) return begin();
  handshake_timer_ = front_.loop().make_timer(*this);
  handshake_timer_->start(address_->names.default_server().session.header_timeout);
  proxy_reader_ =
      std::make_unique<ProxyHeaderReader>(*stream_, static_cast<ProxyHeaderReader::Events&>(*this));
}

void Connection::on_proxy_header(const ProxyHeader& header, std::string rest) {
  if (state_ != State::Handshaking) return;
  front_.loop().discard(std::move(proxy_reader_));
  handshake_timer_.reset();
  info_.proxied = header.client;
  stream_ = std::make_unique<ReplayStream>(std::move(stream_), std::move(rest), front_.loop());
  begin();
}

void Connection::on_proxy_header_failed(const Error& error) {
  if (state_ != State::Handshaking) return;
  log_.write(error.kind == ErrorKind::Protocol ? LogLevel::Error : LogLevel::Info,
             error.detail + " while reading PROXY protocol");
  close();
}

void Connection::begin() {
  if (!address_->tls) return address_->offers_http2() ? look_for_preface() : serve(false);
  count_as(Counted::Handshaking);
  handshake_timer_ = front_.loop().make_timer(*this);
  handshake_timer_->start(address_->names.default_server().session.header_timeout);
  auto tls = tls::TlsStream::accept(std::move(stream_), front_.loop(), address_->names, *this);
  tls_ = tls.get();
  stream_ = std::move(tls);
}

void Connection::serve(bool http2) {
  state_ = State::Serving;
  count_as(Counted::None);  // as what it was, before it has a version
  http2_ = http2;
  if (http2) front_.stats().http2_connections.add();
  count_as(Counted::Busy);  // the session says when it waits
  const auto make = http2 ? http::make_http2_session : http::make_http1_session;
  session_ = make(*stream_, front_.loop(), *this, server_of_session().session);
  session_->start();
  if (front_.winding_down() && http2) session_->wind_down();
}

/// A client that sends nothing waits as one of HTTP/1 would: for its first request.
void Connection::look_for_preface() {
  count_as(Counted::Waiting);
  handshake_timer_ = front_.loop().make_timer(*this);
  handshake_timer_->start(address_->names.default_server().session.first_wait());
  preface_reader_ = std::make_unique<Http2PrefaceReader>(
      *stream_, static_cast<Http2PrefaceReader::Events&>(*this));
}

void Connection::on_preface_begun() {
  if (state_ == State::Handshaking)
    handshake_timer_->start(address_->names.default_server().session.header_timeout);
}

void Connection::on_preface(bool http2, std::string came) {
  if (state_ != State::Handshaking) return;
  front_.loop().discard(std::move(preface_reader_));
  handshake_timer_.reset();
  stream_ = std::make_unique<ReplayStream>(std::move(stream_), std::move(came), front_.loop());
  serve(http2);
}

void Connection::on_preface_failed(const Error& error) {
  if (state_ != State::Handshaking) return;
  log_.write(LogLevel::Info, error.detail + " while waiting for request");
  close();
}

void Connection::finish() {
  if (state_ == State::Serving) return session_->finish();
  if (state_ == State::Handshaking) close();
}

void Connection::wind_down() {
  if (state_ == State::Serving) session_->wind_down();
}

void Connection::on_handshake_done() {
  if (state_ != State::Handshaking) return;  // the deadline came first in this turn
  (tls_->info().resumed ? front_.stats().resumed : front_.stats().handshakes).add();
  if (tls_->info().alpn == tls::kProofProtocol) {
    stream_->shut_down();  // the certificate was all of it (RFC 8737 3)
    return close();
  }
  handshake_timer_.reset();
  info_.tls = &tls_->facts();
  tls_server_ = &named_in_handshake(*address_);
  serve(tls_->info().alpn == "h2");
  if (front_.finishing()) session_->finish();
}

void Connection::on_handshake_failed(const Error& error, bool plain_http) {
  if (state_ != State::Handshaking) return;
  handshake_timer_.reset();
  if (plain_http) {
    const std::string came(tls_->clear_bytes());
    auto inner = std::make_unique<ReplayStream>(tls_->release_inner(), came, front_.loop());
    tls_ = nullptr;
    front_.loop().discard(std::move(stream_));  // the TlsStream is on the stack
    stream_ = std::move(inner);
    return serve(false);
  }
  front_.stats().handshakes_failed.add();
  log_.write(LogLevel::Info, error.detail + " while SSL handshaking");
  close();
}

void Connection::on_timer(net::Timer&) {
  if (counted_ == Counted::Handshaking) front_.stats().handshakes_failed.add();
  log_.write(LogLevel::Info, fmt::format("client timed out (110: Connection timed out) while {}",
                                         proxy_reader_     ? "reading PROXY protocol"
                                         : preface_reader_ ? "waiting for request"
                                                           : "SSL handshaking"));
  close();
}

const http::VirtualServer& Connection::server_of_session() const {
  return tls_server_ ? *tls_server_ : address_->names.default_server();
}

const http::VirtualServer& Connection::named_in_handshake(
    const http::ListenAddress& address) const {
  const auto name = info_.tls->server_name();
  return name.empty() ? address.names.default_server() : address.names.find(name);
}

/// Between two requests nothing of the old generation is in use: the next one sees the new
/// configuration.
Connection::Follow Connection::follow_reload() {
  if (front_.current() == current_) return Follow::Moved;
  const auto* address = front_.current()->generation->routing->find(info_.local);
  if (!address || address->tls != address_->tls) return Follow::NotServed;

  if (info_.tls) {
    const auto& server = named_in_handshake(*address);
    const auto context = address->names.context_of(server);
    // The client was judged by rules that are gone; a new handshake meets the new ones.
    if (!context || context->client_rules() != info_.tls->client_rules()) return Follow::OtherRules;
    // Buffers, windows and the number of streams were settled when the connection began.
    if (server.session != server_of_session().session) return Follow::OtherRules;
    tls_server_ = &server;
  } else if (address->names.default_server().session != server_of_session().session) {
    return Follow::OtherRules;
  }
  std::erase_if(former_, [](const auto& use) { return use.expired(); });
  if (use_) former_.push_back(use_);
  use_.reset();
  current_ = front_.current();
  address_ = address;
  return Follow::Moved;
}

bool Connection::uses(std::uint64_t generation) const {
  if (current_->generation->number == generation) return true;
  for (const auto& former : former_)
    if (const auto use = former.lock(); use && use->current->generation->number == generation)
      return true;
  return false;
}

// One that has asked for nothing yet is busy, as in nginx. One under other rules has its next
// request answered: it may be on its way.
void Connection::follow_if_idle() {
  if (state_ != State::Serving || !idle_ || info_.requests == 0) return;
  const auto follow = follow_reload();
  // HTTP/2's goodbye is a graceful one: what is on its way is still answered.
  if (follow == Follow::NotServed || (follow != Follow::Moved && http2_)) session_->finish();
}

std::unique_ptr<http::SessionExchange> Connection::make_exchange(http::ExchangeLink& link,
                                                                 http::RequestHead head) {
  if (follow_reload() != Follow::Moved || front_.winding_down())
    session_->finish();  // the last under what is gone, as with nginx's old workers
  ++info_.requests;
  const bool shares_connection = head.version == http::Version::Http2;
  auto exchange = std::make_unique<http::Exchange>(current_->context, *address_, info_, link,
                                                   std::move(head), tls_server_);
  if (shares_connection) {
    if (!use_) use_ = std::make_shared<const Use>(Use{current_});
    exchange->keep_alive(use_);
  }
  return exchange;
}

std::string_view Connection::date() {
  const auto& context = current_->context;
  return context.date.at(context.loop.clock().wall());
}

void Connection::on_idle(bool idle) {
  idle_ = idle;
  count_as(idle ? Counted::Waiting : Counted::Busy);
  follow_if_idle();
}

void Connection::on_session_over() {
  close();
}

void Connection::close() {
  if (state_ == State::Over) return;
  state_ = State::Over;
  count_as(Counted::None);
  stream_->set_events(nullptr);  // it lives until the end of the turn; nothing of it may reach a
                                 // session that is gone
  front_.remove(*this);
}

bool Connection::ConnectionLog::enabled(LogLevel level) const {
  return connection_.current_->context.log.enabled(level);
}

void Connection::ConnectionLog::write(LogLevel level, std::string_view message) {
  auto& log = connection_.current_->context.log;
  if (!log.enabled(level)) return;
  log.write(level, fmt::format("*{} {}, client: {}, server: {}", connection_.info_.number, message,
                               connection_.info_.client_address, connection_.address_->written));
}

}  // namespace gatescope::server
