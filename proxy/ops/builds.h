#pragma once

#include <optional>
#include <string>
#include <vector>

#include "proxy/base/clock.h"
#include "proxy/base/result.h"
#include "proxy/base/unique_fd.h"

namespace gatescope::ops {

/// One that was deployed. Immutable but for files of other builds that it also shows.
struct Build {
  std::string id;    // "20261129-031500-1a2b3c4d": when (UTC), and a sum of its content
  std::string from;  // what was deployed
  std::vector<std::string> files;  // its own, without compressed forms; sorted
  bool live = false;
};

/// The builds of one site. What is served is the configured root, ROOT; it is a symbolic link:
///
///   ROOT            -> ROOT.builds/20261129-031500-1a2b3c4d/site
///   ROOT.builds/ID/site    a build; hashed files of other builds beside its own, as hard links
///   ROOT.builds/ID/build   where it came from, and what is its own
///   ROOT.builds/.stage-N   one that is being made; what is left of one that was killed is removed
///
/// The link is exchanged in one step, so nobody sees half a build. A ROOT that is a plain folder,
/// or a link of somebody else's, becomes a build when the first one takes its place. Owned by the
/// command; its lock keeps others out until it is destroyed.
class BuildStore {
 public:
  /// `root` is absolute. Makes ROOT.builds. Error Busy: another deploy is running.
  static Result<BuildStore> open(std::string root);
  /// Whether there are builds at all; without making anything.
  static bool is_there(const std::string& root);
  /// Without the lock: to look only.
  static BuildStore look(std::string root) { return {std::move(root), UniqueFd()}; }

  const std::string& root() const { return root_; }
  /// The folder of a build; of "" what is served now, whatever it is.
  std::string site_of(const std::string& id) const {
    return id.empty() ? root_ : folder_ + "/" + id + "/site";
  }
  /// What is served and is no build yet, as if it were one; nothing when it is one or is not there.
  std::optional<Build> before_builds() const;
  /// Oldest first. What cannot be read is no build.
  std::vector<Build> list() const;
  /// What ROOT is now.
  enum class Live { Nothing, Folder, OtherLink, Build };
  Live live(std::string* id = nullptr) const;

  /// An empty folder for a build to be.
  Result<std::string> begin_stage();
  /// Makes a build of STAGE/site; its id.
  Result<std::string> keep_stage(const std::string& stage, const Build& build, WallTime now);
  /// Shows, in `site`, the hashed files of these builds that it does not have; and takes away those
  /// of builds that are gone. `own`: what is the site's own, sorted.
  Result<std::size_t> show_files_of(const std::vector<Build>& others, const std::string& site,
                                    const std::vector<std::string>& own) const;
  /// Exchanges what is served. `said`: what an operator should know of it, if anything.
  Result<void> make_live(const std::string& id, WallTime now, std::string& said);
  /// Removes all but the newest `keep` and the live one; how many.
  Result<std::size_t> prune(std::size_t keep);

 private:
  BuildStore(std::string root, UniqueFd lock);
  Result<void> recover();
  Result<std::string> adopt(const std::string& path, const std::string& from, WallTime latest);
  std::optional<Build> read(const std::string& id) const;
  Result<void> write(const std::string& folder, const Build& build) const;
  std::string new_id(const std::string& site, const std::vector<std::string>& files,
                     WallTime time) const;
  WallTime after_all(WallTime now) const;
  Result<void> exchange_folder(const std::string& target, WallTime now, std::string& said);
  void tell_cache(const std::string& id) const;

  std::string root_, folder_;
  UniqueFd lock_;
};

}  // namespace gatescope::ops
