#include "proxy/base/error_log.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "proxy/base/text.h"

namespace gatescope {
namespace {

// PIPE_BUF on Linux: a longer line could be torn apart in a pipe, and nginx cuts at 2048 anyway.
constexpr std::size_t kLongestLine = 4095;

}  // namespace

bool stderr_is_journal() {
  const char* const stream = std::getenv("JOURNAL_STREAM");
  struct stat info {};
  return stream != nullptr && ::fstat(2, &info) == 0 &&
         fmt::format("{}:{}", info.st_dev, info.st_ino) == stream;
}

void append_error_line(std::string& line, LogLevel level, std::string_view message, WallTime now) {
  fmt::format_to(std::back_inserter(line), "{} [{}] {}#{}: ", log_time_error(now), name_of(level),
                 ::getpid(), ::gettid());
  for (const char c : message) {
    if (line.size() > kLongestLine - 7) {  // room for one more \xNN and the dots
      line += "...";
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
}

void ErrorLog::write(LogLevel level, std::string_view message) {
  if (!enabled(level)) return;
  thread_local std::string line;  // scratch
  line.clear();
  if (journal_) fmt::format_to(std::back_inserter(line), "<{}>", static_cast<int>(level));
  append_error_line(line, level, message, clock_.wall());
  file_.append(line, settings_, clock_.now());
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
