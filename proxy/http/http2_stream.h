#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "proxy/base/arena.h"
#include "proxy/base/bytes.h"
#include "proxy/base/spare.h"
#include "proxy/http/http2_queue.h"
#include "proxy/http/nghttp2_versions.h"
#include "proxy/http/session.h"

namespace gatescope::http {

class Http2Session;

/// One request and its answer on an HTTP/2 connection: the link of an exchange. Owned by the
/// session, from the first byte of its header block until its last byte has left, or it was reset.
/// Calls of the link fill a queue and tell nghttp2, which pulls from it at the end of the turn.
class Http2Stream final : public ExchangeLink, public Spare::Object {
 public:
  Http2Stream(Http2Session& session, std::int32_t id);
  ~Http2Stream() override;

  // ExchangeLink
  Arena& arena() override { return arena_; }
  void set_policy(const ExchangePolicy& policy) override { policy_ = policy; }
  void send_informational(int status, const HeaderList& headers) override;
  void send_head(const ResponseHead& head) override;
  Flow send_body(SharedBytes bytes) override;
  void send_end(const HeaderList& trailers) override;
  void cut(bool reset) override;
  void want_body(bool wanted) override;
  std::unique_ptr<ByteTunnel> take_tunnel() override { return nullptr; }
  std::uint64_t bytes_sent() const override { return sent_; }
  std::uint64_t bytes_received() const override { return received_; }
  SentFraming sent_framing() const override { return {head_bytes_, true, false, 0}; }

  // What comes, from the session
  struct Opening {
    bool malformed = false, expects_continue = false, ended = false;
  };
  void begin(RequestHead head, Opening opening);
  void expect_data(std::size_t size, bool last);  // a DATA frame without padding begins
  void on_data(std::span<const std::byte> data);
  void on_input_end();  // the last frame of the request; its trailers were set
  void set_trailers(HeaderList trailers) { trailers_ = std::move(trailers); }
  /// The request is not what it said (400).
  void on_malformed(std::string because);
  void on_input_timeout();
  /// Hands over what waited for being wanted.
  void advance_input();
  /// The client has gone, or may not go on; on_over() follows.
  void client_gone(const Error& error);

  // What leaves
  Nghttp2Size read(std::size_t length, std::uint32_t& flags);  // nghttp2 asks for a DATA frame
  /// Moves what read() promised behind `head` into the session's output.
  void take(std::span<const std::byte> head, std::size_t length);
  void on_frame_sent(const nghttp2_frame& frame, std::uint64_t mark);
  /// Forgotten by nghttp2: both ends are done, or one of them has reset it.
  void on_closed(std::uint32_t code);
  /// The queue has room again and somebody waits for it.
  bool wants_to_write() const;
  void go_on_writing();

  /// Nothing is left but the end, which nghttp2 does not ask for while the client's window is shut
  /// (RFC 9113 6.9.1 lets it go without).
  bool only_end_left() const {
    return reply_ == Reply::Ended && !bodiless_ && out_.empty() && head_bytes_ > 0 && !end_sent_ &&
           !gone_ && !closed_ && !end_forced_;
  }
  /// Ends it all the same. `mark` as for on_frame_sent().
  void force_end(std::uint64_t mark);
  /// Its last frame has left, and nghttp2 still has the stream: an unfinished request is broken
  /// off.
  void break_off();

  // For the session
  std::int32_t id() const { return id_; }
  SessionExchange* exchange() { return exchange_.get(); }
  std::unique_ptr<SessionExchange> take_exchange() { return std::move(exchange_); }
  const ExchangePolicy& policy() const { return policy_; }
  bool closed() const { return closed_; }
  bool is_gone() const { return gone_; }
  bool answered() const { return end_sent_; }  // its last frame is among the output
  bool reply_ended() const { return reply_ == Reply::Ended; }
  std::uint64_t end_mark() const { return end_mark_; }
  std::size_t queued() const { return out_.size(); }
  std::size_t weight() const { return out_.weight(); }
  std::size_t unread() const { return in_.size(); }
  std::size_t lent() const { return lent_; }
  bool awaits_input() const { return body_ == Body::Reading && wanted_ && !input_ended_; }
  MonoTime last_read() const { return last_read_; }
  MonoTime& stalled_since() { return stalled_since_; }

  std::size_t index = 0;  // the session's place for it

 private:
  enum class Body { None, Reading, Done, Failed };
  enum class Reply { None, HeadSent, Ended };
  void fail_body(int status, ErrorKind kind, std::string because);
  void open_window();
  void resume();
  void end_closed();
  void reset(std::uint32_t code);
  void on_end_sent(std::uint64_t mark);

  // Constant after construction
  Http2Session& session_;
  const std::int32_t id_;

  Arena arena_;
  std::unique_ptr<SessionExchange> exchange_;  // null: its header block is still coming
  ExchangePolicy policy_;

  // The request
  Body body_ = Body::None;
  ByteQueue in_;                             // came, and nobody wanted it yet
  std::optional<std::uint64_t> input_left_;  // of the announced length; nullopt: none was announced
  std::uint64_t input_ = 0, received_ = 0;   // of the body; of all
  HeaderList trailers_;
  std::string fault_;  // told when the body is wanted; empty: none
  bool input_ended_ = false, wanted_ = false;
  std::size_t lent_ = 0;  // of the connection's window, beyond what each stream has
  bool malformed_ = false, continue_expected_ = false, is_head_ = false;
  MonoTime last_read_{};

  // The answer
  Reply reply_ = Reply::None;
  Http2Queue out_;
  std::optional<std::uint64_t> body_left_;    // of the announced length; nullopt: unknown
  const HeaderList* out_trailers_ = nullptr;  // the exchange's; null: none
  bool bodiless_ = false, cut_ = false, gone_ = false;
  bool deferred_ = false;      // nghttp2 waits for resume()
  bool writer_waits_ = false;  // on_writable is owed
  bool end_sent_ = false, closed_ = false, end_forced_ = false;
  /// `head_bytes_`: of all that is not the body: heads, and what frames it.
  std::uint64_t sent_ = 0, head_bytes_ = 0, end_mark_ = 0;
  MonoTime stalled_since_{};  // the client's window is shut; zero: it is not
};

}  // namespace gatescope::http
