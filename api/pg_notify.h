#pragma once

#include <pqxx/pqxx>
#include <string>

#include "api/sequence_id.h"

namespace gatescope::api {

/// The channel that gatescopes on one database tell each other changes on. A payload is the sender,
/// a blank, and the sequence's id or "*" for everything.
inline constexpr const char* kChannel = "gatescope";

/// The sender of what a command does: nobody's own, so that all hear it.
inline constexpr const char* kCommandSender = "command";

/// Part of the transaction: told when it is committed. `sender`: make_instance_id(), or
/// kCommandSender.
void notify_changed(pqxx::transaction_base& t, const std::string& sender, SequenceId id);
/// Indexes and caches of everybody are old: an import, a clear, a reset.
void notify_imported(pqxx::transaction_base& t, const std::string& sender);

}  // namespace gatescope::api
