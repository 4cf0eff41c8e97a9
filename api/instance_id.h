#pragma once

#include <string>

namespace gatescope::api {

/// A name for this process in the database that no other one has, before or after: the owner of its
/// claims and the sender of its notifications. Without blanks.
std::string make_instance_id();

}  // namespace gatescope::api
