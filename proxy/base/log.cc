#include "proxy/base/log.h"

namespace gatescope {

std::string_view name_of(LogLevel level) {
  switch (level) {
    case LogLevel::Emerg:
      return "emerg";
    case LogLevel::Alert:
      return "alert";
    case LogLevel::Crit:
      return "crit";
    case LogLevel::Error:
      return "error";
    case LogLevel::Warn:
      return "warn";
    case LogLevel::Notice:
      return "notice";
    case LogLevel::Info:
      return "info";
    case LogLevel::Debug:
      return "debug";
  }
  return "unknown";
}

}  // namespace gatescope
