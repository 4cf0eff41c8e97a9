#include <fmt/format.h>

#include "proxy/ops/control_settings.h"

namespace gatescope::ops {

namespace {

Result<void> apply_control(conf::Loader& loader, conf::Scope& scope, const conf::Directive& d) {
  auto& settings = scope.own<ControlSettings>();
  if (d.arg(0) == "off") return loader.set_once(settings.off, true, d);
  const auto path = loader.path(d.arg(0));
  if (path.ends_with('/')) return conf::Loader::fail(d, "names a folder: the socket needs a name");
  if (path.size() > kLongestSocketPath)
    return conf::Loader::fail(
        d, fmt::format("names a path of {} bytes, a unix socket may have {}: choose one that is "
                       "shorter by {}",
                       path.size(), kLongestSocketPath, path.size() - kLongestSocketPath));
  return loader.set_once(settings.path, path, d);
}

const conf::DirectiveSpec kControlDirective[] = {
    {.name = "control",
     .contexts = conf::only(conf::Context::Main),
     .arity = {1, 1},
     .syntax = "control path | off;",
     .doc =
         "The unix socket by which `gatescope status`, `reload`, `cache clear` and the like ask "
         "this gatescope. Only the user that serves and root may. Without it the pid file's name "
         "with .sock instead of .pid.",
     .apply = apply_control},
};

}  // namespace

std::string default_control_path(std::string_view pid_path) {
  if (pid_path.ends_with(".pid")) pid_path.remove_suffix(4);
  return std::string(pid_path) + ".sock";
}

void add_control_directive(conf::Schema& schema) {
  schema.add(kControlDirective);
  schema.add_settings<ControlSettings>();
}

}  // namespace gatescope::ops
