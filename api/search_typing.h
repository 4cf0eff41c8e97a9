#pragma once

#include <string_view>

namespace gatescope::api {

/// `typed` becomes `meant` by one letter more, less or other, or two neighbours exchanged; false
/// for equal ones. With `begins`, it becomes what `meant` begins with. Byte by byte.
bool one_edit(std::string_view typed, std::string_view meant, bool begins);

/// They differ only in which letters are doubled: "fibonnaci". With `begins`, as above.
bool same_but_doubled(std::string_view typed, std::string_view meant, bool begins);

}  // namespace gatescope::api
