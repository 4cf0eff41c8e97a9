#include "proxy/http/access_log.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>

#include "proxy/base/byte_word.h"
#include "proxy/http/exchange.h"

namespace gatescope::http {

const char* const kCombinedFormat =
    "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent "
    "\"$http_referer\" \"$http_user_agent\"";

namespace {

constexpr char kHex[] = "0123456789ABCDEF";

bool is_plain(unsigned char c, LogEscape escape) {
  if (c < 0x20 || c == '"' || c == '\\') return false;
  return escape == LogEscape::Json || c < 0x7f;
}

/// Nearly every value of more than a few characters is, and is looked at by words.
bool is_plain(std::string_view value, LogEscape escape) {
  return all_words(value, [escape](ByteWord word) {
    if (any_below<0x20>(word) || any_is<'"'>(word) || any_is<'\\'>(word)) return false;
    return escape == LogEscape::Json || !((word & each_byte(0x80)) != 0 || any_is<0x7f>(word));
  });
}

void append_json(std::string& out, char ch) {
  switch (ch) {
    case '"':
    case '\\':
      (out += '\\') += ch;
      break;
    case '\n':
      out += "\\n";
      break;
    case '\r':
      out += "\\r";
      break;
    case '\t':
      out += "\\t";
      break;
    case '\b':
      out += "\\b";
      break;
    case '\f':
      out += "\\f";
      break;
    default:
      const auto c = static_cast<unsigned char>(ch);
      ((out += "\\u00") += kHex[c >> 4]) += kHex[c & 15];
  }
}

}  // namespace

void append_escaped(std::string& out, std::string_view value, LogEscape escape) {
  if (escape == LogEscape::None || is_plain(value, escape)) {
    out += value;
    return;
  }
  while (!value.empty()) {
    std::size_t plain = 0;
    while (plain < value.size() && is_plain(static_cast<unsigned char>(value[plain]), escape))
      ++plain;
    out += value.substr(0, plain);
    if (plain == value.size()) return;
    if (escape == LogEscape::Json) {
      append_json(out, value[plain]);
    } else {
      const auto c = static_cast<unsigned char>(value[plain]);
      ((out += "\\x") += kHex[c >> 4]) += kHex[c & 15];
    }
    value.remove_prefix(plain + 1);
  }
}

Result<LogFormat> LogFormat::compile(std::string_view text, LogEscape escape,
                                     VariableTable& variables) {
  LogFormat format;
  format.escape_ = escape;
  std::string literal;
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] != '$') {
      literal += text[i++];
      continue;
    }
    const bool braces = i + 1 < text.size() && text[i + 1] == '{';
    std::size_t begin = i + (braces ? 2 : 1), end = begin;
    while (end < text.size() && (is_alpha(text[end]) || is_digit(text[end]) || text[end] == '_'))
      ++end;
    if (end == begin || (braces && (end >= text.size() || text[end] != '}')))
      return make_error(ErrorKind::Invalid, Origin::Internal,
                        fmt::format("invalid parameter \"{}\"", text.substr(i)));
    auto id = variables.find(text.substr(begin, end - begin));
    if (!id) return id.error();
    format.pieces_.push_back({std::move(literal), *id});
    literal.clear();
    i = end + (braces ? 1 : 0);
  }
  format.pieces_.push_back({std::move(literal), std::nullopt});
  return format;
}

void LogFormat::append_line(std::string& out, Exchange& exchange) const {
  for (const auto& piece : pieces_) {
    out += piece.literal;
    if (!piece.variable) continue;
    const auto value = exchange.value(*piece.variable);
    if (value && (!value->empty() || escape_ != LogEscape::Default)) {
      append_escaped(out, *value, escape_);
    } else if (!value && escape_ == LogEscape::Default) {
      out += '-';
    }
  }
}

void AccessLog::write(Exchange& exchange) const {
  if (condition_) {
    const auto value = condition_->evaluate(exchange, exchange.arena());
    if (value.empty() || value == "0") return;
  }
  // Scratch, one per thread: nothing in it outlives this call.
  thread_local std::string line;
  line.clear();
  format_->append_line(line, exchange);
  if (syslog_) return syslog_->send(LogLevel::Info, line, exchange.loop().clock().wall());
  if (!file_) return write_by_name(exchange, line);
  file_->append(line, settings_, exchange.loop().clock().now());
}

/// As nginx: only below a root that exists, so that a log for each name that somebody asks for does
/// not fill the disk.
void AccessLog::write_by_name(Exchange& x, std::string& line) const {
  const std::string path(path_.evaluate(x, x.arena()));
  const std::string root(x.document_root());
  struct stat info {};
  const auto now = x.loop().clock().now();
  const auto failed = [&](const std::string& why, int error) {
    logs_->note_lost(path_.text(), 1, error);
    const auto second = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count();
    if (said_at_.exchange(second) != second) x.log(LogLevel::Crit, why);
  };
  if (path.find("/../") != std::string::npos || path.find('\0') != std::string::npos)
    return failed(fmt::format("the log \"{}\" would leave its folder", path), EINVAL);
  if (::stat(root.c_str(), &info) != 0)
    return failed(system_error(errno, fmt::format("testing \"{}\" existence", root)).detail, errno);
  line += '\n';
  errno = 0;
  if (auto written = open_files_->append(path, line, now); !written)
    failed(written.error().detail, errno);
}

}  // namespace gatescope::http
