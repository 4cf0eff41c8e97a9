#pragma once

// Files in whole steps, for deploy and install: what was done is on the disk, or was not done.

#include <sys/stat.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/result.h"
#include "proxy/base/unique_fd.h"

namespace gatescope::ops {

/// As system_error(), and a full disk says that it is one.
Error file_error(int errno_value, std::string_view call, const std::string& path);

Result<std::string> read_whole(const std::string& path, std::uint64_t most_bytes);
/// Made or overwritten. `mode` as it stands: the umask has no say.
Result<void> write_whole(const std::string& path, std::string_view text, unsigned mode);
/// The old content or the new one, whatever happens meanwhile: written beside, synced, renamed.
Result<void> replace_whole(const std::string& path, std::string_view text, unsigned mode);
/// Copies what `from` holds to a new file with `mode` and the same time of change. Where the file
/// system can share the blocks it does.
Result<void> copy_file(int from, const struct stat& facts, const std::string& to, unsigned mode);
/// Makes a symbolic link, or exchanges the one that is there, in one step.
Result<void> point_link(const std::string& link, const std::string& target,
                        const std::string& scratch);
Result<void> make_folder(const std::string& path, unsigned mode);  // that it exists is no error
/// All of it, following no link. Missing: no error.
Result<void> remove_tree(const std::string& path);
Result<void> sync_folder(const std::string& path);
Result<void> sync_file_system(const std::string& path_in_it);
/// The text that a link holds; nullopt: there is no link.
std::optional<std::string> link_text(const std::string& path);
bool is_folder(const std::string& path);  // follows links
bool exists(const std::string& path);     // a dangling link does

/// One entry of a tree; `path` is relative to its root. Links are not followed.
struct TreeEntry {
  std::string path;
  struct stat facts {};
};
/// All of them, sorted.
Result<std::vector<TreeEntry>> list_tree(const std::string& root, std::size_t most_entries);

}  // namespace gatescope::ops
