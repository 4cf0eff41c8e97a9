#include "api/oeisdata.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "proxy/base/unique_fd.h"

namespace gatescope::api {

namespace {

constexpr off_t kLargest = 16 << 20;  // the largest entry has 0.3 MB

Result<FileStamp> stamp_of(int fd, const std::string& path) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) return system_error(errno, "fstat() \"" + path + "\" failed");
  if (!S_ISREG(info.st_mode) || info.st_size > kLargest) {
    return make_error(ErrorKind::TooLarge, Origin::Internal,
                      "\"" + path + "\" is no file, or far too large for an entry of OEIS");
  }
  return FileStamp{
      .mtime = std::int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec,
      .size = info.st_size};
}

Result<std::string> read_all(int fd, std::int64_t size, const std::string& path) {
  std::string text(static_cast<std::size_t>(size), '\0');
  std::size_t filled = 0;
  while (filled < text.size()) {
    const ssize_t n = ::read(fd, text.data() + filled, text.size() - filled);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_error(errno, "read() \"" + path + "\" failed");
    if (n == 0) break;
    filled += static_cast<std::size_t>(n);
  }
  text.resize(filled);
  return text;
}

}  // namespace

Result<std::optional<SeqEntry>> read_oeisdata(const std::string& folder, SequenceId id,
                                              std::optional<FileStamp> known) {
  const std::string name = id.text();
  const std::string path = folder + "/seq/" + name.substr(0, 4) + "/" + name + ".seq";
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) {
    if (errno == ENOENT) return std::optional<SeqEntry>();
    return system_error(errno, "open() \"" + path + "\" failed");
  }
  // Before reading: what changes meanwhile has another stamp the next time.
  const auto stamp = stamp_of(fd.get(), path);
  if (!stamp) return stamp.error();
  if (known == *stamp) return std::optional<SeqEntry>();
  auto text = read_all(fd.get(), stamp->size, path);
  if (!text) return text.error();
  auto entry = parse_seq_file(id, *text);
  if (!entry) return entry.error();
  entry->file = *stamp;
  return std::optional<SeqEntry>(std::move(*entry));
}

}  // namespace gatescope::api
