#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "proxy/base/clock.h"
#include "proxy/base/stats.h"
#include "proxy/http/core_settings.h"
#include "proxy/http/routing_builder.h"
#include "proxy/http/steps.h"
#include "static/file_cache.h"
#include "static/file_lanes.h"

namespace gatescope::files {

/// Everything of this library that outlives a generation: the file cache, the lanes, the system's
/// table of types. Owned by Server; generations hold handlers and steps that point into it. Shared
/// by all loops.
class FilesModule final : public http::HandlerMaker, public http::LocationPart {
 public:
  /// `clock` is asked by every loop for the time of day: a SystemClock, not a loop's.
  FilesModule(const Clock& clock, Stats& stats);

  /// Before this loop runs: where its slow reads go. The same lane may serve nobody else's loop.
  void add_lane(const net::Loop& loop, std::shared_ptr<net::WorkerLane> lane);

  /// Before the loops run: changes of cached files are told in turns of this loop.
  void watch(net::Loop& loop);
  /// When a configuration begins to serve: what concerns all of it.
  void apply(const conf::Scope& main);

  void add_directives(conf::Schema& schema);
  Result<std::unique_ptr<http::Handler>> make(const conf::Scope& location) override;
  Result<std::vector<std::unique_ptr<http::RequestStep>>> precontent_steps(
      const conf::Scope& location, conf::VariableNames& names);
  /// The steps above, where the builder of routes wants them.
  Result<void> contribute(const conf::Scope& scope, http::Location& location,
                          http::VariableTable& variables) override;
  FileCache& cache() { return cache_; }

 private:
  const std::shared_ptr<const http::MimeTypes>& system_types();

  FileCache cache_;
  FileLanes lanes_;
  std::once_flag types_read_;
  std::shared_ptr<const http::MimeTypes> system_types_;  // by system_types()
};

}  // namespace gatescope::files
