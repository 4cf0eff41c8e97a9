#include "proxy/http/http2_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "proxy/base/text.h"
#include "proxy/http/field_line.h"

namespace gatescope::http {
namespace {

// What a field costs beside its texts (RFC 9113 6.5.2).
constexpr std::size_t kFieldOverhead = 32;
// A block that decodes to so many times the limit was made for it.
constexpr std::size_t kBomb = 8;
constexpr std::size_t kMaxTrailers = 100;  // as behind a chunked body
constexpr std::size_t kQuoted = 200;       // of a refused field, in the log

// RFC 9113 8.2.2: what HTTP/1 says of its connection has no meaning here, and makes the request
// malformed.
bool is_connection_field(std::string_view name) {
  return name == "connection" || name == "keep-alive" || name == "proxy-connection" ||
         name == "transfer-encoding" || name == "upgrade";
}

bool is_scheme_char(char c) {
  return is_alpha(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
}

}  // namespace

void Http2RequestReader::begin(Arena& arena) {
  arena_ = &arena;
  fields_.reserve(HeaderList::kUsual);
  trailing_ = regular_seen_ = false;
  size_ = text_ = count_ = cookie_at_ = 0;
  method_.reset();
  path_.reset();
  scheme_.reset();
  authority_.reset();
  host_.reset();
  fields_.clear();
  cookies_.clear();
  content_length_.reset();
  expects_continue_ = expects_other_ = authorized_ = malformed_ = false;
  priority_ = {};
  status_ = 0;
  because_.clear();
}

void Http2RequestReader::begin_trailers(Arena& arena) {
  begin(arena);
  trailing_ = true;
}

void Http2RequestReader::release() {
  fields_ = HeaderList();
  free_storage(cookies_);
  free_storage(because_);
}

void Http2RequestReader::refuse(int status, std::string because) {
  if (status_ != 0) return;
  status_ = status;
  because_ = std::move(because);
}

void Http2RequestReader::refuse_malformed(std::string because) {
  if (status_ == 0) malformed_ = true;
  refuse(400, std::move(because));
}

bool Http2RequestReader::add(std::string_view name, std::string_view value) {
  text_ += name.size() + value.size();
  size_ += name.size() + value.size() + kFieldOverhead;
  if (size_ > kBomb * limit()) return false;
  if (status_ != 0) return true;
  if (name.size() + value.size() > settings_.large_buffer) {
    name == ":path" ? refuse(414, "client sent too long URI")
                    : refuse(494, "client sent too long header line");
  } else if (text_ > settings_.large_buffers * settings_.large_buffer) {
    refuse(494, "client sent too large request");
  } else if (!name.empty() && name.front() == ':') {
    add_pseudo(name, value);
  } else {
    add_field(name, value);
  }
  return true;
}

void Http2RequestReader::add_pseudo(std::string_view name, std::string_view value) {
  if (trailing_ || regular_seen_)
    return refuse_malformed("client sent pseudo-header after header fields");
  const auto once = [&](std::optional<std::string_view>& place, bool good) {
    if (place) return refuse_malformed(fmt::format("client sent duplicate \"{}\" header", name));
    if (!good) return refuse_malformed(fmt::format("client sent invalid \"{}\" header", name));
    place = arena_->copy(value);
  };
  switch (name.size()) {
    case 5:
      if (name == ":path") return once(path_, is_target(value));
      break;
    case 7:
      if (name == ":method") return once(method_, all_of<is_token_char>(value));
      if (name == ":scheme")
        return once(scheme_, all_of<is_scheme_char>(value) && is_alpha(value.front()));
      break;
    case 10:
      if (name == ":authority") return once(authority_, is_target(value));
      break;
  }
  refuse_malformed(
      fmt::format("client sent unknown pseudo-header \"{}\"", name.substr(0, kQuoted)));
}

void Http2RequestReader::add_field(std::string_view name, std::string_view value) {
  regular_seen_ = true;
  if (++count_ > (trailing_ ? kMaxTrailers : settings_.max_headers))
    return refuse(400, "client sent too many header lines");
  const auto verdict = judge_field(name, value, settings_.underscores_in_headers);
  if (verdict == FieldVerdict::Malformed ||
      (verdict == FieldVerdict::InvalidName && !settings_.ignore_invalid_headers &&
       looks_like_framing(name)))
    return refuse_malformed(fmt::format("client sent invalid header name or value: \"{}\"",
                                        is_target(name) ? name.substr(0, kQuoted) : ""));
  if (is_connection_field(name) || (name == "te" && !equals_ignoring_case(value, "trailers")))
    return refuse_malformed(fmt::format("client sent \"{}\" header over HTTP/2", name));
  if (verdict == FieldVerdict::InvalidName && settings_.ignore_invalid_headers) {
    log_.print(LogLevel::Info, "client sent invalid header: \"{}\"", name.substr(0, kQuoted));
    return;
  }
  value = trim(value);
  if (trailing_) {
    if (may_trail(name)) fields_.add(arena_->copy(name), arena_->copy(value));
    return;
  }
  if (take_special(name, value) || status_ != 0) return;
  fields_.add(arena_->copy(name), arena_->copy(value));
}

/// True: it stands elsewhere than among the fields.
bool Http2RequestReader::take_special(std::string_view name, std::string_view value) {
  switch (name.size()) {
    case 4:
      if (name != "host") return false;
      if (host_) {
        refuse(400, "client sent duplicate host header");
      } else {
        host_ = arena_->copy(value);
      }
      return true;
    case 6:
      if (name == "cookie") {
        if (cookies_.empty()) cookie_at_ = fields_.size();
        cookies_.push_back(arena_->copy(value));
        return true;
      }
      if (name == "expect")
        (equals_ignoring_case(value, "100-continue") ? expects_continue_ : expects_other_) = true;
      return false;
    case 8:
      if (name == "priority") priority_ = arena_->copy(value);
      return false;
    case 13:
      if (name == "authorization" && std::exchange(authorized_, true))
        refuse(400, kTwoAuthorizations);
      return false;
    case 14:
      if (name == "content-length") add_content_length(value);
      return false;
    default:
      return false;
  }
}

void Http2RequestReader::add_content_length(std::string_view value) {
  if (content_length_) return refuse_malformed("client sent duplicate \"Content-Length\" header");
  const auto length = parse_unsigned(value);
  // The upper half of the numbers is left out: others keep lengths in signed types.
  if (!length || *length > std::uint64_t(std::numeric_limits<std::int64_t>::max()))
    return refuse_malformed("client sent invalid \"Content-Length\" header");
  content_length_ = length;
}

void Http2RequestReader::settle(bool ended) {
  if (!method_) return refuse_malformed("client sent no :method header");
  const bool connects = *method_ == "CONNECT";
  if (!connects && !scheme_) return refuse_malformed("client sent no :scheme header");
  if (!connects && !path_) return refuse_malformed("client sent no :path header");
  if (!authority_ && (!host_ || host_->empty()))
    return refuse(400, "client sent neither \":authority\" nor \"Host\" header");
  if (authority_ && host_ && !equals_ignoring_case(*authority_, *host_))
    return refuse(400, "client sent \":authority\" and \"Host\" headers with different values");
  if (!all_of<is_method_char>(*method_))
    return refuse(400,
                  fmt::format("client sent invalid method: \"{}\"", method_->substr(0, kQuoted)));
  if (connects || *method_ == "TRACE")
    return refuse(405, fmt::format("client sent {} method", *method_));
  if (path_->front() != '/' && !(*path_ == "*" && *method_ == "OPTIONS"))
    return refuse_malformed("client sent invalid \":path\" header");
  if (ended && content_length_.value_or(0) > 0)
    return refuse_malformed("client sent \"Content-Length\" header and no body");
  if (expects_other_) refuse(417, "client sent unknown \"Expect\" header");
}

/// RFC 9113 8.2.3: crumbs are one field again before anybody reads them.
void Http2RequestReader::join_cookies() {
  if (cookies_.empty()) return;
  std::size_t size = 0;
  for (const auto crumb : cookies_)
    size += crumb.size() + 2;
  char* const text = arena_->text(size);
  char* at = text;
  for (const auto crumb : cookies_) {
    if (at != text) at = std::copy_n("; ", 2, at);
    at = std::copy(crumb.begin(), crumb.end(), at);
  }
  fields_.add("cookie", {text, static_cast<std::size_t>(at - text)});
  std::rotate(fields_.begin() + static_cast<std::ptrdiff_t>(cookie_at_), fields_.end() - 1,
              fields_.end());
}

void Http2RequestReader::add_host() {
  const auto& host = authority_ ? authority_ : host_;
  if (!host) return;
  fields_.add("host", *host);
  std::rotate(fields_.begin(), fields_.end() - 1, fields_.end());
}

RequestHead Http2RequestReader::end(bool ended, std::size_t bytes) {
  if (status_ == 0) settle(ended);
  join_cookies();
  add_host();
  RequestHead head;
  head.version = Version::Http2;
  head.method = method_.value_or("");
  head.target = path_.value_or("");
  head.headers = std::move(fields_);
  fields_ = HeaderList();
  head.bytes = bytes;
  head.refused = status_;
  head.refused_because = because_;
  head.has_body = status_ == 0 && !ended;
  if (status_ == 0) head.content_length = content_length_;
  return head;
}

}  // namespace gatescope::http
