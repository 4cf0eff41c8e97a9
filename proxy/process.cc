#include "proxy/process.h"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "proxy/base/error_log.h"
#include "proxy/heap.h"
#include "proxy/privileges.h"
#include "proxy/serving_process.h"

namespace gatescope::server {

void BootLog::write(LogLevel level, std::string_view message) {
  if (const auto target = relay_.target()) return target->write(level, message);
  fmt::print(stderr, "gatescope: [{}] {}\n", name_of(level), message);
  if (path_.empty() || path_ == "stderr") return;
  OwnLogOpener own;
  auto fd = (opener_ ? *opener_ : own).open_log(path_);
  if (!fd) return;
  LogFile file(std::move(*fd), path_, {});
  ErrorLog(file, LogLevel::Debug, SystemClock()).write(level, message);
}

Result<void> become_worker(const LaunchPlan& plan) {
  const auto* user = ::getpwnam(plan.user.c_str());
  if (!user)
    return make_error(
        ErrorKind::NotFound, Origin::Internal,
        fmt::format("user \"{0}\" does not exist; make it with \"useradd --system {0}\"",
                    plan.user));
  gid_t gid = user->pw_gid;
  if (!plan.group.empty()) {
    const auto* group = ::getgrnam(plan.group.c_str());
    if (!group)
      return make_error(ErrorKind::NotFound, Origin::Internal,
                        fmt::format("group \"{}\" does not exist", plan.group));
    gid = group->gr_gid;
  }
  if (!plan.state_dir.empty()) {
    if (::mkdir(plan.state_dir.c_str(), 0700) != 0 && errno != EEXIST)
      return system_error(errno, "mkdir() \"" + plan.state_dir + "\"");
    if (::chown(plan.state_dir.c_str(), user->pw_uid, gid) != 0)
      return system_error(errno, "chown() \"" + plan.state_dir + "\"");
  }
  // The worker may not be allowed to make them where root's prefix is. One that is there already is
  // somebody's: it stays as it is.
  for (const auto& folder : plan.temp_folders) {
    if (::mkdir(folder.path.c_str(), 0700) != 0) {
      if (errno == EEXIST || !folder.named) continue;
      return system_error(errno, "mkdir() \"" + folder.path + "\"");
    }
    if (::chown(folder.path.c_str(), user->pw_uid, gid) != 0)
      return system_error(errno, "chown() \"" + folder.path + "\"");
  }
  if (user->pw_uid == 0) {
    refuse_new_privileges();  // who wants root to serve gets root
    return {};
  }
  if (::setgid(gid) != 0) return system_error(errno, "setgid()");
  if (::initgroups(plan.user.c_str(), gid) != 0) return system_error(errno, "initgroups()");
  if (::setuid(user->pw_uid) != 0) return system_error(errno, "setuid()");
  give_up_privileges();
  return {};
}

namespace {

/// worker_rlimit_nofile. Where the system does not allow so many, as many as it does.
Result<void> limit_files(const LaunchPlan& plan) {
  if (plan.open_files == 0) return {};
  rlimit limit{plan.open_files, plan.open_files};
  if (::setrlimit(RLIMIT_NOFILE, &limit) == 0) return {};
  const auto failed =
      system_error(errno, fmt::format("setrlimit(RLIMIT_NOFILE, {})", plan.open_files));
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = std::min<rlim_t>(plan.open_files, limit.rlim_max);
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
  return failed;
}

}  // namespace

int run_server(const LaunchOptions& options, const LaunchPlan& plan, UniqueFd channel,
               WorkerStart start, Inheritance inherited, std::function<void()> on_ready) {
  ::signal(SIGPIPE, SIG_IGN);
  tune_heap();
  // While still root, who alone may have more than the system's usual. As nginx: the server is of
  // use without.
  if (auto limited = limit_files(plan); !limited)
    BootLog(options.error_log).write(LogLevel::Warn, limited.error().detail);
  if (channel) {
    if (auto became = become_worker(plan); !became) {
      BootLog(options.error_log).write(LogLevel::Emerg, became.error().detail);
      return 1;
    }
    ::prctl(PR_SET_PDEATHSIG,
            SIGQUIT);  // without its keeper the worker finishes what it has and goes
  } else {
    refuse_new_privileges();
  }
  return ServingProcess(options, plan, std::move(channel), std::move(on_ready))
      .run(start, std::move(inherited));
}

}  // namespace gatescope::server
