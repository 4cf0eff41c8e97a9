#include "proxy/http/session.h"

namespace gatescope::http {

void log_client(SessionHost& host, LogLevel level, std::string_view what, std::string_view doing) {
  const ConnectionInfo& info = host.info();
  host.log().print(level, "*{} {} while {}, client: {}, server: {}", info.number, what, doing,
                   info.client_address, info.local.to_string());
}

}  // namespace gatescope::http
