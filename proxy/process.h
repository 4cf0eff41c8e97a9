#pragma once

#include <functional>
#include <memory>
#include <string>

#include "proxy/base/log_files.h"
#include "proxy/base/relay_log.h"
#include "proxy/inheritance.h"
#include "proxy/keeper.h"
#include "proxy/keeper_channel.h"
#include "proxy/launch_plan.h"

namespace gatescope::server {

/// Until the configuration names a log: lines to standard error as "gatescope: [emerg] ..." and, if
/// it can be opened, to the file.
class BootLog final : public Log {
 public:
  explicit BootLog(std::string path) : path_(std::move(path)) {}
  bool enabled(LogLevel level) const override {
    const auto target = relay_.target();
    return target ? target->enabled(level) : level <= LogLevel::Notice;
  }
  void write(LogLevel level, std::string_view message) override;
  /// Who opens the file; the keeper, where the worker may not. Outlives this.
  void open_with(LogOpener& opener) { opener_ = &opener; }
  /// From now on everything goes there; null: to ourselves again. From any thread.
  void hand_over(std::shared_ptr<Log> target) { relay_.relay_to(std::move(target)); }

 private:
  const std::string path_;       // empty: standard error only
  LogOpener* opener_ = nullptr;  // null: opened by ourselves
  RelayLog relay_;               // to nobody: to ourselves
};

/// Makes the worker of a process that was started as root: limits, state folder, then group and
/// user of the plan, and no privileges any more (proxy/privileges.h) unless the plan's user is
/// root.
Result<void> become_worker(const LaunchPlan& plan);

/// The serving process, from start to its end; returns the exit status. `channel`: to the keeper,
/// or none. `on_ready` is called when every socket listens (without a keeper: writes the pid file,
/// lets the parent of a daemon go).
/// `start`: what it serves; without a keeper always First. `inherited`: from the program that this
/// process replaces; a keeper has its own.
int run_server(const LaunchOptions& options, const LaunchPlan& plan, UniqueFd channel,
               WorkerStart start, Inheritance inherited, std::function<void()> on_ready);

}  // namespace gatescope::server
