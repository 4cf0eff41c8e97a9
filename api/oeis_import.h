#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/oeis_list.h"
#include "api/oeis_tree.h"
#include "api/pg_import.h"
#include "proxy/base/result.h"

namespace gatescope::api {

struct OeisImportSettings {
  std::string connection;  // of the database
  std::string path;        // see OeisSources
  unsigned threads = 0;    // that read; 0: one for each processor
  bool prune = false;      // remove what is gone from the tree even if that is much of it
};

struct ImportProgress {
  enum class Phase { Listing, Reading, Storing };
  Phase phase = Phase::Listing;
  std::string_view what;              // in words
  std::uint64_t done = 0, total = 0;  // folders, files or bytes; total 0: not known
};

class OeisImportEvents {
 public:
  virtual ~OeisImportEvents() = default;
  /// Often; on the thread that runs the import.
  virtual void on_progress(const ImportProgress& progress) = 0;
  /// Something was skipped: its path, and why.
  virtual void on_problem(const std::string& problem) = 0;
  /// Something that the operator should know.
  virtual void on_note(const std::string& note) = 0;
};

struct ImportReport {
  std::size_t added = 0, changed = 0, removed = 0, unchanged = 0, problems = 0;
};

/// What of a tree is to be read, and what is to be removed.
struct TreePlan {
  std::vector<std::size_t> to_read;       // places in OeisTree::files
  std::vector<SequenceId> stale;          // staged once, but not what the tree has now
  std::vector<SequenceId> gone;           // stored, but no longer in the tree
  std::size_t staged = 0, unchanged = 0;  // files
};
TreePlan plan_import(const OeisTree& tree, const PgImport::KnownTree& known);

/// `gatescope oeis import`: reads a clone of oeis/oeisdata, or OEIS's lists of names and terms, and
/// stores what changed. Blocking: for a command. Owned by it.
class OeisImport {
 public:
  OeisImport(OeisImportSettings settings, OeisImportEvents& events);
  ~OeisImport();
  /// Once. Errors: Cancelled (stop()), Invalid (there is nothing to import), Busy (another import
  /// runs), and those of the database and of files; the database is as before then.
  Result<ImportReport> run();
  /// From any thread: run() ends soon.
  void stop();

 private:
  Result<void> import_tree(const std::string& folder);
  Result<void> read_tree(const OeisTree& tree, TreePlan& plan, std::size_t stored);
  using Texts = std::vector<std::pair<std::uint32_t, std::string>>;  // of a list, ascending
  Result<void> import_lists(const std::vector<std::string>& paths);
  Result<Texts> read_list(OeisList& list);
  Result<void> store_lists(Texts names, Texts terms);
  Result<void> apply(const std::vector<SequenceId>& gone);
  void problem(const std::string& what);

  const OeisImportSettings settings_;
  OeisImportEvents& events_;
  std::atomic<bool> stopped_{false};
  std::mutex mutex_;                    // of database_, for stop()
  std::unique_ptr<PgImport> database_;  // null: not connected
  ImportReport report_;
};

}  // namespace gatescope::api
