#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "proxy/base/arena.h"
#include "proxy/base/result.h"
#include "proxy/http/header.h"
#include "proxy/http/http1_parser.h"

namespace gatescope::http {

/// The head of a response as it came. Views are into the parser's buffer, until next() is called
/// again.
struct ReceivedHead {
  std::string_view text;  // status line and fields, without the empty line
  int status = 0;
  std::string_view reason;
  bool http10 = false;
  HeaderList headers;
  std::optional<std::uint64_t> content_length;
  bool chunked = false;
  bool keep_alive = false;  // what version and Connection say
};

/// Reads one HTTP/1 response (and the 1xx heads before it), pulled by its owner: any cut of the
/// bytes gives the same items. Strict, because what an upstream is allowed to garble becomes a
/// smuggled response: no bare LF (unless lenient), no bare CR, no obs-fold, no blank before a
/// colon, no contradicting lengths. Like HeadScanner it reads heads itself and leaves the body to
/// Http1BodyParser. Owned by an upstream connection; allocates for body and trailers what the body
/// parser does.
///   Head -> (Head)* -> Framed | UntilClose -> Done;  no body, or 101 (what follows is not HTTP):
///   Head -> Done
class Http1ResponseParser {
 public:
  enum class Item {
    NeedMore,       // `data` is used up
    Informational,  // head(): a 1xx other than 101
    Head,           // head(): the final one
    Body,           // body()
    End,            // trailers(); bytes left in `data` belong to nobody
  };
  struct Limits {
    std::size_t head_bytes = 32 * 1024;  // as nginx's proxy_buffer_size: a longer head is an error
    bool lenient_line_endings = false;
  };

  Http1ResponseParser(bool answers_head, const Limits& limits)
      : answers_head_(answers_head), limits_(limits) {}
  ~Http1ResponseParser() { Spare::give_back(std::move(buffer_)); }

  /// Takes from the front of `data`. Errors speak nginx's words: "upstream sent invalid header".
  Result<Item> next(std::span<const std::byte>& data);
  /// The peer ended the connection: End when that ends the message, else an error of kind Closed.
  Result<Item> finish();

  const ReceivedHead& head() const { return head_; }
  std::span<const std::byte> body() const { return body_; }
  const HeaderList& trailers() const;  // empty unless the body was chunked
  bool head_done() const { return state_ != State::Head; }
  /// The connection may carry another message behind this one, once End came.
  bool reusable() const { return state_ == State::Done && head_.keep_alive && framed_; }

 private:
  enum class State { Head, Framed, UntilClose, Done };

  Result<Item> next_head(std::span<const std::byte>& data);
  Result<Item> next_body(std::span<const std::byte>& data);
  /// Moves bytes up to and with the empty line into buffer_. True when it is there.
  Result<bool> collect_head(std::span<const std::byte>& data);
  Result<void> parse_head();
  Result<void> parse_status_line(std::string_view line);
  bool parse_field(std::string_view line);
  Result<void> read_framing();
  bool take_line(std::string_view& block, std::string_view& line) const;
  Item enter_body();

  // Constant after construction
  const bool answers_head_;
  const Limits limits_;

  State state_ = State::Head;
  std::string buffer_;          // the head being collected
  std::size_t line_start_ = 0;  // in buffer_: where the line begins that is not complete
  bool consumed_ = false;       // buffer_ was handed out: empty it before the next use
  bool told_end_ = false;
  bool framed_ = false;  // the message's end is known without the connection's
  unsigned informational_ = 0;
  ReceivedHead head_;
  Http1BodyParser body_parser_;
  Arena arena_;  // of the trailers
  std::span<const std::byte> body_;
};

}  // namespace gatescope::http
