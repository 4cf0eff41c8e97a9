#pragma once

#include <string>

namespace gatescope::api {

/// Where a package may put gatescope-factor, if not beside gatescope.
inline constexpr const char* kInstalledFactorProgram = "/usr/lib/gatescope/gatescope-factor";

/// The path of gatescope-factor: beside the program that runs, else where it is installed. Of the
/// first place when it is at neither.
std::string find_factor_program();
/// Whether this process may run it.
bool may_run(const std::string& program);

}  // namespace gatescope::api
