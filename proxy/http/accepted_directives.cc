// Directives that are accepted and do nothing: they tune nginx's memory, or belong to modules that
// are not here.

#include "proxy/http/core_directives.h"

namespace gatescope::http {

namespace {

using conf::Context;

const conf::DirectiveSpec kAcceptedDirectives[] = {
    {.name = "fastcgi_temp_path",
     .contexts = conf::kHttpLevels,
     .arity = {1, 4},
     .syntax = "fastcgi_temp_path path;",
     .doc = "FastCGI is not here."},
    {.name = "uwsgi_temp_path",
     .contexts = conf::kHttpLevels,
     .arity = {1, 4},
     .syntax = "uwsgi_temp_path path;",
     .doc = "uwsgi is not here."},
    {.name = "scgi_temp_path",
     .contexts = conf::kHttpLevels,
     .arity = {1, 4},
     .syntax = "scgi_temp_path path;",
     .doc = "SCGI is not here."},
    {.name = "tcp_nodelay",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "tcp_nodelay on | off;",
     .doc = "Always on: output leaves once per turn."},
    {.name = "postpone_output",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "postpone_output size;",
     .doc = "Output leaves once per turn."},
    {.name = "connection_pool_size",
     .contexts = conf::kHttpServer,
     .arity = {1, 1},
     .syntax = "connection_pool_size size;",
     .doc = "nginx's memory layout."},
    {.name = "request_pool_size",
     .contexts = conf::kHttpServer,
     .arity = {1, 1},
     .syntax = "request_pool_size size;",
     .doc = "nginx's memory layout."},
    {.name = "subrequest_output_buffer_size",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "subrequest_output_buffer_size size;",
     .doc = "There are no subrequests."},
    {.name = "proxy_headers_hash_max_size",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "proxy_headers_hash_max_size size;",
     .doc = "nginx's memory layout."},
    {.name = "proxy_headers_hash_bucket_size",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "proxy_headers_hash_bucket_size size;",
     .doc = "nginx's memory layout."},
    {.name = "proxy_socket_keepalive",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "proxy_socket_keepalive on | off;",
     .doc = "proxy_read_timeout finds a peer that is gone."},
    {.name = "types_hash_max_size",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "types_hash_max_size size;",
     .doc = "nginx's memory layout."},
    {.name = "types_hash_bucket_size",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "types_hash_bucket_size size;",
     .doc = "nginx's memory layout."},
    {.name = "server_names_hash_max_size",
     .contexts = conf::only(Context::Http),
     .arity = {1, 1},
     .syntax = "server_names_hash_max_size size;",
     .doc = "nginx's memory layout."},
    {.name = "server_names_hash_bucket_size",
     .contexts = conf::only(Context::Http),
     .arity = {1, 1},
     .syntax = "server_names_hash_bucket_size size;",
     .doc = "nginx's memory layout."},
    {.name = "variables_hash_max_size",
     .contexts = conf::only(Context::Http),
     .arity = {1, 1},
     .syntax = "variables_hash_max_size size;",
     .doc = "nginx's memory layout."},
    {.name = "variables_hash_bucket_size",
     .contexts = conf::only(Context::Http),
     .arity = {1, 1},
     .syntax = "variables_hash_bucket_size size;",
     .doc = "nginx's memory layout."},
};

}  // namespace

std::span<const conf::DirectiveSpec> accepted_directives() {
  return kAcceptedDirectives;
}

}  // namespace gatescope::http
