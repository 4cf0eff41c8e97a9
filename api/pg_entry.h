#pragma once

#include <optional>
#include <string>

#include "api/seq_file.h"
#include "proxy/base/result.h"

namespace gatescope::api {

class PgSession;

/// An entry without keywords and mentions; nullopt: none. One that only a list names has no terms
/// here: where they begin is not known. Throws what libpqxx throws.
Result<void> load_entry_row(PgSession& session, SequenceId id, std::optional<SeqEntry>& entry);

/// Stores an entry in place of an older one, and who mentions whom, and announces it in the name of
/// `instance`. False: nothing was stored, an import is just being applied. Throws what libpqxx
/// throws.
bool save_entry_row(PgSession& session, const SeqEntry& entry, const std::string& instance);

}  // namespace gatescope::api
