// Directives of request bodies.

#include <fmt/format.h>

#include <algorithm>

#include "conf/setters.h"
#include "proxy/base/text.h"
#include "proxy/http/core_directives.h"

namespace gatescope::http {

namespace {

using conf::Directive;
using conf::Loader;
using conf::Scope;

Result<void> apply_temp_path(Loader& loader, Scope& scope, const Directive& d) {
  auto path = temp_path(loader, d);
  if (!path) return path.error();
  return loader.set_once(scope.own<CoreSettings>().client_body_temp_path, std::move(*path), d);
}

Result<void> apply_in_file_only(Loader& loader, Scope& scope, const Directive& d) {
  constexpr std::string_view kWords[] = {"off", "on", "clean"};
  auto word = loader.choice(d, 0, kWords);
  if (!word) return word.error();
  return loader.set_once(scope.own<CoreSettings>().client_body_in_file_only,
                         static_cast<BodyStorage::FileOnly>(*word), d);
}

const conf::DirectiveSpec kBodyDirectives[] = {
    {.name = "client_max_body_size",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "client_max_body_size size;",
     .fallback = "1m",
     .doc = "Larger request bodies are answered 413; 0: no limit.",
     .apply = conf::set_size<&CoreSettings::client_max_body_size>},
    {.name = "client_body_timeout",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "client_body_timeout time;",
     .fallback = "60s",
     .doc = "Between two reads of a request body; then 408.",
     .apply = conf::set_duration<&CoreSettings::client_body_timeout>},
    {.name = "client_body_buffer_size",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "client_body_buffer_size size;",
     .fallback = "16k",
     .doc =
         "So much of a body that is kept (proxy_request_buffering) stays in memory; a larger one "
         "goes to a temporary file.",
     .apply = conf::set_size<&CoreSettings::client_body_buffer_size>},
    {.name = "client_body_temp_path",
     .contexts = conf::kHttpLevels,
     .arity = {1, 4},
     .syntax = "client_body_temp_path path [level1 [level2 [level3]]];",
     .fallback = "client_body_temp",
     .doc =
         "The folder of those files, with folders in it named by the last digits of their "
         "numbers. Made when it is first needed; the files have no name any more as soon as they "
         "are open.",
     .apply = apply_temp_path},
    {.name = "client_body_in_file_only",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "client_body_in_file_only on | clean | off;",
     .fallback = "off",
     .doc = "Every body that is kept goes to a file with a name ($request_body_file); `clean` "
            "removes it after the request, `on` leaves it there.",
     .apply = apply_in_file_only},
    {.name = "client_body_in_single_buffer",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "client_body_in_single_buffer on | off;",
     .fallback = "off",
     .doc = "Accepted: what is in memory is in one buffer always."},
};

}  // namespace

Result<TempPath> temp_path(const Loader& loader, const Directive& d) {
  TempPath path{.folder = loader.path(d.arg(0)), .levels = {}};
  while (path.folder.size() > 1 && path.folder.back() == '/')
    path.folder.pop_back();
  unsigned sum = 0;
  for (std::size_t i = 1; i < d.count(); ++i) {
    const auto level = loader.number(d, i);
    if (!level) return level.error();
    if (*level < 1 || *level > 3)
      return Loader::fail(d,
                          fmt::format("has an invalid level \"{}\": 1, 2 or 3 digits", d.arg(i)));
    path.levels.push_back(static_cast<unsigned>(*level));
    sum += path.levels.back();
  }
  if (sum > 9) return Loader::fail(d, "has too many levels: a file's number has ten digits");
  return path;
}

std::span<const conf::DirectiveSpec> body_directives() {
  return kBodyDirectives;
}

}  // namespace gatescope::http
