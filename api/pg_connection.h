#pragma once

#include <exception>
#include <memory>
#include <pqxx/pqxx>
#include <string>
#include <string_view>

#include "proxy/base/result.h"

namespace gatescope::api {

/// What a connection is for: a hot standby will do, or not.
enum class Access { ReadWrite, Any };

/// Connects, to the first of several hosts that allows the access. Two seconds a host at most.
/// Throws what libpqxx throws, or std::runtime_error.
std::unique_ptr<pqxx::connection> connect_plainly(const std::string& where,
                                                  Access access = Access::ReadWrite);

/// For commands: the same, without statement_timeout and without looking at the tables
/// (prepare_database() does that). The error says how to mend it where that is known.
Result<std::unique_ptr<pqxx::connection>> open_connection(const std::string& where,
                                                          Access access = Access::ReadWrite);

/// What libpqxx threw, as an Error: Unavailable when the server or the connection is to blame and
/// the same may work later or elsewhere; Timeout; Forbidden (a privilege is missing), Internal.
Error database_error(const std::exception& thrown);

}  // namespace gatescope::api
