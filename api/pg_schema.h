#pragma once

#include <pqxx/pqxx>

#include "proxy/base/result.h"

namespace gatescope::api {

/// The last migration that this program knows; the first is 1.
int newest_schema_version();

/// Until the end of the transaction nobody else makes or changes tables: several gatescopes may
/// start at once.
void lock_schema(pqxx::transaction_base& t);

/// Makes the old service's tables where there are none, and brings our own schema `gatescope` up to
/// date, after lock_schema(). Errors, with the command that mends it: a database that is not UTF8,
/// privileges that are missing; a database of a newer gatescope. Then the transaction is to be
/// dropped. May throw what libpqxx throws.
Result<void> make_tables(pqxx::transaction_base& t);

/// The same in a transaction of its own.
Result<void> prepare_database(pqxx::connection& connection);

/// The statements that the stores run by name, once per connection.
void prepare_statements(pqxx::connection& connection);

}  // namespace gatescope::api
