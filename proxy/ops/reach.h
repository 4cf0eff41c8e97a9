#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "proxy/base/result.h"

namespace gatescope::ops {

/// Who is to read a site: the user that the worker becomes.
struct Reader {
  std::string name;
  uid_t user = 0;
  std::vector<gid_t> groups;
};
/// Error NotFound: there is no such user.
Result<Reader> reader_named(const std::string& name);

/// Whether the reader may enter every folder above `path`, as far as their modes say; where one has
/// an access control list it is believed. The error names the folder and the mend.
Result<void> can_reach(const std::string& path, const Reader& reader);

}  // namespace gatescope::ops
