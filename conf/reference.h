#pragma once

#include <string>

#include "conf/schema.h"

namespace gatescope::conf {

/// The text of doc/directives.md: every directive of the schema by name, as the tables describe it.
/// A test compares the file with it, so that the reference cannot fall behind the program.
std::string directive_reference(const Schema& schema);

/// What the tables say of one directive, in each of its forms, for a terminal. Error NotFound:
/// there is none of that name, with the reason where nginx has it, or the nearest name.
Result<std::string> explain_directive(const Schema& schema, std::string_view name);

}  // namespace gatescope::conf
