#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/seq_file.h"
#include "proxy/base/result.h"

namespace gatescope::api {

/// A file whose content the database has.
struct KnownFile {
  SequenceId id;
  FileStamp stamp;
};

/// What a list says of a sequence; nullopt: not in it.
struct ListedEntry {
  SequenceId id;
  std::optional<std::string> name, terms;  // terms: "2,3,5"
};

/// The database's side of an import, on a connection of its own: one at a time, by an advisory lock
/// that lasts as long as this. What is read is staged in a table aside, committed piece by piece,
/// and applied at the end in one transaction, beside which servers go on reading and storing; so a
/// killed import changes nothing, and the next one goes on from what was staged. Blocking, for a
/// command; one thread, but for cancel(). Errors: Busy (another import runs), Unavailable (the
/// database cannot be reached, or the schema does not fit), Internal.
class PgImport {
 public:
  /// Brings the schema up to date first. libpq's keywords or URI.
  static Result<std::unique_ptr<PgImport>> open(const std::string& connection);
  ~PgImport();

  struct KnownTree {
    std::vector<KnownFile> stored;  // ascending; applied earlier
    std::vector<KnownFile> staged;  // ascending; by an import that did not come to its end
  };
  /// What follows is of the tree at this path.
  Result<KnownTree> begin_tree(const std::string& path);
  /// What follows is of lists. An entry of a tree is not replaced by one of a list.
  Result<void> begin_lists();

  /// These are not to be applied after all: their files are other ones now.
  Result<void> drop_staged(const std::vector<SequenceId>& ids);
  Result<void> stage(const std::vector<SeqEntry>& entries);
  Result<void> stage(const std::vector<ListedEntry>& entries);
  /// Now and then: what is staged so far survives.
  Result<void> commit_staged();

  struct Counts {
    std::size_t added = 0, changed = 0, removed = 0;
  };
  /// Applies what is staged, removes the entries `gone` of the tree, and announces it to servers if
  /// anything changed. `step` is told what begins; false from it: error Cancelled, nothing is
  /// applied.
  Result<Counts> apply(const std::vector<SequenceId>& gone,
                       const std::function<bool(std::string_view)>& step);

  /// From any thread: the statement of apply() that runs now fails, those after it do not.
  void cancel();

 private:
  struct State;
  explicit PgImport(std::unique_ptr<State> state);
  const std::unique_ptr<State> state_;
};

}  // namespace gatescope::api
