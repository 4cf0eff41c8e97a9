#pragma once

#include <span>

#include "conf/schema.h"

namespace gatescope::files {

/// The directives of this library; `types` fills http::CoreSettings. The loader must provide
/// http::VariableTable.
std::span<const conf::DirectiveSpec> file_directives();
/// Names that tune how nginx moves bytes: accepted, of no effect.
std::span<const conf::DirectiveSpec> accepted_file_directives();

/// `open_file_cache off | max=N [inactive=time]` and `spa_fallback`, for the tests.
Result<void> apply_open_file_cache(conf::Loader& loader, conf::Scope& scope,
                                   const conf::Directive& d);
Result<void> apply_spa_fallback(conf::Loader& loader, conf::Scope& scope, const conf::Directive& d);
Result<void> apply_types(conf::Loader& loader, conf::Scope& scope, const conf::Directive& d);
Result<void> apply_disable_symlinks(conf::Loader& loader, conf::Scope& scope,
                                    const conf::Directive& d);

}  // namespace gatescope::files
