#include "api/entry_reader.h"

#include <fcntl.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "api/oeisdata.h"
#include "proxy/base/unique_fd.h"

namespace gatescope::api {

namespace {

constexpr std::size_t kPart = 200;      // files: half a megabyte
constexpr std::size_t kMostReady = 32;  // batches that wait to be taken

/// The folder of the file before, mostly: a path of one name is looked up twice as fast.
class FolderAtHand {
 public:
  int of(const OeisTree& tree, const TreeFile& file) {
    if (number_ != file.folder) {
      fd_.reset(::open(tree.folders[file.folder].c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
      number_ = file.folder;
    }
    return fd_.get();
  }

 private:
  std::optional<std::uint32_t> number_;
  UniqueFd fd_;
};

}  // namespace

EntryReader::EntryReader(const OeisTree& tree, std::vector<std::size_t> which, unsigned threads)
    : tree_(tree), which_(std::move(which)), working_(threads) {
  for (unsigned i = 0; i < threads; ++i)
    threads_.emplace_back([this] { work(); });
}

EntryReader::~EntryReader() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_all();
}

std::optional<EntryBatch> EntryReader::next() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !ready_.empty() || working_ == 0; });
  if (ready_.empty()) return std::nullopt;
  EntryBatch batch = std::move(ready_.front());
  ready_.pop_front();
  changed_.notify_all();
  return batch;
}

std::optional<std::size_t> EntryReader::take_part() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return stopped_ || ready_.size() < kMostReady; });
  if (stopped_ || begun_ >= which_.size()) return std::nullopt;
  return std::exchange(begun_, begun_ + kPart);
}

void EntryReader::deliver(EntryBatch batch) {
  const std::lock_guard lock(mutex_);
  ready_.push_back(std::move(batch));
  changed_.notify_all();
}

void EntryReader::work() {
  FolderAtHand folder;
  while (const auto begin = take_part()) {
    EntryBatch batch;
    const std::size_t end = std::min(*begin + kPart, which_.size());
    batch.files = end - *begin;
    batch.entries.reserve(batch.files);
    for (std::size_t i = *begin; i < end; ++i) {
      const TreeFile& file = tree_.files[which_[i]];
      const std::string name = file.id.text() + ".seq";
      auto entry =
          read_entry_file(folder.of(tree_, file), name.c_str(), tree_.path_of(file), file.id, {});
      if (!entry) {
        std::string path = tree_.path_of(file);
        std::string what = entry.error().detail;
        batch.problems.push_back(what.find(path) == std::string::npos ? path + ": " + what : what);
        continue;
      }
      batch.bytes += static_cast<std::uint64_t>((*entry)->file.size);
      batch.entries.push_back(std::move(**entry));
    }
    deliver(std::move(batch));
  }
  const std::lock_guard lock(mutex_);
  --working_;
  changed_.notify_all();
}

}  // namespace gatescope::api
