#pragma once

#include <nghttp2/nghttp2.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "proxy/base/bytes.h"
#include "proxy/http/http1_writer.h"
#include "proxy/http/http2_flood.h"
#include "proxy/http/http2_frame_cutter.h"
#include "proxy/http/http2_request.h"
#include "proxy/http/http2_response.h"
#include "proxy/http/http2_stream.h"
#include "proxy/http/session.h"
#include "proxy/net/loop.h"

namespace gatescope::http {

inline constexpr std::size_t kHttp2FrameHead = 9;

/// A conversation in HTTP/2: many exchanges at once, each a Http2Stream. nghttp2 reads and makes
/// the frames; what a request may be is judged here (Http2RequestReader), and so is how much a
/// client may ask of us (Http2FloodGuard). Owned by the connection; ends by host.on_session_over(),
/// called once, from the turn hook, as its last statement.
///
///   Preface -> Open -> Closing -> Over
///                   -> Lingering -> Over
///   any -> Over when the stream fails
///
/// Preface: the client's first SETTINGS have not come. Closing waits until what was written has
/// left; Lingering has sent its FIN too and reads on, dropping, so that the client gets the last
/// frames instead of a reset. A graceful end is a GOAWAY that allows everything, then, a round trip
/// later, one that names the last stream (RFC 9113 6.8).
///
/// Input is taken in whole; nghttp2's callbacks start exchanges and hand them bodies. Output is
/// pulled out of nghttp2 once, at the end of the turn, and leaves in one write.
class Http2Session final : public Session,
                           private net::StreamEvents,
                           private net::TimerEvents,
                           private net::TurnHook {
 public:
  Http2Session(net::Stream& stream, net::Loop& loop, SessionHost& host,
               const SessionSettings& settings);
  ~Http2Session() override;

  // Session
  void start() override;
  void finish() override;
  void wind_down() override;
  bool idle() const override { return streams_.empty() && !block_.open; }

 private:
  friend class Http2Stream;
  friend struct Http2Callbacks;
  using Kind = Http2FloodGuard::Kind;
  enum class State { Preface, Open, Closing, Lingering, Over };
  enum class Goodbye { None, Noticed, Said };  // GOAWAY

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
    explicit GoOn(Http2Session& session) : session_(session) {}
    void on_turn_end() override { session_.go_on(); }

   private:
    Http2Session& session_;
  };

  // nghttp2's callbacks, and what comes before them (http2_callbacks.cc); false: give up
  bool on_begin_frame(const nghttp2_frame_hd& head);
  bool judge_stream(const nghttp2_frame_hd& head, std::uint32_t code);
  void note_reset(std::int32_t id);
  bool may_begin(std::int32_t id) const;
  bool on_begin_headers(const nghttp2_frame& frame);
  bool on_header(std::string_view name, std::string_view value);
  bool on_frame(const nghttp2_frame& frame);
  bool on_body(std::int32_t id, std::span<const std::byte> data);
  bool on_invalid_frame(const nghttp2_frame& frame, int why);
  void on_frame_sent(const nghttp2_frame& frame);
  void on_frame_not_sent(const nghttp2_frame& frame, int why);
  void on_stream_closed(std::int32_t id, std::uint32_t code);
  int send_data(std::int32_t id, std::span<const std::byte> head, std::size_t length);

  // The machine (http2_session.cc)
  void schedule() { loop_.at_turn_end(*this); }
  MonoTime now() const { return loop_.clock().now(); }
  const SessionSettings& settings() const { return settings_; }
  void flush();
  void fill();
  bool is_shut(std::int32_t id) const;
  bool end_shut_streams();
  bool stays_here(std::string_view frame);
  void append_settings(std::string_view frame);
  bool more_to_send() const;
  void go_on();
  void end_streams();
  void remove(Http2Stream& stream);
  void lose_streams(const Error& error);
  void end_when_done();
  void close(bool linger);
  void end_gracefully();
  void say_goodbye(std::int32_t last);
  void consider_last_request(const Http2Stream& stream);
  bool calm(std::string_view what);  // a flood
  void log_flood(std::string_view what);
  bool give_up(std::string_view what, std::uint32_t code);  // another fault of the connection
  bool allow(Kind kind);
  bool allow_data(std::size_t size);
  void on_request(const nghttp2_frame& frame);
  void on_trailers(const nghttp2_frame& frame);
  Http2Stream* find(std::int32_t id);
  void forget(const Http2Stream& stream);
  void feed(std::span<const std::byte> data);
  void suppose_settings();

  // nghttp2 asks what is to be sent (http2_output.cc)
  static Nghttp2Size read_body(nghttp2_session* session, std::int32_t id, std::uint8_t* buffer,
                               std::size_t length, std::uint32_t* flags,
                               nghttp2_data_source* source, void* self) noexcept;
  static Nghttp2Size read_length(nghttp2_session* session, std::uint8_t type, std::int32_t id,
                                 std::int32_t session_window, std::int32_t stream_window,
                                 std::uint32_t max_frame, void* self) noexcept;

  // For the streams (http2_output.cc)
  Http2Fields& fields() { return fields_; }
  ByteQueue& output() { return out_; }
  std::string_view date() { return host_.date(); }
  std::size_t queue_limit() const;
  void add_queued(std::size_t before, std::size_t after) { queued_ += after - before; }
  void submit_response(Http2Stream& stream, const Http2Fields& fields, bool with_body);
  void submit_informational(std::int32_t id, const Http2Fields& fields);
  bool submit_trailers(std::int32_t id, const Http2Fields& fields);
  void submit_reset(std::int32_t id, std::uint32_t code);
  /// A reset that only nghttp2 hears of.
  void end_quietly(std::int32_t id);
  void resume(std::int32_t id);
  void consume(std::int32_t id, std::size_t size);
  void open_window(std::int32_t id, std::size_t size);
  /// More of a stream's window than http2_body_preread_size, until it is removed. False: all is
  /// lent.
  bool lend_window(std::size_t size);
  void log_fault(std::string_view what, std::uint64_t bytes);

  // Deadlines (http2_deadlines.cc)
  void arm();
  MonoTime connection_deadline() const;
  MonoTime stream_deadline(Http2Stream& stream, MonoTime now);
  void note_write_progress(MonoTime now);
  void on_connection_deadline();
  void on_block_deadline();
  void say_goodbye_and_close();
  void update_reading();
  void release_buffers();

  // Constant after construction
  net::Stream& stream_;
  net::Loop& loop_;
  SessionHost& host_;
  const SessionSettings settings_;
  const MonoTime started_;
  const std::unique_ptr<net::Timer> timer_;
  nghttp2_session* session_ = nullptr;  // owned

  // The connection
  State state_ = State::Preface;
  Goodbye goodbye_ = Goodbye::None;
  bool reading_ = false;        // asked of the stream
  bool ended_ = false;          // the client sends no more
  bool gone_ = false;           // nothing can be sent any more
  bool finishing_ = false;      // asked to end
  bool winding_down_ = false;   // finish() once the client has begun
  bool calmed_ = false;         // what else comes is dropped
  bool blocked_ = false;        // the stream said Wait
  bool reported_idle_ = false;  // what the host knows
  bool unasked_ack_ = false;    // nghttp2 answers SETTINGS that did not come
  bool passes_over_ = false;    // the frame that is coming: nghttp2 does not see it
  bool told_over_ = false;      // the host knows that we are done
  std::uint64_t requests_ = 0;  // so far
  std::int32_t last_id_ = 0;    // the largest number of a stream
  std::int32_t last_served_ = std::numeric_limits<std::int32_t>::max();  // GOAWAY's
  std::vector<std::int32_t> resets_;        // the last streams that we reset
  std::vector<std::int32_t> quiet_resets_;  // not to be sent
  std::size_t next_reset_ = 0;
  Spare::Vector<std::unique_ptr<Http2Stream>> streams_;  // in no order
  Http2Stream* found_ = nullptr;  // nghttp2 has several questions about one; null: none
  ByteQueue out_;                 // this turn's output
  std::size_t lent_ = 0;          // of windows
  std::size_t dropped_ = 0;       // while lingering behind a flood
  std::size_t queued_ = 0;        // weight of what streams have for nghttp2 to take
  std::uint64_t written_ = 0;     // handed to the stream
  std::uint64_t left_mark_ = 0;   // how much of it had left when write_deadline_ was set
  Http2Fields fields_;            // being made
  Http2FrameCutter cutter_;
  Http2FloodGuard guard_;
  GoOn go_on_{*this};

  /// The header block that is coming: HTTP/2 lets nothing come between its frames.
  struct Block {
    bool open = false, trailing = false, timed_out = false;
    Http2Stream* stream = nullptr;  // null: of a stream that is not there (any more)
    std::size_t bytes = 0;
    MonoTime since{};
  } block_;
  Http2RequestReader reader_;

  // Of the last exchange
  Duration keepalive_timeout_{};
  Duration keepalive_min_{};
  Duration send_timeout_{60000};
  bool reset_timed_out_ = false;

  // Deadlines; zero: none
  MonoTime state_since_{};  // of Preface, Closing, Lingering, and of being idle
  MonoTime last_read_{};
  MonoTime write_deadline_{};
  MonoTime goodbye_due_{};  // the second GOAWAY
};

}  // namespace gatescope::http
