#include "proxy/http/http1_response_parser.h"

#include <fmt/format.h>

#include <algorithm>

#include "proxy/base/bytes.h"
#include "proxy/base/text.h"
#include "proxy/http/field_line.h"

namespace gatescope::http {

namespace {

constexpr unsigned kMaxInformational = 32;  // an upstream that sends 103 for ever never answers
constexpr std::string_view kVersion = "HTTP/1.";

Error bad(std::string detail) {
  return make_error(ErrorKind::Protocol, Origin::Upstream, std::move(detail));
}

}  // namespace

const HeaderList& Http1ResponseParser::trailers() const {
  return body_parser_.trailers();
}

Result<Http1ResponseParser::Item> Http1ResponseParser::next(std::span<const std::byte>& data) {
  if (consumed_) {
    buffer_.clear();
    line_start_ = 0;
    consumed_ = false;
  }
  switch (state_) {
    case State::Head:
      return next_head(data);
    case State::Framed:
      return next_body(data);
    case State::UntilClose:
      if (data.empty()) return Item::NeedMore;
      body_ = std::exchange(data, {});
      return Item::Body;
    case State::Done:
      break;
  }
  if (std::exchange(told_end_, true)) return Item::NeedMore;
  return Item::End;
}

Result<Http1ResponseParser::Item> Http1ResponseParser::finish() {
  if (state_ == State::UntilClose) {
    state_ = State::Done;
    told_end_ = true;
    return Item::End;
  }
  if (state_ == State::Done) return Item::NeedMore;
  return make_error(ErrorKind::Closed, Origin::Upstream, "upstream prematurely closed connection");
}

Result<bool> Http1ResponseParser::collect_head(std::span<const std::byte>& data) {
  const auto text = as_text(data);
  const std::size_t before = buffer_.size();
  std::size_t taken = 0;
  bool whole = false;
  while (!whole && before + taken <= limits_.head_bytes) {
    const auto newline = text.find('\n', taken);
    if (newline == std::string_view::npos) {
      taken = text.size();
      break;
    }
    const std::size_t length = before + newline - line_start_;
    whole =
        length == 0 || (length == 1 && (newline > 0 ? text[newline - 1] : buffer_.back()) == '\r');
    taken = newline + 1;
    if (!whole) line_start_ = before + taken;
  }
  if (buffer_.capacity() < Spare::kBlock) {
    buffer_ = Spare::text();
    buffer_.reserve(Spare::kBlock);
  }
  buffer_ += text.substr(0, taken);
  data = data.subspan(taken);
  if (buffer_.size() > limits_.head_bytes) return bad("upstream sent too big header");
  return whole;
}

Result<Http1ResponseParser::Item> Http1ResponseParser::next_head(std::span<const std::byte>& data) {
  if (data.empty()) return Item::NeedMore;
  auto whole = collect_head(data);
  // Garbage is told at once, not when a line end comes that may never come.
  const auto compare = std::min(buffer_.size(), kVersion.size());
  if (buffer_.compare(0, compare, kVersion, 0, compare) != 0)
    return bad("upstream sent no valid HTTP/1.0 header");
  if (!whole) return whole.error();
  if (!*whole) return Item::NeedMore;
  consumed_ = true;
  if (auto parsed = parse_head(); !parsed) return parsed.error();
  if (head_.status >= 200 || head_.status == 101) return enter_body();
  if (++informational_ > kMaxInformational) return bad("upstream sent too many interim responses");
  return Item::Informational;
}

/// False: it ends as no line may.
bool Http1ResponseParser::take_line(std::string_view& block, std::string_view& line) const {
  const auto end = block.find('\n');
  line = block.substr(0, end);
  block.remove_prefix(end + 1);
  if (!line.ends_with('\r')) return limits_.lenient_line_endings;
  line.remove_suffix(1);
  return true;
}

Result<void> Http1ResponseParser::parse_head() {
  const auto bare = [] { return bad("upstream sent invalid header: a line ends in a bare LF"); };
  head_ = {};
  head_.headers.reserve(HeaderList::kUsual);
  std::string_view rest = buffer_, line;
  head_.text = rest.substr(0, line_start_);
  if (!take_line(rest, line)) return bare();
  if (auto done = parse_status_line(line); !done) return done;
  while (true) {
    if (!take_line(rest, line)) return bare();
    if (line.empty()) return read_framing();
    if (!parse_field(line)) return bad("upstream sent invalid header");
  }
}

// HTTP/1.x SP 3DIGIT [SP reason]; the last blank is often forgotten.
Result<void> Http1ResponseParser::parse_status_line(std::string_view line) {
  const auto invalid = [] { return bad("upstream sent no valid HTTP/1.0 header"); };
  if (line.size() < 12 || (line[7] != '0' && line[7] != '1') || line[8] != ' ') return invalid();
  const auto code = parse_unsigned(line.substr(9, 3));
  if (!code || *code < 100 || (line.size() > 12 && line[12] != ' ')) return invalid();
  head_.status = static_cast<int>(*code);
  head_.http10 = line[7] == '0';
  if (line.size() > 13) head_.reason = line.substr(13);
  if (!is_value(head_.reason)) return invalid();
  return {};
}

/// False: it is none.
bool Http1ResponseParser::parse_field(std::string_view line) {
  FieldLine field;
  const auto verdict = split_field_line(line, true, field);
  if (verdict == FieldVerdict::Malformed) return false;
  // Odd names of tokens ("X.Y") pass, as with nginx; what is not even a token nobody could send on.
  if (verdict == FieldVerdict::Valid || all_of<is_token_char>(field.name))
    head_.headers.add(field.name, field.value);
  return true;
}

Result<void> Http1ResponseParser::read_framing() {
  std::optional<std::string_view> length, encoding;
  bool close = false, keep_alive = false;
  for (const auto& [name, value] : head_.headers) {
    switch (name.size()) {  // of few fields more than this has to be looked at
      case 10:
        if (!equals_ignoring_case(name, "connection")) break;
        close = close || list_has_token(value, "close");
        keep_alive = keep_alive || list_has_token(value, "keep-alive");
        break;
      case 14:
        if (!equals_ignoring_case(name, "content-length")) break;
        if (length) return bad("upstream sent duplicate header line: \"Content-Length\"");
        length = value;
        break;
      case 17:
        if (!equals_ignoring_case(name, "transfer-encoding")) break;
        if (encoding) return bad("upstream sent duplicate header line: \"Transfer-Encoding\"");
        encoding = value;
        break;
    }
  }
  if (length) {
    head_.content_length = parse_unsigned(*length);
    if (!head_.content_length)
      return bad(fmt::format("upstream sent invalid \"Content-Length\" header: \"{}\"", *length));
  }
  if (encoding) {
    if (!equals_ignoring_case(*encoding, "chunked"))
      return bad(fmt::format("upstream sent unknown \"Transfer-Encoding\": \"{}\"", *encoding));
    if (length)
      return bad(
          "upstream sent \"Content-Length\" and \"Transfer-Encoding\" headers at the same "
          "time");
    if (head_.http10) return bad("upstream sent \"Transfer-Encoding\" in an HTTP/1.0 response");
    head_.chunked = true;
  }
  head_.keep_alive = head_.http10 ? keep_alive : !close;
  return {};
}

Http1ResponseParser::Item Http1ResponseParser::enter_body() {
  const bool bodiless =
      answers_head_ || head_.status == 204 || head_.status == 304 || head_.status == 101;
  state_ = State::Done;
  framed_ = true;
  if (bodiless) {
    head_.chunked = false;
  } else if (head_.chunked) {
    BodyRules rules;
    rules.lenient_line_endings = limits_.lenient_line_endings;
    rules.underscores_in_headers = true;
    body_parser_.begin_chunked(rules, arena_);
    state_ = State::Framed;
  } else if (head_.content_length) {
    if (*head_.content_length > 0) {
      body_parser_.begin_length(*head_.content_length);
      state_ = State::Framed;
    }
  } else {
    framed_ = false;
    state_ = State::UntilClose;
  }
  return Item::Head;
}

Result<Http1ResponseParser::Item> Http1ResponseParser::next_body(std::span<const std::byte>& data) {
  const auto step = body_parser_.next(as_text(data));
  data = data.subspan(step.consumed);
  switch (step.event) {
    case Http1BodyParser::Event::More:
      return Item::NeedMore;
    case Http1BodyParser::Event::Data:
      body_ = as_bytes(step.data);
      return Item::Body;
    case Http1BodyParser::Event::End:
      state_ = State::Done;
      told_end_ = true;
      return Item::End;
    case Http1BodyParser::Event::Failed:
      break;
  }
  return bad(fmt::format("upstream sent invalid chunked response ({})", body_parser_.error()));
}

}  // namespace gatescope::http
