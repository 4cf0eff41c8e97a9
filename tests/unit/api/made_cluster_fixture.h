#pragma once

#include <string>

namespace gatescope::api {

/// Puts a cluster into a state folder that is not there yet, as the first start of embedded
/// PostgreSQL would: initdb runs once for each test program, the others are copies. It is the
/// larger part of what a start costs. Throws std::runtime_error.
void put_made_cluster(const std::string& state_dir);

}  // namespace gatescope::api
