#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/base/arena.h"
#include "proxy/base/bytes.h"
#include "proxy/http/head_scanner.h"
#include "proxy/http/http1_parser.h"
#include "proxy/http/http1_writer.h"
#include "proxy/http/session.h"
#include "proxy/net/loop.h"

namespace gatescope::http {

class Http1Tunnel;

/// A conversation in HTTP/1.0 or 1.1: one exchange at a time, pipelined requests wait in a bounded
/// buffer. Owned by the connection; ends by host.on_session_over(), called once, from the turn
/// hook, as its last statement.
///
///   Idle -> Head -> Exchange -> Idle                     (keep-alive)
///                            -> Draining -> Idle         (rest of an unwanted body)
///                            -> Tunnel -> Closing        (101)
///                            -> Lingering | Closing      (the last response)
///   Lingering -> Over, Closing -> Over, any -> Over when the stream fails or a deadline passes
///
/// Closing waits until what was written has left; Lingering has sent its FIN too and reads on,
/// dropping, so that the client gets the answer instead of a reset. advance() alone moves the
/// machine on; it runs from on_data and from the turn hook. Calls of the link only append to
/// `out_`, set marks, and ask for the hook.
class Http1Session final : public Session,
                           public ExchangeLink,
                           private net::StreamEvents,
                           private net::TimerEvents,
                           private net::TurnHook {
 public:
  Http1Session(net::Stream& stream, net::Loop& loop, SessionHost& host,
               const SessionSettings& settings);
  ~Http1Session() override;

  // Session
  void start() override;
  void finish() override;
  void wind_down() override {
    if (!idle()) finish();
  }
  bool idle() const override { return state_ == State::Idle; }

  // ExchangeLink
  Arena& arena() override { return arena_; }
  void set_policy(const ExchangePolicy& policy) override;
  void send_informational(int status, const HeaderList& headers) override;
  void send_head(const ResponseHead& head) override;
  Flow send_body(SharedBytes bytes) override;
  std::optional<std::size_t> send_file(int file, std::uint64_t offset, std::size_t size) override;
  void send_end(const HeaderList& trailers) override;
  void cut(bool reset) override;
  void want_body(bool wanted) override;
  void last_response() override { client_keeps_ = false; }
  void abort_on_client_end(bool abort) override { abort_on_end_ = abort; }
  std::unique_ptr<ByteTunnel> take_tunnel() override;
  std::uint64_t bytes_sent() const override { return sent_; }
  std::uint64_t bytes_received() const override { return received_; }
  SentFraming sent_framing() const override {
    return {head_sent_bytes_, keep_alive_, chunked_, policy().keepalive_header};
  }

 private:
  friend class Http1Tunnel;
  enum class State { Idle, Head, Exchange, Draining, Closing, Lingering, Tunnel, Over };
  enum class Body { None, Reading, Done, Failed };  // the request's
  enum class Reply { None, HeadSent, Ended };       // the response

  // StreamEvents
  void on_data(std::span<const std::byte> data) override;
  void on_end() override;
  void on_drained() override;
  void on_failed(const Error& error) override;
  // TimerEvents
  void on_timer(net::Timer& timer) override;
  // TurnHook
  void on_turn_end() override;
  /// One connection must not fill a turn: what it could still do is done in the next one.
  class GoOn final : public net::TurnHook {
   public:
    explicit GoOn(Http1Session& session) : session_(session) {}
    void on_turn_end() override;

   private:
    Http1Session& session_;
  };
  void go_on();

  // The machine (http1_session.cc)
  void schedule() { loop_.at_turn_end(*this); }
  std::string_view advance(std::string_view input);
  void advance_waiting();
  bool read_head(std::string_view& input);
  void begin_exchange(std::string_view input);
  bool read_body(std::string_view& input);
  bool drain_body(std::string_view& input);
  void end_exchange(bool more_input);
  /// Whether the connection outlives its response as far as the server's end is concerned.
  bool may_stay() const { return !finishing_ || keepalive_min_ > Duration::zero(); }
  const ExchangePolicy& policy() const;
  bool is_sending_slowly();
  void close(bool linger);
  void client_gone(const Error& error);

  // Output (http1_link.cc)
  bool output_full() const;
  bool keeps_alive() const;
  void account(std::size_t size_before);
  void flush();

  // Deadlines (http1_deadlines.cc)
  void arm();
  void note_write_progress(MonoTime now);
  void on_read_deadline();
  MonoTime read_deadline() const;
  void update_reading();
  void release_buffers();

  // The tunnel's
  void on_tunnel_closed(bool failed);

  // Constant after construction
  net::Stream& stream_;
  net::Loop& loop_;
  SessionHost& host_;
  const SessionSettings settings_;
  const MonoTime started_;
  const std::unique_ptr<net::Timer> timer_;

  // The connection
  State state_ = State::Idle;
  bool reading_ = false;        // asked of the stream
  bool ended_ = false;          // the client sends no more
  bool gone_ = false;           // nothing can be sent any more
  bool finishing_ = false;      // this response is the last
  bool blocked_ = false;        // the stream said Wait
  bool reported_idle_ = false;  // what the host knows
  bool told_over_ = false;      // the host knows that we are done
  std::uint64_t requests_ = 0;  // so far
  std::string in_;  // bytes that wait: a head in part, an unwanted body, the next requests
  ByteQueue out_;   // this turn's output
  std::uint64_t written_ = 0;    // handed to the stream
  std::uint64_t left_mark_ = 0;  // how much of it had left when write_deadline_ was set
  GoOn go_on_{*this};
  std::unique_ptr<HeadScanner> scanner_;  // null while idle
  Http1BodyParser body_parser_;

  // Of the last exchange, while idle
  Duration keepalive_timeout_{};
  Duration keepalive_min_{};

  // Deadlines; zero: none
  MonoTime state_since_{};  // of Idle, Head, Draining, Lingering
  MonoTime last_read_{};    // bytes came, or were asked for
  MonoTime write_deadline_{};

  // The exchange
  Arena arena_;
  std::unique_ptr<SessionExchange> exchange_;
  std::unique_ptr<ExchangePolicy> policy_;  // null while idle
  Version version_ = Version::Http11;
  Body body_ = Body::None;
  Reply reply_ = Reply::None;
  bool is_head_ = false, refused_ = false, client_keeps_ = false;
  bool body_wanted_ = false;
  bool continue_expected_ = false;  // 100 is owed
  bool abort_on_end_ = false;
  bool keep_alive_ = false;  // decided by send_head
  bool bodiless_ = false, chunked_ = false, switching_ = false;
  bool cut_ = false, reset_ = false;
  bool writer_waits_ = false;  // on_writable is owed
  bool with_last_ = false;     // the request came in one piece with the one before it
  std::uint64_t sent_ = 0, received_ = 0;
  std::uint64_t head_sent_bytes_ = 0;       // of heads, the final one and those before
  std::optional<std::uint64_t> body_left_;  // of the announced Content-Length; nullopt: unknown
  Http1Tunnel* tunnel_ = nullptr;  // lives with the exchange; null: none, or it was destroyed
};

}  // namespace gatescope::http
