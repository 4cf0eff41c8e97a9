#pragma once

#include <string>
#include <string_view>

#include "proxy/base/clock.h"
#include "proxy/base/result.h"
#include "proxy/commands/command.h"
#include "proxy/launch_plan.h"

namespace gatescope::commands {

/// Exit status of commands for a running gatescope that found none, or could not ask it.
constexpr int kNotAsked = 2;

/// A gatescope that runs, as its configuration says where: found as nginx's -s finds it, by -c, -p
/// and the pid file.
class Instance {
 public:
  /// Error NotFound: none runs, and how to start it; others: the configuration cannot be read.
  static Result<Instance> find(const Invocation& invocation);
  int pid() const { return pid_; }
  const server::LaunchPlan& plan() const { return plan_; }

  struct Answer {
    std::string verdict;  // "ok", "failed", and others
    std::string text;
  };
  /// One question, a line without its end. Error: it could not be asked, or did not answer within
  /// `patience`; says what to do.
  Result<Answer> ask(std::string_view question, Duration patience) const;

 private:
  explicit Instance(server::LaunchPlan plan) : plan_(std::move(plan)) {}
  server::LaunchPlan plan_;
  int pid_ = 0;
};

/// The process of the pid file; Error NotFound: no such file, or nobody has that number.
Result<int> running_process(const std::string& pid_path);

/// Says the error on standard error; kNotAsked.
int not_asked(const Error& error);

}  // namespace gatescope::commands
