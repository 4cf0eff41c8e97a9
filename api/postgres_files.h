#pragma once

// What embedded PostgreSQL needs of the file system and of the system's users. Blocking, but short:
// a few system calls each.

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/result.h"
#include "proxy/base/unique_fd.h"

namespace gatescope::api {

/// The folder with `postgres` and `initdb`: the newest below /usr/lib/postgresql, else one on PATH.
/// The error says what to install.
Result<std::string> find_postgres_binaries();

struct OsUser {
  std::string name;
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;
};
Result<OsUser> os_user(const std::string& name);
Result<OsUser> own_os_user();
/// Who PostgreSQL runs as: we, unless we are root, which it refuses; then `postgres`, else
/// `nobody`.
Result<OsUser> postgres_os_user();

/// Whether `user` may enter every folder from / to `path`; the error names the first that is
/// closed.
Result<void> check_passable(const std::string& path, const OsUser& user);

/// Makes the folder if it is not there; when root, gives it to `owner`.
Result<void> make_folder(const std::string& path, mode_t mode, const OsUser& owner);

/// Replaces the file as a whole, readable by `owner` only.
Result<void> write_atomically(const std::string& path, std::string_view text, const OsUser& owner);

/// Takes the lock that says whose cluster this is; it is given back by the kernel however we end.
/// No descriptor: another process has it.
Result<UniqueFd> try_lock(const std::string& path);

/// The postmaster that lives on `data`, if one does, by its postmaster.pid; a number that was given
/// to another process meanwhile is not taken for one.
std::optional<pid_t> living_postmaster(const std::string& data);

/// Removes a postmaster.pid whose number belongs to a stranger by now: PostgreSQL would refuse to
/// start (usual in containers, where numbers are small). Otherwise it stays: it also keeps a new
/// server away from the remaining backends of a killed one.
void remove_misleading_pid_file(const std::string& data);

}  // namespace gatescope::api
