#include "proxy/http/session.h"

namespace gatescope::http {

void log_client(SessionHost& host, LogLevel level, std::string_view what, std::string_view doing) {
  host.log().print(level, "{} while {}", what, doing);
}

}  // namespace gatescope::http
