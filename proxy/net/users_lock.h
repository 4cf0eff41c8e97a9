#pragma once

#include <fcntl.h>

#include <cerrno>

namespace gatescope::net {

// The bytes of a UsersFile and what locks on them mean. Async-signal-safe.
inline constexpr off_t kUsersByte = 0, kGuardByte = 1;

inline struct flock byte_lock(short type, off_t byte) {
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = byte;
  lock.l_len = 1;
  return lock;
}
inline bool lock_as_guard(int fd) {
  auto lock = byte_lock(F_WRLCK, kGuardByte);
  return ::fcntl(fd, F_OFD_SETLK, &lock) == 0;
}
inline bool lock_as_user(int fd) {
  auto lock = byte_lock(F_RDLCK, kUsersByte);
  return ::fcntl(fd, F_OFD_SETLK, &lock) == 0;
}
/// False: a signal came. From true on nobody can be a user.
inline bool wait_until_unused(int fd) {
  auto lock = byte_lock(F_WRLCK, kUsersByte);
  return ::fcntl(fd, F_OFD_SETLKW, &lock) == 0;
}
/// Whether another open file description holds a lock on the byte.
inline bool is_locked_by_others(int fd, off_t byte) {
  auto lock = byte_lock(F_WRLCK, byte);
  return ::fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

}  // namespace gatescope::net
