#pragma once

#include <pqxx/pqxx>

#include "proxy/base/result.h"

namespace gatescope::api {

/// Makes the old service's tables where there are none, and brings our own schema `gatescope` up to
/// date; refuses a database that is not UTF8, with the command that mends it. Several gatescopes
/// may do so at once: an advisory lock orders them. May throw what libpqxx throws.
Result<void> prepare_database(pqxx::connection& connection);

/// The statements that the stores run by name, once per connection.
void prepare_statements(pqxx::connection& connection);

}  // namespace gatescope::api
