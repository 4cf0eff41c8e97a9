#pragma once

// Opening, looking at and reading files, without HTTP. All of it is for any thread.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "proxy/base/unique_fd.h"

namespace gatescope::files {

/// `disable_symlinks off | on | if_not_owner`.
enum class Symlinks { Follow, Refuse, RefuseForeign };

struct OpenOptions {
  Symlinks symlinks = Symlinks::Follow;
  /// `disable_symlinks ... from=`: a leading part of the path in which links are followed. A
  /// folder's path without final slash; empty, or no leading part: all of the path is looked at.
  std::string_view trusted = {};
};

/// What stat says, as far as it tells one version of a file from another.
struct FileFacts {
  enum class Kind { Regular, Directory, Other };
  Kind kind = Kind::Other;
  std::uint64_t device = 0, inode = 0, size = 0;
  std::int64_t mtime = 0, mtime_ns = 0;  // seconds since 1970, and nanoseconds in addition
  std::int64_t ctime = 0, ctime_ns = 0;
  std::uint64_t links = 1;  // names that the file has
  bool operator==(const FileFacts&) const = default;
};

struct Opened {
  UniqueFd fd;  // open for reading when error is 0; for look_at() none
  FileFacts facts;
  int error = 0;                     // errno
  std::string_view call = "open()";  // what failed, in nginx's words
};

/// Opens without waiting for anybody (a FIFO), without becoming a terminal's owner, and regular
/// files, directories and others alike: the caller looks at facts.kind. A refused link is ELOOP.
Opened open_file(const std::string& path, const OpenOptions& options);

/// What lies there, without opening it.
Opened look_at(const std::string& path, const OpenOptions& options);

/// Whether the last part of the path is itself the file, and not a symbolic link to it.
bool is_own_name(const std::string& path, const FileFacts& facts);

/// The facts of an open file; false: they could not be found out.
bool read_facts(int fd, FileFacts& facts);

struct ReadOutcome {
  std::size_t bytes = 0;     // 0 without error: the end of the file
  int error = 0;             // errno
  bool would_block = false;  // Patience::None only: the bytes are not in memory
};
enum class Patience {
  None,  // only what the page cache holds (preadv2 with RWF_NOWAIT)
  Wait,  // as long as the disk takes
};
/// Reads at a position, never by the descriptor's own: a descriptor may have several readers. File
/// systems that do not know RWF_NOWAIT (tmpfs before Linux 6.x, NFS) answer EOPNOTSUPP.
ReadOutcome read_at(int fd, std::span<std::byte> into, std::uint64_t offset, Patience patience);

/// Nothing of that name is there, as against something that may not be opened.
bool means_missing(int error);

/// Paths below a root that cannot lead anywhere good whatever the disk holds: a NUL, a "..".
/// Request paths are normalised before; a path made of variables (try_files, index) is not.
bool is_unsafe_path(std::string_view path);

}  // namespace gatescope::files
