#include "api/oeisdata.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "proxy/base/unique_fd.h"

namespace gatescope::api {

namespace {

constexpr off_t kLargest = 16 << 20;  // the largest entry has 0.3 MB

Result<FileStamp> check_file(int fd, const std::string& path) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) return system_error(errno, "fstat() \"" + path + "\"");
  if (!S_ISREG(info.st_mode) || info.st_size > kLargest) {
    return make_error(ErrorKind::TooLarge, Origin::Internal,
                      "\"" + path + "\" is no file, or far too large for an entry of OEIS");
  }
  return stamp_of(info);
}

Result<std::string> read_all(int fd, std::int64_t size, const std::string& path) {
  std::string text(static_cast<std::size_t>(size), '\0');
  std::size_t filled = 0;
  while (filled < text.size()) {
    const ssize_t n = ::read(fd, text.data() + filled, text.size() - filled);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_error(errno, "read() \"" + path + "\"");
    if (n == 0) break;
    filled += static_cast<std::size_t>(n);
  }
  text.resize(filled);
  return text;
}

}  // namespace

FileStamp stamp_of(const struct stat& info) {
  return {.mtime = std::int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec,
          .size = info.st_size};
}

Result<std::optional<SeqEntry>> read_entry_file(int folder, const char* name,
                                                const std::string& path, SequenceId id,
                                                std::optional<FileStamp> known) {
  const UniqueFd fd(::openat(folder, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) return system_error(errno, "open() \"" + path + "\"");
  // Before reading: what changes meanwhile has another stamp the next time.
  const auto stamp = check_file(fd.get(), path);
  if (!stamp) return stamp.error();
  if (known == *stamp) return std::optional<SeqEntry>();
  auto text = read_all(fd.get(), stamp->size, path);
  if (!text) return text.error();
  auto entry = parse_seq_file(id, *text);
  if (!entry) return entry.error();
  entry->file = *stamp;
  return std::optional<SeqEntry>(std::move(*entry));
}

Result<std::optional<SeqEntry>> read_oeisdata(const std::string& folder, SequenceId id,
                                              std::optional<FileStamp> known) {
  const std::string name = id.text();
  const std::string path = folder + "/seq/" + name.substr(0, 4) + "/" + name + ".seq";
  auto entry = read_entry_file(AT_FDCWD, path.c_str(), path, id, known);
  if (!entry && entry.error().kind == ErrorKind::NotFound) return std::optional<SeqEntry>();
  return entry;
}

}  // namespace gatescope::api
