#include "static/file_read.h"

#include <cerrno>

namespace gatescope::files {
namespace {

constexpr int kAttempts = 3;  // for a file that changes while it is read

enum class Reading { Complete, Short, Impossible };

Reading fill(int fd, std::span<std::byte> into) {
  Patience patience = Patience::None;
  std::size_t at = 0;
  while (at < into.size()) {
    const ReadOutcome outcome = read_at(fd, into.subspan(at), at, patience);
    if (outcome.error == EOPNOTSUPP && patience == Patience::None) {
      patience = Patience::Wait;  // a small file of a file system that cannot tell: as nginx does
      continue;
    }
    if (outcome.error != 0) return Reading::Impossible;
    if (outcome.bytes == 0) return Reading::Short;
    at += outcome.bytes;
  }
  return Reading::Complete;
}

}  // namespace

std::shared_ptr<std::byte[]> make_buffer(std::size_t size) {
  return std::make_shared_for_overwrite<std::byte[]>(size);
}

bool read_whole(int fd, FileFacts& facts, SharedBytes& content) {
  const std::uint64_t limit = facts.size;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const auto size = static_cast<std::size_t>(facts.size);
    const auto buffer = make_buffer(size);
    const std::span<std::byte> bytes(buffer.get(), size);
    const Reading reading = fill(fd, bytes);
    if (reading == Reading::Impossible) return false;
    FileFacts after;
    if (!read_facts(fd, after)) return false;
    // The time of the last status change moves when the name is replaced, the bytes do not.
    const bool same =
        after.size == facts.size && after.mtime == facts.mtime && after.mtime_ns == facts.mtime_ns;
    facts = after;
    if (same && reading == Reading::Complete) {
      content = SharedBytes::of_owner(buffer, bytes);
      return true;
    }
    if (facts.size > limit * 2 + 4096) return false;  // no longer small
  }
  return false;
}

}  // namespace gatescope::files
