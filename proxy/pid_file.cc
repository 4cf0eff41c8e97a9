#include "proxy/pid_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "proxy/base/text.h"
#include "proxy/base/unique_fd.h"

namespace gatescope::server {

void make_pid_folder(const std::string& path) {
  ::mkdir(path.substr(0, path.rfind('/')).c_str(), 0755);
}

Result<void> write_pid_file(const std::string& path, int pid) {
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!fd) return system_error(errno, "open() \"" + path + "\"");
  const auto text = fmt::format("{}\n", pid);
  if (::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    return system_error(errno, "write() \"" + path + "\"");
  return {};
}

void remove_pid_file(const std::string& path) {
  ::unlink(path.c_str());
}

Result<int> read_pid_file(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return system_error(errno, "open() \"" + path + "\"");
  char text[32] = "";
  const auto size = ::read(fd.get(), text, sizeof text - 1);
  const std::string_view all(text, size > 0 ? static_cast<std::size_t>(size) : 0);
  const auto line = trim(all.substr(0, all.find('\n')));
  const auto number = parse_unsigned(line);
  if (!number || *number == 0 || *number > 1u << 30)
    return make_error(ErrorKind::Invalid, Origin::Internal,
                      fmt::format("invalid PID number \"{}\" in \"{}\"", line, path));
  return static_cast<int>(*number);
}

}  // namespace gatescope::server
