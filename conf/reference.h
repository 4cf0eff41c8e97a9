#pragma once

#include <string>

#include "conf/schema.h"

namespace gatescope::conf {

/// The text of doc/directives.md: every directive of the schema by name, as the tables describe it.
/// A test compares the file with it, so that the reference cannot fall behind the program.
std::string directive_reference(const Schema& schema);

}  // namespace gatescope::conf
