#include "proxy/commands/log_reader.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

namespace gatescope::commands {

namespace {

constexpr std::size_t kPiece = 64 * 1024;
// Where nothing tells of changes (NFS), and for a folder that is made later.
constexpr int kLookAgain = 1000;

}  // namespace

bool LogReader::open() {
  file_.reset(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  at_ = 0;
  part_.clear();
  return static_cast<bool>(file_);
}

Result<std::string> LogReader::last_lines(std::size_t lines) {
  if (!open()) {
    auto error = system_error(errno, "open() \"" + path_ + "\"");
    error.kind = errno == ENOENT ? ErrorKind::NotFound : error.kind;
    return error;
  }
  struct stat facts {};
  if (::fstat(file_.get(), &facts) != 0) return system_error(errno, "fstat() \"" + path_ + "\"");
  if (!S_ISREG(facts.st_mode))
    return make_error(ErrorKind::Invalid, Origin::Internal, "\"" + path_ + "\" is no file");
  // Backwards, piece by piece, until there are line feeds enough
  std::string text;
  auto begin = static_cast<std::size_t>(facts.st_size);
  const std::size_t end = begin;
  while (begin > 0 &&
         static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) <= lines) {
    const std::size_t size = std::min(begin, kPiece);
    std::string piece(size, '\0');
    const auto got = ::pread(file_.get(), piece.data(), size, static_cast<off_t>(begin - size));
    if (got != static_cast<ssize_t>(size)) break;
    begin -= size;
    text.insert(0, piece);
  }
  at_ = end;
  const auto whole = text.rfind('\n');
  part_ = text.substr(whole == std::string::npos ? 0 : whole + 1);
  text.resize(text.size() - part_.size());
  std::size_t from = text.size();
  for (std::size_t i = 0; i < lines && from > 0; ++i) {
    const auto feed = from >= 2 ? text.rfind('\n', from - 2) : std::string::npos;
    from = feed == std::string::npos ? 0 : feed + 1;
  }
  return text.substr(from);
}

std::string LogReader::read_on() {
  if (!file_) return {};
  struct stat facts {};
  if (::fstat(file_.get(), &facts) == 0 && static_cast<std::size_t>(facts.st_size) < at_) {
    at_ = 0;  // emptied
    part_.clear();
  }
  std::string text = std::move(part_);
  part_.clear();
  char piece[kPiece];
  ssize_t got = 0;
  while ((got = ::pread(file_.get(), piece, sizeof piece, static_cast<off_t>(at_))) > 0) {
    text.append(piece, static_cast<std::size_t>(got));
    at_ += static_cast<std::size_t>(got);
  }
  const auto whole = text.rfind('\n');
  const std::size_t end = whole == std::string::npos ? 0 : whole + 1;
  part_ = text.substr(end);
  text.resize(end);
  return text;
}

std::string LogReader::more() {
  auto text = read_on();
  struct stat ours {
  }, theirs{};
  if (::stat(path_.c_str(), &theirs) != 0) return text;
  if (file_ && ::fstat(file_.get(), &ours) == 0 && ours.st_ino == theirs.st_ino &&
      ours.st_dev == theirs.st_dev)
    return text;
  if (open()) text += read_on();
  return text;
}

int follow_logs(std::vector<LogReader>& readers) {
  const UniqueFd changes(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  for (const auto& reader : readers) {
    const auto& path = reader.path();
    ::inotify_add_watch(changes.get(), path.substr(0, path.rfind('/') + 1).c_str(),
                        IN_MODIFY | IN_CREATE | IN_MOVED_TO);
  }
  const LogReader* shown = readers.size() > 1 ? nullptr : &readers.front();
  for (;;) {
    for (auto& reader : readers) {
      const auto text = reader.more();
      if (text.empty()) continue;
      if (shown != &reader) fmt::print("\n==> {} <==\n", reader.path());
      shown = &reader;
      std::fwrite(text.data(), 1, text.size(), stdout);
      if (std::fflush(stdout) != 0) return 0;  // nobody reads any more
    }
    pollfd one{changes.get(), POLLIN, 0};
    ::poll(&one, 1, kLookAgain);
    char events[4096];
    while (::read(changes.get(), events, sizeof events) > 0) {
    }
  }
}

}  // namespace gatescope::commands
