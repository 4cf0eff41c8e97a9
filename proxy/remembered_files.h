#pragma once

#include <memory>
#include <string>
#include <vector>

#include "conf/source.h"
#include "conf/syntax.h"

namespace gatescope::server {

/// The configuration as it was read earlier, whatever its files say now: what a worker that was
/// started again serves when they are broken.
class RememberedFiles final : public conf::FileReader {
 public:
  /// `present`: what the files say now, for later.
  RememberedFiles(std::shared_ptr<const conf::Document> document, conf::FileReader& present)
      : document_(std::move(document)), present_(present) {}
  /// From now on; while no other thread reads.
  void turn_to_present() { remembering_ = false; }
  void turn_to_past() { remembering_ = true; }
  void remember(std::shared_ptr<const conf::Document> document) { document_ = std::move(document); }
  Result<std::string> read(const std::string& path) override;
  Result<std::vector<std::string>> expand(const std::string& pattern) override;

 private:
  std::shared_ptr<const conf::Document> document_;  // shared with a LaunchPlan or a Generation
  conf::FileReader& present_;
  bool remembering_ = true;
};

}  // namespace gatescope::server
