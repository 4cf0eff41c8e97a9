#pragma once

// Between the wire formats (Http1Session, Http2Session) and the Exchange. Nothing behind this line
// asks for the version.

#include <cstdint>
#include <memory>
#include <span>

#include "proxy/base/arena.h"
#include "proxy/base/bytes.h"
#include "proxy/base/clock.h"
#include "proxy/base/log.h"
#include "proxy/http/message.h"
#include "proxy/net/loop.h"

namespace gatescope::http {

/// How long a Session waits and how it goes on, as the location says; set by the Exchange once it
/// knows the location.
struct ExchangePolicy : Spare::Object {
  Duration body_timeout{60000};        // client_body_timeout: between two reads of the body
  Duration send_timeout{60000};        // between two successful writes
  Duration keepalive_timeout{75000};   // 0: close after this response
  std::uint64_t keepalive_header = 0;  // seconds in "Keep-Alive: timeout="; 0: no such field
  std::uint64_t keepalive_requests = 1000;
  Duration keepalive_min{0};         // keepalive_min_timeout: not closed earlier by a graceful stop
  Duration keepalive_time{3600000};  // a connection older than this closes after the response
  bool chunked = true;               // chunked_transfer_encoding
  bool reset_timed_out = false;      // reset_timedout_connection
  Duration lingering_time{30000}, lingering_timeout{5000};
  enum class Lingering { Off, On, Always } lingering = Lingering::On;
  std::string_view server_field;   // value of Server; empty: none
  std::size_t http2_chunk = 8192;  // http2_chunk_size: a DATA frame's bytes at most
};

/// A raw connection after 101 or 2xx to CONNECT: the Session has let go of it. Bytes that had come
/// already are delivered first.
class ByteTunnel {
 public:
  class Events {
   public:
    virtual ~Events() = default;
    virtual void on_tunnel_data(std::span<const std::byte> data) = 0;
    virtual void on_tunnel_end() = 0;  // the client sends no more
    virtual void on_tunnel_writable() = 0;
    virtual void on_tunnel_failed(const Error& error) = 0;
  };
  virtual ~ByteTunnel() = default;  // closes the connection
  virtual void set_events(Events* events) = 0;
  virtual void start_reading() = 0;
  virtual void stop_reading() = 0;
  virtual Flow write(SharedBytes bytes) = 0;
  virtual void shut_down() = 0;  // FIN after what is unsent
};

/// How a response left, for variables ($body_bytes_sent, $sent_http_connection).
struct SentFraming {
  std::uint64_t head_bytes = 0;  // of the final head; 0: none was sent
  bool keep_alive = false, chunked = false;
  std::uint64_t keepalive_header = 0;  // seconds in "Keep-Alive: timeout="; 0: no such field
};

/// One message exchange as the Session offers it to the Exchange. Lives in the Session, outlives
/// the Exchange. send_head, then send_body any number of times, then send_end; or cut() at any
/// time. Output leaves at the end of the turn.
class ExchangeLink {
 public:
  virtual ~ExchangeLink() = default;
  virtual Arena& arena() = 0;  // reset when the exchange is over
  virtual void set_policy(const ExchangePolicy& policy) = 0;
  virtual void send_informational(int status,
                                  const HeaderList& headers) = 0;  // nothing for HTTP/1.0
  /// For HEAD and bodiless statuses the Session sends no body whatever follows.
  virtual void send_head(const ResponseHead& head) = 0;
  /// Wait: on_writable comes. Bytes beyond content_length are an error of ours: logged, cut.
  virtual Flow send_body(SharedBytes bytes) = 0;
  /// As Stream::send_file(), for a part of the body: nullopt where the body takes another way.
  virtual std::optional<std::size_t> send_file(int file, std::uint64_t offset, std::size_t size) {
    (void)file, (void)offset, (void)size;
    return std::nullopt;
  }
  /// Fewer bytes than content_length: the client sees a cut, never a complete-looking answer.
  virtual void send_end(const HeaderList& trailers) = 0;
  /// Breaks the response off visibly: HTTP/1.1 closes without the last chunk, HTTP/2 resets the
  /// stream.
  virtual void cut(bool reset) = 0;
  /// Body is delivered only while wanted (initially not). The first wish sends 100 Continue when
  /// the client expects it. A body that nobody wanted is read and dropped after the response,
  /// within limits, or the connection closes.
  virtual void want_body(bool wanted) = 0;
  /// The connection closes after this response, whatever else allows to keep it. Before send_head.
  /// HTTP/2: no effect, as in nginx: other requests share the connection.
  virtual void last_response() {}
  /// What the client's end (half close, after a complete request) means: the answer still goes out
  /// (false, as at first), or the client has gone (nginx when it proxies: 499). HTTP/2 knows no
  /// half-closed client without a stream's end: no effect.
  virtual void abort_on_client_end(bool abort) { (void)abort; }
  /// After send_head with 101 (or 2xx to CONNECT) and nothing else: the connection itself. Null
  /// where there is none.
  virtual std::unique_ptr<ByteTunnel> take_tunnel() = 0;
  virtual std::uint64_t bytes_sent() const = 0;  // of this exchange, heads included: $bytes_sent
  virtual std::uint64_t bytes_received() const = 0;  // head and body: $request_length
  virtual SentFraming sent_framing() const { return {}; }
};

/// What the Session calls on an Exchange, and owns. After send_end or cut the Session calls on_over
/// once and discards it.
class SessionExchange {
 public:
  virtual ~SessionExchange() = default;
  virtual void start() = 0;
  /// Both only when head.has_body, and only after want_body(true).
  virtual void on_body(std::span<const std::byte> data) = 0;
  virtual void on_body_end(const HeaderList& trailers) = 0;
  /// The body will not come whole: bad chunk (400), timeout (408), the client left. Unless the head
  /// was sent, a response may be.
  virtual void on_body_failed(int status, const Error& error) = 0;
  virtual void on_writable() = 0;
  /// The client has gone (closed, reset, timed out while sending). Nothing can be sent; work is to
  /// be cancelled. Also after send_end, where not all of it has left. on_over follows.
  virtual void on_client_gone(const Error& error) = 0;
  /// The end: the access log is written here, once.
  virtual void on_over() = 0;
};

/// What a Session needs of its surroundings. Implemented by server::Connection, and by the tests.
class SessionHost {
 public:
  virtual ~SessionHost() = default;
  /// A head has come (or was refused: head.refused). Never null.
  virtual std::unique_ptr<SessionExchange> make_exchange(ExchangeLink& link, RequestHead head) = 0;
  virtual const ConnectionInfo& info() const = 0;
  /// Says of each line which connection and client it is about.
  virtual Log& log() = 0;
  /// Now, as the Date field says it (RFC 9110 6.6.1); valid until it is asked again.
  virtual std::string_view date() = 0;
  /// For the graceful stop and statistics: idle between requests, or not.
  virtual void on_idle(bool idle) = 0;
  /// The Session is done with the stream, which may be closed now. The host discards Session and
  /// stream.
  virtual void on_session_over() = 0;
};

/// A line about a client that no request of its owns, as nginx words it: `WHAT while DOING`.
void log_client(SessionHost& host, LogLevel level, std::string_view what, std::string_view doing);

/// Limits before a location is known: those of the listener's default server (or of the SNI
/// server).
struct SessionSettings {
  /// For the first request: "keepalive_timeout 0" means one request per connection, not none.
  Duration first_wait() const {
    return keepalive_timeout > Duration::zero() ? keepalive_timeout : header_timeout;
  }
  Duration header_timeout{
      60000};  // client_header_timeout: from the first byte to the end of the head
  Duration keepalive_timeout{75000};  // for the wait before the first request and idle ones
  std::size_t header_buffer = 1024;   // client_header_buffer_size: nothing is allocated by it here
  std::size_t large_buffers = 4,
              large_buffer = 8192;  // longest line: large_buffer; whole head: their product
  std::size_t max_headers = 1000;   // field lines
  bool lenient_line_endings = false;
  bool ignore_invalid_headers = true;
  bool underscores_in_headers = false;
  std::uint32_t http2_streams = 128;      // http2_max_concurrent_streams
  std::size_t http2_preread = 64 * 1024;  // http2_body_preread_size: a stream's first window
  bool operator==(const SessionSettings&) const = default;
};

/// One connection's conversation in one wire format. Owned by the Connection.
class Session {
 public:
  virtual ~Session() = default;
  /// Takes over reading from the stream, which outlives the Session.
  virtual void start() = 0;
  /// Graceful stop: idle: closes now; busy: this response is the last (Connection: close). HTTP/2
  /// says GOAWAY first, and ends when what was on its way has been answered.
  virtual void finish() = 0;
  /// Where another program takes the new clients: as finish(), but nothing that may be on its way
  /// is refused. HTTP/1 when idle, and HTTP/2 before the client's preface, go on until finish().
  virtual void wind_down() = 0;
  virtual bool idle() const = 0;
};

std::unique_ptr<Session> make_http1_session(net::Stream& stream, net::Loop& loop, SessionHost& host,
                                            const SessionSettings& settings);
/// After ALPN's h2, or where the client begins with HTTP/2's preface.
std::unique_ptr<Session> make_http2_session(net::Stream& stream, net::Loop& loop, SessionHost& host,
                                            const SessionSettings& settings);

}  // namespace gatescope::http
