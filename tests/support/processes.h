#pragma once

// What /proc says of processes that may end at any moment: then the text is empty. A stream would
// throw (libstdc++ makes ESRCH of a read an exception), and so would a directory iterator.

#include <dirent.h>
#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

#include <charconv>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace gatescope::test {

/// /proc/PID/FILE
inline std::string process_file(pid_t pid, std::string_view file) {
  std::string text;
  const auto path = "/proc/" + std::to_string(pid) + "/" + std::string(file);
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return text;
  char room[4096];
  for (ssize_t n; (n = ::read(fd, room, sizeof(room))) > 0;)
    text.append(room, static_cast<std::size_t>(n));
  ::close(fd);
  return text;
}

struct ProcessState {
  char state = 'X';  // as in /proc/PID/stat; X: there is no such process
  pid_t parent = 0;
};

inline ProcessState process_state(pid_t pid) {
  const auto stat = process_file(pid, "stat");
  const auto end = stat.rfind(')');  // of the program's name, which may hold anything
  ProcessState state;
  if (end != std::string::npos)
    std::istringstream(stat.substr(end + 1)) >> state.state >> state.parent;
  return state;
}

/// No zombies.
inline std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> found;
  DIR* const folder = ::opendir("/proc");
  if (folder == nullptr) return found;
  while (const dirent* entry = ::readdir(folder)) {
    const std::string_view name = entry->d_name;
    pid_t pid = 0;
    if (std::from_chars(name.data(), name.data() + name.size(), pid).ec != std::errc()) continue;
    const auto state = process_state(pid);
    if (state.parent == parent && state.state != 'Z') found.push_back(pid);
  }
  ::closedir(folder);
  return found;
}

}  // namespace gatescope::test
