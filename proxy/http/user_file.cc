#include "proxy/http/user_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "proxy/base/text.h"
#include "proxy/base/unique_fd.h"

namespace gatescope::http {

namespace {

constexpr Duration kLookAgain{1000};

Result<std::string> read_own(const std::string& path, struct stat& info) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd || ::fstat(fd.get(), &info) != 0)
    return system_error(errno, fmt::format("open() \"{}\"", path));
  std::string text(
      std::min<std::size_t>(static_cast<std::size_t>(info.st_size), UserFile::kLargest), '\0');
  const ssize_t n = ::pread(fd.get(), text.data(), text.size(), 0);
  if (n < 0) return system_error(errno, fmt::format("read() \"{}\"", path));
  text.resize(static_cast<std::size_t>(n));
  return text;
}

}  // namespace

std::optional<std::string_view> find_user(std::string_view file, std::string_view name) {
  for (auto line : split(file, '\n')) {
    if (line.starts_with('#') || line.size() <= name.size() || !line.starts_with(name) ||
        line[name.size()] != ':')
      continue;
    line.remove_prefix(name.size() + 1);
    return line.substr(0, line.find_first_of(":\r"));
  }
  return std::nullopt;
}

UserFile::UserFile(std::string path, tls::SecretReader* secrets)
    : path_(std::move(path)),
      text_(secrets ? secrets->read_secret(path_)
                    : make_error(ErrorKind::Forbidden, Origin::Internal,
                                 fmt::format("\"{}\" may not be read", path_))) {}

void UserFile::look_again(MonoTime now) {
  if (looked_ != MonoTime{} && now - looked_ < kLookAgain) return;
  looked_ = now;
  struct stat info {};
  if (::stat(path_.c_str(), &info) != 0) {
    if (errno != EACCES) text_ = system_error(errno, fmt::format("open() \"{}\"", path_));
    inode_ = 0;
    return;
  }
  const auto modified = info.st_mtim.tv_sec * 1'000'000'000LL + info.st_mtim.tv_nsec;
  if (text_ && inode_ == info.st_ino && modified_ == modified &&
      size_ == static_cast<std::uint64_t>(info.st_size))
    return;
  auto read = read_own(path_, info);
  if (!read) {  // only root may: as it was when the configuration was loaded
    if (!text_) text_ = std::move(read);
    return;
  }
  text_ = std::move(read);
  inode_ = info.st_ino;
  modified_ = modified;
  size_ = static_cast<std::uint64_t>(info.st_size);
}

Result<std::optional<std::string>> UserFile::find(std::string_view name, MonoTime now) {
  const std::lock_guard lock(mutex_);
  look_again(now);
  if (!text_) return text_.error();
  const auto stored = find_user(*text_, name);
  return stored ? std::optional(std::string(*stored)) : std::nullopt;
}

std::shared_ptr<UserFile> UserFiles::get(const std::string& path) {
  auto& held = files_[path];
  if (!held) held = std::make_shared<UserFile>(path, &secrets_);
  return held;
}

}  // namespace gatescope::http
