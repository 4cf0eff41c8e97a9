#pragma once

#include <optional>

#include "api/metadata.h"
#include "proxy/base/result.h"

namespace gatescope::api {

class PgSession;

/// What the database knows of `id`; nullopt: nothing. One round trip. Throws what libpqxx throws.
Result<void> load_metadata_row(PgSession& session, SequenceId id,
                               std::optional<Metadata>& metadata);

}  // namespace gatescope::api
