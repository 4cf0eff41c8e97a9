#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "api/oeis_tree.h"
#include "api/seq_file.h"

namespace gatescope::api {

/// Some files of a tree, read.
struct EntryBatch {
  std::vector<SeqEntry> entries;
  std::vector<std::string> problems;  // files that are no entries, or could not be read
  std::size_t files = 0;
  std::uint64_t bytes = 0;
};

/// Reads files of a tree on threads of its own, ahead of who takes them, but not far. Destroying it
/// stops them. The tree outlives it. For a command: a server reads on lanes.
class EntryReader {
 public:
  /// Which: places in tree.files.
  EntryReader(const OeisTree& tree, std::vector<std::size_t> which, unsigned threads);
  ~EntryReader();
  /// Blocks; nullopt: that was all. The order is about that of `which`.
  std::optional<EntryBatch> next();

 private:
  void work();
  std::optional<std::size_t> take_part();
  void deliver(EntryBatch batch);

  const OeisTree& tree_;
  const std::vector<std::size_t> which_;
  std::mutex mutex_;  // of what follows
  std::condition_variable changed_;
  std::size_t begun_ = 0;  // of which_
  unsigned working_ = 0;   // threads
  bool stopped_ = false;
  std::deque<EntryBatch> ready_;
  std::vector<std::jthread> threads_;
};

}  // namespace gatescope::api
