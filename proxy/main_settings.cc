#include "proxy/main_settings.h"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <thread>

#include "conf/setters.h"

namespace gatescope::server {

namespace {

using conf::Context;
using conf::Directive;
using conf::Loader;
using conf::Scope;

constexpr conf::Contexts kMain = conf::only(Context::Main);
constexpr conf::Contexts kEvents = conf::only(Context::Events);

Result<void> apply_user(Loader& loader, Scope& scope, const Directive& d) {
  auto& s = scope.own<MainSettings>();
  const std::string name(d.arg(0));
  if (!::getpwnam(name.c_str())) {
    return Loader::fail(
        d, fmt::format(
               "names a user that does not exist: \"{}\"; make it with \"useradd --system {}\"",
               name, name));
  }
  if (d.count() == 2) {
    const std::string group(d.arg(1));
    if (!::getgrnam(group.c_str()))
      return Loader::fail(d, fmt::format("names a group that does not exist: \"{}\"", group));
    s.group.set(group);
  }
  return loader.set_once(s.user, name, d);
}

Result<void> apply_workers(Loader& loader, Scope& scope, const Directive& d) {
  std::uint64_t number = std::max(1u, std::thread::hardware_concurrency());
  if (d.arg(0) != "auto") {
    auto given = loader.number(d);
    if (!given) return given.error();
    if (*given == 0 || *given > kMaxLoops)
      return Loader::fail(d, "must be auto or between 1 and 256");
    number = *given;
  }
  return loader.set_once(scope.own<MainSettings>().worker_processes, number, d);
}

Result<void> apply_events(Loader& loader, Scope& scope, const Directive& d) {
  for (const auto& child : scope.children())
    if (child->context() == Context::Events) return Loader::fail(d, "is duplicate");
  auto inner = loader.load_block(d, scope, Context::Events);
  return inner ? Result<void>() : inner.error();
}

Result<void> apply_connections(Loader& loader, Scope& scope, const Directive& d) {
  auto number = loader.number(d);
  if (!number) return number.error();
  if (*number == 0) return Loader::fail(d, "must be at least 1");
  return loader.set_once(scope.parent()->own<MainSettings>().worker_connections, *number, d);
}

Result<void> apply_pid(Loader& loader, Scope& scope, const Directive& d) {
  return loader.set_once(scope.own<MainSettings>().pid, loader.path(d.arg(0)), d);
}

Result<void> apply_load_module(Loader& loader, Scope&, const Directive& d) {
  // Debian's stock nginx.conf loads modules whose work is built in here; anything else would be
  // missing silently
  for (std::string_view known : {"brotli", "gzip", "http_geoip2_absent", "acme"})
    if (d.arg(0).find(known) != std::string_view::npos) {
      loader.warn(d.place, fmt::format("load_module \"{}\": not needed, ignored", d.arg(0)));
      return {};
    }
  return Loader::fail(
      d, fmt::format("cannot load \"{}\": gatescope has no loadable modules; take the line out",
                     d.arg(0)));
}

constexpr char kNice[] = "Nice", kCoreLimit[] = "LimitCORE", kFolder[] = "WorkingDirectory";

template <const char* Setting>
Result<void> leave_to_unit(Loader& loader, Scope&, const Directive& d) {
  loader.warn(d.place, fmt::format("\"{}\" has no effect: {}={} in the unit does it", d.name,
                                   Setting, d.arg(0)));
  return {};
}

/// The environment is kept; only a value would have to be set.
Result<void> warn_of_environment(Loader& loader, Scope&, const Directive& d) {
  if (d.arg(0).find('=') != std::string_view::npos)
    loader.warn(d.place, fmt::format("\"env\" sets nothing: Environment=\"{}\" in the unit does it",
                                     d.arg(0)));
  return {};
}

/// The parser has put what it names in its place: this is for the reference.
Result<void> already_included(Loader&, Scope&, const Directive&) {
  return {};
}

const conf::DirectiveSpec kMainSettings[] = {
    {.name = "include",
     .contexts = conf::kAnywhere,
     .arity = {1, 1},
     .syntax = "include file | pattern;",
     .doc =
         "What stands in the file, or in each file that the pattern (*, ?, [...]) names, by name. "
         "Relative to the folder of the main file. A file that is not there is an error, a "
         "pattern that names none is not. At most 16 within each other.",
     .apply = already_included},
    {.name = "user",
     .contexts = kMain,
     .arity = {1, 2},
     .syntax = "user name [group];",
     .fallback = "nobody",
     .doc = "Who the worker becomes when the program is started by root.",
     .apply = apply_user},
    {.name = "daemon",
     .contexts = kMain,
     .arity = {1, 1},
     .syntax = "daemon on | off;",
     .fallback = "on",
     .doc = "Whether the program goes into the background.",
     .apply = conf::set_flag<&MainSettings::daemon>},
    {.name = "pid",
     .contexts = kMain,
     .arity = {1, 1},
     .syntax = "pid file;",
     .fallback = "logs/gatescope.pid",
     .doc = "The file that holds the process number once every socket listens.",
     .apply = apply_pid},
    {.name = "worker_processes",
     .contexts = kMain,
     .arity = {1, 1},
     .syntax = "worker_processes number | auto;",
     .fallback = "1",
     .doc = "Event loops, each with a thread, in one process; auto: as many as there are cores. A "
            "reload may change the number.",
     .apply = apply_workers},
    {.name = "worker_rlimit_nofile",
     .contexts = kMain,
     .arity = {1, 1},
     .syntax = "worker_rlimit_nofile number;",
     .doc = "The limit of open files for the worker.",
     .apply = conf::set_number<&MainSettings::worker_rlimit_nofile>},
    {.name = "worker_shutdown_timeout",
     .contexts = kMain,
     .arity = {1, 1},
     .syntax = "worker_shutdown_timeout time;",
     .doc =
         "How long a graceful stop waits for connections; and how long after a reload what began "
         "before it may go on: downloads, upgraded connections, clients that have not asked for "
         "anything yet. Idle connections follow the reload instead.",
     .apply = conf::set_duration<&MainSettings::worker_shutdown_timeout>},
    {.name = "load_module",
     .contexts = kMain,
     .arity = {1, 1},
     .syntax = "load_module file;",
     .doc = "A note for what is built in, an error for anything else.",
     .apply = apply_load_module},
    {.name = "events",
     .contexts = kMain,
     .arity = {0, 0, true},
     .syntax = "events { ... }",
     .doc = "Settings of the event loop.",
     .apply = apply_events},
    {.name = "worker_connections",
     .contexts = kEvents,
     .arity = {1, 1},
     .syntax = "worker_connections number;",
     .fallback = "512",
     .doc = "Open client connections of one loop; more wait in the kernel's queue.",
     .apply = apply_connections},
    {.name = "multi_accept",
     .contexts = kEvents,
     .arity = {1, 1},
     .syntax = "multi_accept on | off;",
     .doc = "Always on."},
    {.name = "use",
     .contexts = kEvents,
     .arity = {1, 1},
     .syntax = "use method;",
     .doc = "libuv chooses."},
    {.name = "accept_mutex",
     .contexts = kEvents,
     .arity = {1, 1},
     .syntax = "accept_mutex on | off;",
     .doc = "Not needed."},
    {.name = "accept_mutex_delay",
     .contexts = kEvents,
     .arity = {1, 1},
     .syntax = "accept_mutex_delay time;",
     .doc = "Not needed."},
    {.name = "debug_connection",
     .contexts = kEvents,
     .arity = {1, 1},
     .syntax = "debug_connection address;",
     .doc = "Use error_log ... debug."},
    {.name = "worker_cpu_affinity",
     .contexts = kMain,
     .arity = {1, 64},
     .syntax = "worker_cpu_affinity ...;",
     .doc = "The system places threads."},
    {.name = "worker_priority",
     .contexts = kMain,
     .arity = {1, 1},
     .syntax = "worker_priority number;",
     .doc = "A warning: it is set in the unit (Nice=).",
     .apply = leave_to_unit<kNice>},
    {.name = "worker_rlimit_core",
     .contexts = kMain,
     .arity = {1, 1},
     .syntax = "worker_rlimit_core size;",
     .doc = "A warning: it is set in the unit (LimitCORE=).",
     .apply = leave_to_unit<kCoreLimit>},
    {.name = "working_directory",
     .contexts = kMain,
     .arity = {1, 1},
     .syntax = "working_directory folder;",
     .doc = "A warning: it is set in the unit (WorkingDirectory=).",
     .apply = leave_to_unit<kFolder>},
    {.name = "master_process",
     .contexts = kMain,
     .arity = {1, 1},
     .syntax = "master_process on | off;",
     .doc = "A keeper runs when started by root."},
    {.name = "pcre_jit",
     .contexts = kMain,
     .arity = {1, 1},
     .syntax = "pcre_jit on | off;",
     .doc = "On where the system allows it."},
    {.name = "timer_resolution",
     .contexts = kMain,
     .arity = {1, 1},
     .syntax = "timer_resolution time;",
     .doc = "One reading a turn."},
    {.name = "thread_pool",
     .contexts = kMain,
     .arity = {1, 4},
     .syntax = "thread_pool ...;",
     .doc = "Lanes have threads of their own."},
    {.name = "env",
     .contexts = kMain,
     .arity = {1, 1},
     .syntax = "env variable[=value];",
     .doc = "The environment is kept whole; a value is set in the unit (Environment=), which a "
            "warning says.",
     .apply = warn_of_environment},
};

}  // namespace

void add_main_directives(conf::Schema& schema) {
  schema.add(kMainSettings);
  schema.add_settings<MainSettings>();
}

}  // namespace gatescope::server
