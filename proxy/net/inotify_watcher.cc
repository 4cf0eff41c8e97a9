#include <linux/magic.h>
#include <sys/inotify.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "proxy/base/unique_fd.h"
#include "proxy/net/folder_watcher.h"
#include "proxy/net/loop.h"

namespace gatescope::net {
namespace {

constexpr std::uint32_t kChanges =
    IN_CREATE | IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE;
constexpr std::uint32_t kEnds = IN_DELETE_SELF | IN_MOVE_SELF;
constexpr std::uint32_t kGone = kEnds | IN_UNMOUNT | IN_IGNORED;

/// A storm of events leaves the loop free for others in between.
constexpr int kReadsPerTurn = 16;
constexpr std::size_t kBuffer = 64 * 1024;

/// File systems whose changes all come from this machine's kernel.
bool tells_everything(const std::string& path) {
  struct statfs fs;
  if (::statfs(path.c_str(), &fs) != 0) return false;
  switch (static_cast<std::uint32_t>(fs.f_type)) {
    case EXT4_SUPER_MAGIC:
    case XFS_SUPER_MAGIC:
    case BTRFS_SUPER_MAGIC:
    case F2FS_SUPER_MAGIC:
    case TMPFS_MAGIC:
    case RAMFS_MAGIC:
    case OVERLAYFS_SUPER_MAGIC:
    case 0x2fc12fc1:  // ZFS
      return true;
    default:
      return false;
  }
}

class InotifyWatcher final : public FolderWatcher, private DescriptorEvents {
 public:
  InotifyWatcher(UniqueFd fd, Loop& loop, FolderEvents& events)
      : fd_(std::move(fd)),
        events_(events),
        buffer_(std::make_unique<std::byte[]>(kBuffer)),
        watch_(loop.watch(fd_.get(), *this)) {
    watch_->set(true, false);
  }

  Result<int> add(const std::string& path) override {
    if (!tells_everything(path))
      return make_error(ErrorKind::Unavailable, Origin::Internal,
                        "changes below \"" + path + "\" are not told");
    const int watch = ::inotify_add_watch(fd_.get(), path.c_str(), kChanges | kEnds | IN_ONLYDIR);
    if (watch < 0) return system_error(errno, "inotify_add_watch() \"" + path + "\"");
    return watch;
  }

  void remove(int watch) override { ::inotify_rm_watch(fd_.get(), watch); }

 private:
  void on_ready(int, bool, bool) override {
    for (int i = 0; i < kReadsPerTurn; ++i) {
      const auto got = ::read(fd_.get(), buffer_.get(), kBuffer);
      if (got <= 0) return;
      for (std::size_t at = 0; at < static_cast<std::size_t>(got);) {
        inotify_event event;
        std::memcpy(&event, buffer_.get() + at, sizeof event);
        const auto* name = reinterpret_cast<const char*>(buffer_.get() + at + sizeof event);
        tell(event, std::string_view(name, ::strnlen(name, event.len)));
        at += sizeof event + event.len;
      }
    }
  }

  void tell(const inotify_event& event, std::string_view name) {
    if (event.mask & IN_Q_OVERFLOW) return events_.on_events_lost();
    if (event.mask & kGone) return events_.on_folder_gone(event.wd);
    if (!name.empty()) events_.on_entry_changed(event.wd, name);
  }

  const UniqueFd fd_;
  FolderEvents& events_;
  const std::unique_ptr<std::byte[]> buffer_;
  const std::unique_ptr<DescriptorWatch> watch_;
};

}  // namespace

Result<std::unique_ptr<FolderWatcher>> make_inotify_watcher(Loop& loop, FolderEvents& events) {
  UniqueFd fd(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (!fd) return system_error(errno, "inotify_init1()");
  return std::unique_ptr<FolderWatcher>(
      std::make_unique<InotifyWatcher>(std::move(fd), loop, events));
}

}  // namespace gatescope::net
