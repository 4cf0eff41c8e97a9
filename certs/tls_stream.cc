#include "certs/tls_stream.h"

#include <optional>
#include <utility>

#include "certs/record_writer.h"
#include "certs/scratch.h"
#include "certs/tls_engine.h"
#include "proxy/base/text.h"

namespace gatescope::tls {
namespace {

using Outcome = TlsEngine::Outcome;

/// The four flows: encrypted in (the inner stream's on_data, `rest_` what of it has to wait),
/// encrypted out (flows().out, sent by flush()), clear in (the thread's Scratch, to on_data), clear
/// out (write()'s bytes, through RecordWriter).
///
/// Events of the user are called from the inner stream's events and from the end of a turn only,
/// each as the last thing its function does.
class TlsOverStream final : public TlsStream, private net::StreamEvents, private net::TurnHook {
 public:
  TlsOverStream(std::unique_ptr<net::Stream> inner, net::Loop& loop, const ContextChooser& chooser,
                HandshakeEvents& events)
      : loop_(loop), chooser_(&chooser), handshake_events_(&events), inner_(std::move(inner)) {
    inner_->set_events(this);
    inner_->start_reading();
  }

  /// The client's end: it speaks first, at the end of this turn.
  TlsOverStream(std::unique_ptr<net::Stream> inner, net::Loop& loop,
                std::unique_ptr<TlsEngine> engine, HandshakeEvents& events)
      : loop_(loop),
        chooser_(nullptr),
        handshake_events_(&events),
        inner_(std::move(inner)),
        engine_(std::move(engine)) {
    inner_->set_events(this);
    inner_->start_reading();
    loop_.at_turn_end(*this);
  }

  void set_events(net::StreamEvents* events) override {
    events_ = events;
    if (events == nullptr) handshake_events_ = nullptr;
  }
  void start_reading() override;
  void stop_reading() override;
  Flow write(ByteQueue& bytes) override;
  std::size_t unsent() const override { return inner_->unsent(); }
  void notify_sent() override {
    notify_sent_ = true;
    inner_->notify_sent();
  }
  void shut_down() override;
  void reset_on_close() override { inner_->reset_on_close(); }
  const net::Endpoint& peer() const override { return inner_->peer(); }
  const net::Endpoint& local() const override { return inner_->local(); }
  const TlsInfo& info() const override { return info_; }
  const TlsFacts& facts() const override { return *engine_; }
  std::unique_ptr<net::Stream> release_inner() override;
  std::string_view clear_bytes() const override { return rest_; }

 private:
  enum class State { Handshaking, Open, Closing, Closed, Failed };

  // The inner stream's events.
  void on_data(std::span<const std::byte> encrypted) override;
  void on_end() override;
  void on_drained() override;
  void on_failed(const Error& error) override;
  void on_turn_end() override;

  void proceed();  // with what lies in flows().in
  void shake_hands();
  void deliver();
  void keep_rest();
  Flow flush();
  void end();
  void fail(const Error& error);
  void fail_handshake(const Error& error, bool plain_http = false);

  // Constant after construction.
  net::Loop& loop_;
  const ContextChooser* const chooser_;  // used until the client's hello has come; null: we are it
  HandshakeEvents* handshake_events_;    // called once; null: nobody listens any more

  std::unique_ptr<net::Stream> inner_;  // null after release_inner()
  std::unique_ptr<TlsEngine> engine_;   // null until the first byte: most preconnects send none
  net::StreamEvents* events_ = nullptr;
  State state_ = State::Handshaking;
  TlsInfo info_;
  RecordWriter records_;
  std::string rest_;           // came encrypted, not yet given to OpenSSL; empty when idle
  std::size_t held_ = 0;       // of flows().out: tickets that leave with the first answer
  bool failure_ = false;       // the engine's is to be told next
  bool just_open_ = false;     // in this turn
  bool reading_ = false;       // the user wants data
  bool more_ = false;          // OpenSSL may have more without new input
  bool inner_ended_ = false;   // FIN
  bool end_told_ = false;      // on_end was called
  bool told_to_wait_ = false;  // on_drained is owed
  bool notify_sent_ = false;   // ... when all has left
};

/// A TLS record of a hello starts with 0x16; a request line with a letter.
bool looks_like_http(std::span<const std::byte> first) {
  return is_alpha(static_cast<char>(first[0]));
}

void TlsOverStream::on_data(std::span<const std::byte> encrypted) {
  if (state_ == State::Failed || end_told_ || encrypted.empty()) return;
  if (!engine_) {
    if (looks_like_http(encrypted)) {
      rest_.assign(as_text(encrypted));
      return fail_handshake(make_error(ErrorKind::Protocol, Origin::Client,
                                       "client sent plain HTTP request to HTTPS port"),
                            true);
    }
    auto engine = TlsEngine::make(*chooser_);
    if (!engine) return fail_handshake(engine.error());
    engine_ = *std::move(engine);
  }
  if (!rest_.empty()) {  // the turn hook or start_reading() goes on with it
    rest_.append(as_text(encrypted));
    if (!reading_) inner_->stop_reading();
    return;
  }
  engine_->flows().in = encrypted;
  proceed();
}

void TlsOverStream::on_turn_end() {
  if (!engine_) return;
  // Behind the hook of a session that has just begun and asks for data there: the tickets wait for
  // its first answer, and the inner stream goes on reading.
  if (std::exchange(just_open_, false) && !reading_) return loop_.at_turn_end(*this);
  engine_->flows().in = as_bytes(rest_);
  proceed();
}

void TlsOverStream::proceed() {
  switch (state_) {
    case State::Handshaking:
      return shake_hands();
    case State::Open:
    case State::Closing:
      return deliver();
    case State::Closed:
    case State::Failed:
      engine_->flows().in = {};
      free_storage(rest_);
      return;
  }
}

/// `flows().in` may point into the inner stream's buffer, which is gone after this turn.
void TlsOverStream::keep_rest() {
  const auto left = std::exchange(engine_->flows().in, {});
  if (left.empty()) {
    free_storage(rest_);
  } else if (rest_.empty()) {
    rest_.assign(as_text(left));
  } else {
    rest_.erase(0, rest_.size() - left.size());  // `left` is its end
  }
}

void TlsOverStream::shake_hands() {
  const Outcome outcome = engine_->shake_hands();
  keep_rest();
  switch (outcome) {
    case Outcome::WantInput:
      flush();
      return;
    case Outcome::PeerClosed:
      flush();
      return fail_handshake(
          make_error(ErrorKind::Closed, Origin::Client, "peer closed connection in SSL handshake"));
    case Outcome::Failed:
      flush();  // the alert
      return fail_handshake(engine_->failure());
    case Outcome::Done:
      break;
  }
  // What TLS 1.3 has to say now are tickets only: they go in the flight of the first answer, not in
  // a packet of their own, if the request has come with the handshake's end (deliver() looks).
  if (engine_->is_tls13()) {
    held_ = engine_->flows().out.size();
  } else {
    flush();
  }
  info_ = engine_->describe();
  state_ = State::Open;
  more_ = true;  // the last flight may have carried data that OpenSSL has read already
  just_open_ = true;
  loop_.at_turn_end(*this);
  if (handshake_events_ != nullptr) handshake_events_->on_handshake_done();
}

void TlsOverStream::deliver() {
  if (failure_) {
    failure_ = false;
    return fail(engine_->failure());
  }
  if (!reading_ || end_told_) {
    if (held_ > 0) flush();
    keep_rest();
    if (!end_told_) inner_->stop_reading();
    return;
  }
  const Scratch scratch;
  std::size_t filled = 0;
  const Outcome outcome = engine_->read(scratch.room(), filled);
  keep_rest();
  if (engine_->flows().out.size() > held_) flush();  // an alert, an answer to a KeyUpdate
  more_ = outcome != Outcome::WantInput;
  if (outcome == Outcome::Failed) failure_ = true;
  if (filled > 0) {
    if (more_ || inner_ended_) loop_.at_turn_end(*this);
    if (events_ != nullptr) events_->on_data(scratch.room().first(filled));
    return;
  }
  if (failure_) {
    failure_ = false;
    return fail(engine_->failure());
  }
  if (outcome == Outcome::WantInput && !inner_ended_) {
    // No request yet. A client without TCP_NODELAY holds it back until the end of its handshake is
    // acknowledged, and the kernel does that 40 ms later unless something is sent: the tickets.
    if (held_ > 0) flush();
    return;
  }
  info_.truncated = outcome != Outcome::PeerClosed;
  end();
}

void TlsOverStream::end() {
  end_told_ = true;
  if (state_ == State::Closing) state_ = State::Closed;
  if (events_ != nullptr) events_->on_end();
}

void TlsOverStream::fail(const Error& error) {
  state_ = State::Failed;
  inner_->stop_reading();
  if (events_ != nullptr) events_->on_failed(error);
}

void TlsOverStream::fail_handshake(const Error& error, bool plain_http) {
  state_ = State::Failed;
  inner_->stop_reading();
  if (handshake_events_ != nullptr) handshake_events_->on_handshake_failed(error, plain_http);
}

void TlsOverStream::on_end() {
  inner_ended_ = true;
  if (state_ == State::Handshaking) {
    return fail_handshake(
        make_error(ErrorKind::Closed, Origin::Client, "peer closed connection in SSL handshake"));
  }
  if (reading_) on_turn_end();
}

void TlsOverStream::on_drained() {
  const bool room = std::exchange(told_to_wait_, false);
  const bool sent = notify_sent_ && inner_->unsent() == 0;
  if (sent) notify_sent_ = false;
  if ((!room && !sent) || state_ == State::Failed) return;
  if (events_ != nullptr) events_->on_drained();
}

void TlsOverStream::on_failed(const Error& error) {
  if (state_ == State::Failed) return;
  if (state_ == State::Handshaking) return fail_handshake(error);
  fail(error);
}

void TlsOverStream::start_reading() {
  if (state_ == State::Failed || end_told_) return;
  reading_ = true;
  inner_->start_reading();
  if (state_ != State::Handshaking && (more_ || !rest_.empty() || inner_ended_)) {
    loop_.at_turn_end(*this);
  }
}

void TlsOverStream::stop_reading() {
  reading_ = false;
  if (state_ != State::Handshaking) inner_->stop_reading();
}

Flow TlsOverStream::write(ByteQueue& bytes) {
  if (state_ != State::Open || failure_) {
    bytes.clear();
    return Flow::Wait;
  }
  if (bytes.empty()) return Flow::GoOn;
  if (!records_.encrypt(*engine_, bytes, loop_.clock().now())) {
    bytes.clear();
    failure_ = true;
    loop_.at_turn_end(*this);
  }
  const Flow flow = flush();
  if (flow == Flow::Wait) told_to_wait_ = true;
  return flow;
}

Flow TlsOverStream::flush() {
  auto& out = engine_->flows().out;
  held_ = 0;
  if (out.empty()) return Flow::GoOn;
  const Flow flow = inner_->write(out);
  out.shrink();
  return flow;
}

void TlsOverStream::shut_down() {
  if (state_ == State::Open) {
    // Nothing to do when it fails: then the peer is cut off with the FIN alone.
    static_cast<void>(engine_->close());
    flush();
    state_ = end_told_ ? State::Closed : State::Closing;
  }
  if (inner_) inner_->shut_down();
}

std::unique_ptr<net::Stream> TlsOverStream::release_inner() {
  state_ = State::Failed;
  inner_->set_events(nullptr);
  return std::move(inner_);
}

}  // namespace

std::unique_ptr<TlsStream> TlsStream::accept(std::unique_ptr<net::Stream> inner, net::Loop& loop,
                                             const ContextChooser& chooser,
                                             HandshakeEvents& events) {
  return std::make_unique<TlsOverStream>(std::move(inner), loop, chooser, events);
}

Result<std::unique_ptr<TlsStream>> TlsStream::connect(std::unique_ptr<net::Stream> inner,
                                                      net::Loop& loop,
                                                      std::shared_ptr<const ClientTls> tls,
                                                      ServerIdentity server,
                                                      HandshakeEvents& events) {
  auto engine = TlsEngine::make_client(std::move(tls), std::move(server));
  if (!engine) return engine.error();
  return std::unique_ptr<TlsStream>(
      std::make_unique<TlsOverStream>(std::move(inner), loop, *std::move(engine), events));
}

}  // namespace gatescope::tls
