#pragma once

#include <optional>
#include <string_view>

namespace gatescope::conf {

/// Why a directive that nginx (or one of its usual modules) has is missing here, and what to write
/// instead; nullopt for a name that nginx does not have either, or that some table of this program
/// may define. For error messages only.
std::optional<std::string_view> why_unsupported(std::string_view name);

}  // namespace gatescope::conf
