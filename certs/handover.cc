#include "certs/handover.h"

#include "certs/ticket_keys.h"
#include "proxy/base/packed.h"

namespace gatescope::tls {

namespace {

// Of sessions: some ten thousand clients. What is older shakes hands in full.
constexpr std::size_t kMostSessions = 8u << 20;
constexpr std::string_view kForm = "gatescope sessions 1";

}  // namespace

std::string save_sessions(TicketKeys& tickets, SessionCaches& caches) {
  Packer packer;
  packer.text(kForm);
  Packer keys;
  tickets.state().save(keys);
  packer.text(std::move(keys).take());
  packer.text(caches.save(kMostSessions));
  return std::move(packer).take();
}

void restore_sessions(std::string_view saved, TicketKeys& tickets, SessionCaches& caches) {
  Unpacker from(saved);
  if (from.text() != kForm) return;
  if (const auto keys = from.text()) {
    Unpacker inner(*keys);
    tickets.state().restore(inner);
  }
  if (const auto sessions = from.text()) caches.restore(std::string(*sessions));
}

}  // namespace gatescope::tls
