#pragma once

#include <string>

#include "proxy/commands/command.h"

namespace gatescope::commands {

/// `gatescope conf trace URL`: which address, server and location of the configuration answer that
/// URL, and which settings hold there, each with its place and with what it replaces. Asks no
/// server: it reads the files as they are. What `if`, rewrites and maps do with a request is named,
/// not carried out. Exit status: 0; 1: the configuration or the URL is wrong, 2: nothing listens.
int trace_configuration(const Invocation& invocation, const std::string& url);

}  // namespace gatescope::commands
