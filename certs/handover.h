#pragma once

#include <string>
#include <string_view>

#include "certs/session_caches.h"
#include "certs/tls_context.h"

namespace gatescope::tls {

/// What the program that takes over (a binary upgrade) must know for clients to go on resuming: the
/// keys of their tickets, and sessions that are kept here. Secret.
std::string save_sessions(TicketKeys& tickets, SessionCaches& caches);
/// Before the first context is made. What cannot be read is left out: those clients shake hands in
/// full.
void restore_sessions(std::string_view saved, TicketKeys& tickets, SessionCaches& caches);

}  // namespace gatescope::tls
