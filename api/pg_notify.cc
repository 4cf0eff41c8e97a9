#include "api/pg_notify.h"

namespace gatescope::api {

namespace {

void notify(pqxx::transaction_base& t, const std::string& payload) {
  t.exec("SELECT pg_notify('" + std::string(kChannel) + "', " + t.quote(payload) + ")");
}

}  // namespace

void notify_changed(pqxx::transaction_base& t, const std::string& sender, SequenceId id) {
  notify(t, sender + " " + id.text());
}

void notify_imported(pqxx::transaction_base& t, const std::string& sender) {
  notify(t, sender + " *");
}

}  // namespace gatescope::api
