#pragma once

#include <memory>
#include <string>
#include <vector>

#include "conf/template.h"
#include "proxy/base/log_file.h"
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
    std::string literal;
    std::optional<conf::VariableId> variable;
  };
  std::vector<Piece> pieces_;
  LogEscape escape_ = LogEscape::Default;
};
extern const char* const kCombinedFormat;

/// Default: '"', '\' and controls as \xXX, a variable without value as "-"; Json: JSON string
/// escapes, empty.
void append_escaped(std::string& out, std::string_view value, LogEscape escape);

/// One access_log target of a location: format, file, condition. Owned by the Generation; the file
/// outlives it.
class AccessLog {
 public:
  AccessLog(std::shared_ptr<const LogFormat> format, LogFile& file,
            std::shared_ptr<const conf::Template> condition)
      : format_(std::move(format)), file_(file), condition_(std::move(condition)) {}
  void write(Exchange& exchange) const;

 private:
  const std::shared_ptr<const LogFormat> format_;  // shared by the locations that name it
  LogFile& file_;
  const std::shared_ptr<const conf::Template> condition_;  // null: always
};

}  // namespace gatescope::http
