#include "proxy/http/head_scanner.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "proxy/http/field_line.h"

namespace gatescope::http {
namespace {

// A refused line is quoted in the log up to here; its reader wants to recognise it, not to have it.
constexpr std::size_t kQuotedLine = 200;

bool is_framing(std::string_view name) {
  return name.size() == 4 || name.size() == 6 || name.size() == 10 || name.size() == 13 ||
         name.size() == 14 || name.size() == 17;
}

}  // namespace

void HeadScanner::reset() {
  seen_ = next_line_ = head_at_ = 0;
  begun_ = has_line_ = complete_ = false;
  method_ = target_ = line_ = {};
  fields_.clear();
  field_lines_ = 0;
  version_ = Version::Http11;
  content_length_.reset();
  hosts_ = encodings_ = authorizations_ = 0;
  encoding_known_ = true;
  verb_ = {};
  close_ = keep_alive_ = expects_continue_ = expects_other_ = false;
  status_ = 0;
  because_.clear();
}

bool HeadScanner::fail(int status, std::string because) {
  refuse(status, std::move(because));
  return false;
}

void HeadScanner::refuse(int status, std::string because) {
  status_ = status;
  because_ = std::move(because);
}

HeadScanner::Verdict HeadScanner::scan(std::string_view input) {
  while (!complete_ && status_ == 0) {
    const void* found = seen_ < input.size()
                            ? std::memchr(input.data() + seen_, '\n', input.size() - seen_)
                            : nullptr;
    if (found == nullptr) {
      seen_ = input.size();
      if (seen_ - next_line_ > rules_.line_limit || seen_ > rules_.head_limit) {
        too_long(seen_ - next_line_);
      } else if (!has_line_ && next_line_ < seen_ && input[next_line_] != '\r' &&
                 !is_method_char(input[next_line_])) {
        // Answered at once: a TLS hello on a plain port has no line end to wait for.
        head_at_ = next_line_;
        begun_ = true;
        fail(400, "client sent invalid method");
      } else {
        begun_ = begun_ || (next_line_ < seen_ && input[next_line_] != '\r');
        return Verdict::More;
      }
      break;
    }
    const std::size_t end =
        static_cast<std::size_t>(static_cast<const char*>(found) - input.data());
    const std::size_t begin = next_line_;
    if (end + 1 - begin > rules_.line_limit || end + 1 > rules_.head_limit) {
      too_long(end + 1 - begin);
      break;
    }
    seen_ = next_line_ = end + 1;
    if (!on_line(input, begin, end)) break;
  }
  return status_ != 0 ? Verdict::Refused : Verdict::Complete;
}

bool HeadScanner::too_long(std::size_t line) {
  if (!has_line_) {
    head_at_ = next_line_;
    // As much of it as would have been good is for the log
    seen_ = head_at_ + std::min(line, rules_.line_limit);
    begun_ = true;
    return fail(414, "client sent too long URI");
  }
  // nginx's own code: error_page may name it, the client sees 400
  return line > rules_.line_limit ? fail(494, "client sent too long header line")
                                  : fail(494, "client sent too large request");
}

// [begin, end): the line without its LF.
bool HeadScanner::on_line(std::string_view input, std::size_t begin, std::size_t end) {
  std::string_view line = input.substr(begin, end - begin);
  const bool has_cr = !line.empty() && line.back() == '\r';
  if (has_cr) line.remove_suffix(1);
  if (!has_line_) {
    head_at_ = begin;
    if (!has_cr && !rules_.lenient_line_endings) {
      begun_ = true;
      return fail(400, "client sent invalid request");
    }
    if (line.empty()) return true;  // empty lines before a request are tolerated (RFC 9112 2.2)
    begun_ = has_line_ = true;
    line_ = {0, static_cast<std::uint32_t>(line.size())};
    return on_request_line(line);
  }
  if (!has_cr && !rules_.lenient_line_endings) return fail(400, "client sent invalid header line");
  if (line.empty()) {
    complete_ = true;
    return settle();
  }
  if (++field_lines_ > rules_.max_fields) return fail(400, "client sent too many header lines");
  FieldLine field;
  const auto verdict = split_field_line(line, rules_.underscores_in_headers, field);
  if (verdict == FieldVerdict::Malformed ||
      (verdict == FieldVerdict::InvalidName && !rules_.ignore_invalid_headers &&
       looks_like_framing(field.name)))
    return fail(
        400, fmt::format("client sent invalid header line: \"{}\"", line.substr(0, kQuotedLine)));
  if (verdict == FieldVerdict::InvalidName && rules_.ignore_invalid_headers) {
    log_.print(LogLevel::Info, "client sent invalid header line: \"{}\"",
               line.substr(0, kQuotedLine));
    return true;
  }
  const auto piece = [&](std::string_view text) {
    return Piece{static_cast<std::uint32_t>(text.data() - input.data() - head_at_),
                 static_cast<std::uint32_t>(text.size())};
  };
  if (fields_.empty()) fields_.reserve(HeaderList::kUsual);
  fields_.push_back({piece(field.name), field.value.empty() ? Piece{} : piece(field.value)});
  return !is_framing(field.name) || on_framing_field(field);
}

bool HeadScanner::on_request_line(std::string_view line) {
  std::size_t i = 0;
  while (i < line.size() && is_method_char(line[i]))
    ++i;
  if (i == 0 || i == line.size() || line[i] != ' ') return fail(400, "client sent invalid method");
  method_ = {0, static_cast<std::uint32_t>(i)};
  const std::size_t target = ++i;
  while (i < line.size() && is_target_char(line[i]))
    ++i;
  if (i == target || i == line.size() || line[i] != ' ')
    return fail(400, "client sent invalid request");
  target_ = {static_cast<std::uint32_t>(target), static_cast<std::uint32_t>(i - target)};
  const auto method = line.substr(0, method_.size);
  if (method == "CONNECT") {
    verb_ = "CONNECT";
    const auto authority = line.substr(target, i - target);  // RFC 9112 3.2.3: host and port
    const auto colon = authority.rfind(':');
    names_port_ = colon != std::string_view::npos && colon > 0 &&
                  parse_unsigned(authority.substr(colon + 1)).has_value();
  }
  if (method == "TRACE") verb_ = "TRACE";
  if (method == "PRI") return fail(400, "client sent invalid method");  // HTTP/2's, RFC 9113 11.6
  return on_version(line.substr(i + 1));
}

bool HeadScanner::on_version(std::string_view word) {
  if (word == "HTTP/1.1") return true;
  if (word == "HTTP/1.0") {
    version_ = Version::Http10;
    return true;
  }
  constexpr std::string_view kName = "HTTP/";
  if (word.substr(0, kName.size()) != kName) return fail(400, "client sent invalid request");
  word.remove_prefix(kName.size());
  const std::size_t dot = word.find('.');
  const auto digits = [](std::string_view s) {
    return !s.empty() && s.size() < 4 && std::all_of(s.begin(), s.end(), is_digit);
  };
  if (!digits(word.substr(0, dot)) ||
      (dot != std::string_view::npos && !digits(word.substr(dot + 1))))
    return fail(400, "client sent invalid request");
  return fail(505, "client sent invalid version");
}

bool HeadScanner::on_framing_field(const FieldLine& field) {
  if (equals_ignoring_case(field.name, "Host")) {
    if (++hosts_ > 1) return fail(400, "client sent duplicate host header");
  } else if (equals_ignoring_case(field.name, "Expect")) {
    if (equals_ignoring_case(field.value, "100-continue")) {
      expects_continue_ = true;
    } else {
      expects_other_ = true;
    }
  } else if (equals_ignoring_case(field.name, "Connection")) {
    close_ = close_ || list_has_token(field.value, "close");
    keep_alive_ = keep_alive_ || list_has_token(field.value, "keep-alive");
  } else if (equals_ignoring_case(field.name, "Content-Length")) {
    if (content_length_) return fail(400, "client sent duplicate \"Content-Length\" header");
    const auto length = parse_unsigned(field.value);
    // The upper half of the numbers is left out: others keep lengths in signed types.
    if (!length || *length > std::uint64_t(std::numeric_limits<std::int64_t>::max()))
      return fail(400, "client sent invalid \"Content-Length\" header");
    content_length_ = length;
  } else if (equals_ignoring_case(field.name, "Transfer-Encoding")) {
    ++encodings_;
    encoding_known_ = encoding_known_ && equals_ignoring_case(field.value, "chunked");
  } else if (equals_ignoring_case(field.name, "Authorization")) {
    // Somebody behind us might believe the other one
    if (++authorizations_ > 1) return fail(400, kTwoAuthorizations);
  }
  return true;
}

bool HeadScanner::settle() {
  if (encodings_ > 0) {
    if (version_ == Version::Http10)
      return fail(400, "client sent HTTP/1.0 request with \"Transfer-Encoding\" header");
    if (content_length_)
      return fail(
          400, "client sent \"Content-Length\" and \"Transfer-Encoding\" headers at the same time");
    if (encodings_ > 1) return fail(400, "client sent duplicate \"Transfer-Encoding\" header");
    if (!encoding_known_) return fail(501, "client sent unknown \"Transfer-Encoding\"");
  }
  if (hosts_ == 0 && version_ == Version::Http11)
    return fail(400, "client sent HTTP/1.1 request without \"Host\" header");
  if (verb_ == "CONNECT" && !names_port_)
    return fail(400, "client sent invalid request: CONNECT without host and port");
  if (!verb_.empty()) return fail(405, fmt::format("client sent {} method", verb_));
  // RFC 9110 10.1.1: an expectation of HTTP/1.0 is ignored.
  if (version_ == Version::Http10) {
    expects_continue_ = false;
  } else if (expects_other_) {
    return fail(417, "client sent unknown \"Expect\" header");
  }
  return true;
}

RequestHead HeadScanner::take(std::string_view input, Arena& arena) const {
  RequestHead head;
  head.refused = status_;
  head.refused_because = because_;
  head.version = version_;
  head.bytes = status_ != 0 ? seen_ : next_line_;
  // Of a refused head the access log still wants the line and the fields that were read before.
  const std::size_t end = std::min(input.size(), std::max(seen_, head_at_));
  const std::string_view text = arena.copy(input.substr(head_at_, end - head_at_));
  const auto view = [&](const Piece& piece) { return text.substr(piece.at, piece.size); };
  head.line = has_line_ ? view(line_) : text.substr(0, text.find_first_of("\r\n"));
  head.method = view(method_);
  head.target = view(target_);
  head.headers.reserve(fields_.size());
  for (const Field& field : fields_)
    head.headers.add(view(field.name), view(field.value));
  head.wants_keep_alive = status_ == 0 && !close_ && (version_ == Version::Http11 || keep_alive_);
  if (status_ == 0) {
    head.content_length = content_length_;
    head.has_body = chunked() || content_length_.value_or(0) > 0;
  }
  return head;
}

}  // namespace gatescope::http
