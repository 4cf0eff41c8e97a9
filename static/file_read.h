#pragma once

#include "proxy/base/bytes.h"
#include "static/file_open.h"

namespace gatescope::files {

/// Memory for `size` bytes, not cleared: it is read into at once.
std::shared_ptr<std::byte[]> make_buffer(std::size_t size);

/// Reads all of a small file as it is at one moment. `facts` are what the caller saw, and are
/// brought up to date when the file changed in between. False: its bytes are not in memory (the
/// caller streams it, the next request finds it there), or it changes all the time.
bool read_whole(int fd, FileFacts& facts, SharedBytes& content);

}  // namespace gatescope::files
