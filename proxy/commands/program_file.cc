#include "proxy/commands/program_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "proxy/base/text.h"
#include "proxy/base/unique_fd.h"

namespace gatescope::commands {

namespace {

std::string proc_file(int pid, const char* name) {
  return fmt::format("/proc/{}/{}", pid, name);
}

std::string value_in_environment(int pid, std::string_view name) {
  std::ifstream file(proc_file(pid, "environ"), std::ios::binary);
  const std::string all{std::istreambuf_iterator<char>(file), {}};
  for (const auto entry : split(all, '\0'))
    if (entry.starts_with(name)) return std::string(entry.substr(name.size()));
  return {};
}

Result<void> copy_program(const std::string& source, const std::string& to) {
  std::error_code failed;
  std::filesystem::copy_file(source, to, std::filesystem::copy_options::overwrite_existing, failed);
  if (failed)
    return system_error(failed.value(), fmt::format("copying \"{}\" to \"{}\"", source, to));
  const UniqueFd file(::open(to.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file || ::fchmod(file.get(), 0755) != 0 || ::fsync(file.get()) != 0)
    return system_error(errno, "writing \"" + to + "\"");
  return {};
}

}  // namespace

Result<std::string> program_path_of(int pid) {
  std::ifstream file(proc_file(pid, "cmdline"), std::ios::binary);
  std::string name;
  std::getline(file, name, '\0');
  if (name.empty())
    return make_error(ErrorKind::NotFound, Origin::Internal,
                      fmt::format("process {} does not say what it was started by", pid));
  if (name.starts_with('/')) return name;
  if (name.find('/') == std::string::npos) {
    for (const auto folder : split(value_in_environment(pid, "PATH="), ':')) {
      const auto candidate = fmt::format("{}/{}", folder, name);
      if (::access(candidate.c_str(), X_OK) == 0) return candidate;
    }
    return make_error(
        ErrorKind::NotFound, Origin::Internal,
        fmt::format("there is no program \"{}\" along the PATH of process {}", name, pid));
  }
  std::error_code failed;
  const auto folder = std::filesystem::read_symlink(proc_file(pid, "cwd"), failed);
  if (failed)
    return system_error(failed.value(), "readlink() of the folder of the running process");
  return (folder / name).string();
}

Result<void> ProgramFile::replace_by(const std::string& source) {
  const auto fresh = path_ + ".new", before = path_ + ".before";
  if (auto copied = copy_program(source, fresh); !copied) {
    ::unlink(fresh.c_str());
    return copied;
  }
  ::unlink(before.c_str());
  const auto give_up = [&](Error error) {
    ::unlink(fresh.c_str());
    return error;
  };
  // A second name for the same file, so that there is a program at every moment; a copy where the
  // file is somebody else's (fs.protected_hardlinks) or the file system has no second names.
  if (::linkat(AT_FDCWD, path_.c_str(), AT_FDCWD, before.c_str(), 0) != 0)
    if (auto copied = copy_program(path_, before); !copied) return give_up(copied.error());
  if (::rename(fresh.c_str(), path_.c_str()) != 0)
    return give_up(system_error(errno, "replacing \"" + path_ + "\""));
  replaced_ = true;
  return {};
}

Result<void> ProgramFile::put_back() {
  if (!replaced_) return {};
  if (::rename((path_ + ".before").c_str(), path_.c_str()) != 0)
    return system_error(errno, "putting \"" + path_ + ".before\" back");
  replaced_ = false;
  return {};
}

}  // namespace gatescope::commands
