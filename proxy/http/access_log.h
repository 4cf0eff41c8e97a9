#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conf/template.h"
#include "proxy/base/log_files.h"
#include "proxy/http/open_log_files.h"
#include "proxy/http/variables.h"

namespace gatescope::http {

class Exchange;

/// log_format's escape=: what is done to values so that a line stays one line and one format.
enum class LogEscape { Default, Json, None };

/// A log_format: literals and variables. "combined" is built in.
class LogFormat {
 public:
  static Result<LogFormat> compile(std::string_view text, LogEscape escape,
                                   VariableTable& variables);
  void append_line(std::string& out, Exchange& exchange) const;

 private:
  struct Piece {
    std::string literal;  // stands before the variable
    std::optional<conf::VariableId> variable;
  };
  std::vector<Piece> pieces_;
  LogEscape escape_ = LogEscape::Default;
};
extern const char* const kCombinedFormat;

/// As nginx, byte by byte. Default: '"', '\', controls and what is not ASCII as \xXX; a variable
/// without value is "-". Json: JSON string escapes, empty.
void append_escaped(std::string& out, std::string_view value, LogEscape escape);

/// One access_log target of a location: format, file, condition. Owned by the Generation; the file
/// outlives it.
class AccessLog {
 public:
  AccessLog(std::shared_ptr<const LogFormat> format, LogFile& file, SharedLogSettings settings,
            std::shared_ptr<const conf::Template> condition)
      : format_(std::move(format)),
        condition_(std::move(condition)),
        file_(&file),
        settings_(std::move(settings)) {}
  AccessLog(std::shared_ptr<const LogFormat> format, Syslog& syslog,
            std::shared_ptr<const conf::Template> condition)
      : format_(std::move(format)), condition_(std::move(condition)), syslog_(&syslog) {}
  /// The path holds variables.
  AccessLog(std::shared_ptr<const LogFormat> format, conf::Template path,
            std::shared_ptr<OpenLogFiles> open_files, LogFiles& logs,
            std::shared_ptr<const conf::Template> condition)
      : format_(std::move(format)),
        condition_(std::move(condition)),
        path_(std::move(path)),
        open_files_(std::move(open_files)),
        logs_(&logs) {}
  void write(Exchange& exchange) const;

 private:
  void write_by_name(Exchange& exchange, std::string& line) const;

  const std::shared_ptr<const LogFormat> format_;          // shared by the locations that name it
  const std::shared_ptr<const conf::Template> condition_;  // null: always
  LogFile* const file_ = nullptr;
  const SharedLogSettings settings_;
  // Instead of file_
  Syslog* const syslog_ = nullptr;
  // Instead of both
  const conf::Template path_;
  const std::shared_ptr<OpenLogFiles> open_files_;  // shared by the levels that inherit it
  LogFiles* const logs_ = nullptr;
  mutable std::atomic<std::int64_t> said_at_{-1};  // second in which a failure was said last
};

}  // namespace gatescope::http
