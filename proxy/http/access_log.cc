#include "proxy/http/access_log.h"

#include <fmt/format.h>

#include "proxy/http/exchange.h"

namespace gatescope::http {

const char* const kCombinedFormat =
    "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent "
    "\"$http_referer\" \"$http_user_agent\"";

void append_escaped(std::string& out, std::string_view value, LogEscape escape) {
  if (escape == LogEscape::None) {
    out += value;
    return;
  }
  for (const char ch : value) {
    const auto c = static_cast<unsigned char>(ch);
    if (escape == LogEscape::Json) {
      switch (c) {
        case '"':
          out += "\\\"";
          break;
        case '\\':
          out += "\\\\";
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
          if (c < 32) {
            fmt::format_to(std::back_inserter(out), "\\u{:04X}", c);
          } else {
            out += ch;
          }
      }
    } else if (c < 32 || c == '"' || c == '\\' || c == 127) {
      fmt::format_to(std::back_inserter(out), "\\x{:02X}", c);
    } else {
      out += ch;
    }
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
  std::string line;
  line.reserve(256);
  format_->append_line(line, exchange);
  file_.append(line);
}

}  // namespace gatescope::http
