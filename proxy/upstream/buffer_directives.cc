// Directives of how much of an upstream's answer may wait for its client, and where.

#include <fmt/format.h>

#include "conf/setters.h"
#include "proxy/http/core_directives.h"
#include "proxy/upstream/proxy_settings.h"
#include "proxy/upstream/upstream_directives.h"

namespace gatescope::upstream {

namespace {

using conf::Directive;
using conf::Loader;
using conf::Scope;

Result<void> apply_buffers(Loader& loader, Scope& scope, const Directive& d) {
  const auto number = loader.number(d, 0);
  if (!number) return number.error();
  const auto size = loader.size(d, 1);
  if (!size) return size.error();
  if (*number < 2) return Loader::fail(d, "needs at least 2 buffers");
  if (*size == 0 || *size > (1u << 30) || *number > (1u << 30) / *size)
    return Loader::fail(d, "means more than 1g, or nothing, for each request");
  return loader.set_once(scope.own<ProxySettings>().buffers,
                         static_cast<std::size_t>(*number * *size), d);
}

Result<void> apply_temp_path(Loader& loader, Scope& scope, const Directive& d) {
  auto path = http::temp_path(loader, d);
  if (!path) return path.error();
  return loader.set_once(scope.own<ProxySettings>().temp_path, std::move(*path), d);
}

Result<void> apply_limit_rate(Loader& loader, Scope& scope, const Directive& d) {
  auto rate = http::rate_template(loader, d);
  if (!rate) return rate.error();
  return loader.set_once(scope.own<ProxySettings>().limit_rate, std::move(*rate), d);
}

const conf::DirectiveSpec kBufferDirectives[] = {
    {.name = "proxy_buffer_size",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "proxy_buffer_size size;",
     .fallback = "32k",
     .doc = "The longest head of a response.",
     .apply = conf::set_size<&ProxySettings::buffer_size>},
    {.name = "proxy_buffering",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "proxy_buffering on | off;",
     .fallback = "on",
     .doc = "Whether the upstream's answer is taken as fast as it comes and kept for a client that "
            "is slower: in memory, then, when the upstream has waited for a tenth of a second in "
            "all, in a temporary file. Off: the upstream waits for the client. What a client takes "
            "at once is never held back either way. An upstream may "
            "say the same for one answer with X-Accel-Buffering: yes or no.",
     .apply = conf::set_flag<&ProxySettings::buffering>},
    {.name = "proxy_buffers",
     .contexts = conf::kHttpLevels,
     .arity = {2, 2},
     .syntax = "proxy_buffers number size;",
     .fallback = "8 4k",
     .doc =
         "How much of an answer waits for its client in memory: the product of both, per request. "
         "More goes to the temporary file.",
     .apply = apply_buffers},
    {.name = "proxy_busy_buffers_size",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "proxy_busy_buffers_size size;",
     .doc = "Accepted: what is being sent to the client is at most 64k, and apart from "
            "proxy_buffers."},
    {.name = "proxy_max_temp_file_size",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "proxy_max_temp_file_size size;",
     .fallback = "1024m",
     .doc =
         "The most that waits in the temporary file of one answer; then the upstream waits until "
         "the client has all of that. 0: nothing is written to disk, the upstream waits when "
         "proxy_buffers are full.",
     .apply = conf::set_size<&ProxySettings::max_temp_file_size>},
    {.name = "proxy_temp_file_write_size",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "proxy_temp_file_write_size size;",
     .fallback = "64k",
     .doc = "So much is collected before it is written to the temporary file, and as much may come "
            "meanwhile.",
     .apply = conf::set_size<&ProxySettings::temp_file_write_size>},
    {.name = "proxy_temp_path",
     .contexts = conf::kHttpLevels,
     .arity = {1, 4},
     .syntax = "proxy_temp_path path [level1 [level2 [level3]]];",
     .fallback = "proxy_temp",
     .doc =
         "The folder of those files, as client_body_temp_path. A disk that refuses is logged and "
         "loses nothing: the upstream waits then.",
     .apply = apply_temp_path},
    {.name = "proxy_limit_rate",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "proxy_limit_rate rate;",
     .fallback = "0",
     .doc = "Bytes a second that one answer is read from its upstream at, while proxy_buffering is "
            "on; 0: as fast as it comes. Variables are allowed.",
     .apply = apply_limit_rate},
};

}  // namespace

void add_buffer_directives(conf::Schema& schema) {
  schema.add(kBufferDirectives);
}

}  // namespace gatescope::upstream
