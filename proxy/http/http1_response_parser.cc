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
const HeaderList kNoTrailers;
constexpr std::size_t kUsualFields = 16;  // an answer seldom has more

Error bad(std::string detail) {
  return make_error(ErrorKind::Protocol, Origin::Upstream, std::move(detail));
}

}  // namespace

const HeaderList& Http1ResponseParser::trailers() const {
  return head_.chunked && framed_ ? body_parser_.trailers() : kNoTrailers;
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
  while (!data.empty()) {
    const auto text = as_text(data);
    const auto newline = text.find('\n');
    const auto take = newline == std::string_view::npos ? text.size() : newline + 1;
    buffer_ += text.substr(0, take);
    data = data.subspan(take);
    if (buffer_.size() > limits_.head_bytes) return bad("upstream sent too big header");
    if (newline == std::string_view::npos) return false;
    const auto line = std::string_view(buffer_).substr(line_start_);
    if (line == "\r\n" || line == "\n") return true;
    line_start_ = buffer_.size();
  }
  return false;
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

Result<std::string_view> Http1ResponseParser::take_line(std::string_view& block) const {
  const auto end = block.find('\n');
  auto line = block.substr(0, end);
  block.remove_prefix(end + 1);
  if (line.ends_with('\r')) {
    line.remove_suffix(1);
  } else if (!limits_.lenient_line_endings) {
    return bad("upstream sent invalid header: a line ends in a bare LF");
  }
  return line;
}

Result<void> Http1ResponseParser::parse_head() {
  head_ = {};
  head_.headers.reserve(kUsualFields);
  std::string_view rest = buffer_;
  head_.text = rest.substr(0, line_start_);
  auto line = take_line(rest);
  if (!line) return line.error();
  if (auto done = parse_status_line(*line); !done) return done;
  while (true) {
    line = take_line(rest);
    if (!line) return line.error();
    if (line->empty()) return read_framing();
    if (auto done = parse_field(*line); !done) return done;
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
  if (!std::all_of(head_.reason.begin(), head_.reason.end(), is_value_char)) return invalid();
  return {};
}

Result<void> Http1ResponseParser::parse_field(std::string_view line) {
  FieldLine field;
  const auto verdict = split_field_line(line, true, field);
  if (verdict == FieldVerdict::Malformed) return bad("upstream sent invalid header");
  // Odd names of tokens ("X.Y") pass, as with nginx; what is not even a token nobody could send on.
  if (std::all_of(field.name.begin(), field.name.end(), is_token_char))
    head_.headers.add(field.name, field.value);
  return {};
}

Result<void> Http1ResponseParser::read_framing() {
  const auto& headers = head_.headers;
  const auto length = headers.find("content-length");
  const auto encoding = headers.find("transfer-encoding");
  if (length) {
    if (headers.count("content-length") > 1)
      return bad("upstream sent duplicate header line: \"Content-Length\"");
    head_.content_length = parse_unsigned(*length);
    if (!head_.content_length)
      return bad(fmt::format("upstream sent invalid \"Content-Length\" header: \"{}\"", *length));
  }
  if (encoding) {
    if (headers.count("transfer-encoding") > 1)
      return bad("upstream sent duplicate header line: \"Transfer-Encoding\"");
    if (!equals_ignoring_case(*encoding, "chunked"))
      return bad(fmt::format("upstream sent unknown \"Transfer-Encoding\": \"{}\"", *encoding));
    if (length)
      return bad(
          "upstream sent \"Content-Length\" and \"Transfer-Encoding\" headers at the same "
          "time");
    if (head_.http10) return bad("upstream sent \"Transfer-Encoding\" in an HTTP/1.0 response");
    head_.chunked = true;
  }
  head_.keep_alive = head_.http10 ? headers.has_token("connection", "keep-alive")
                                  : !headers.has_token("connection", "close");
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
