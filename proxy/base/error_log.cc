#include "proxy/base/error_log.h"

#include <fmt/format.h>
#include <unistd.h>

#include "proxy/base/text.h"

namespace gatescope {
namespace {

// PIPE_BUF on Linux: a longer line could be torn apart in a pipe, and nginx cuts at 2048 anyway.
constexpr std::size_t kLongestLine = 4095;

}  // namespace

void ErrorLog::write(LogLevel level, std::string_view message) {
  if (!enabled(level)) return;
  fmt::basic_memory_buffer<char, 512> line;
  fmt::format_to(std::back_inserter(line), "{} [{}] {}#{}: ", log_time_error(clock_.wall()),
                 name_of(level), ::getpid(), ::gettid());
  for (const char c : message) {
    if (line.size() > kLongestLine - 7) {  // room for one more \xNN and the dots
      line.append(std::string_view("..."));
      break;
    }
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      // Text from a client must not be able to forge a line or to steer the reader's terminal.
      fmt::format_to(std::back_inserter(line), "\\x{:02X}", byte);
    } else {
      line.push_back(c);
    }
  }
  file_.append({line.data(), line.size()}, settings_, clock_.now());
}

bool ErrorLogs::enabled(LogLevel level) const {
  for (const auto& log : logs_)
    if (log->enabled(level)) return true;
  return false;
}

void ErrorLogs::write(LogLevel level, std::string_view message) {
  for (const auto& log : logs_)
    log->write(level, message);
}

}  // namespace gatescope
