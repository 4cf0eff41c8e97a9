// http2 and http2_*. What nginx dropped is accepted with a warning that names what replaced it.

#include <fmt/format.h>

#include "conf/setters.h"
#include "proxy/http/core_directives.h"

namespace gatescope::http {

namespace {

using conf::Context;
using conf::Directive;
using conf::Loader;
using conf::Scope;

Result<void> apply_streams(Loader& loader, Scope& scope, const Directive& d) {
  auto number = loader.number(d);
  if (!number) return number.error();
  if (*number == 0 || *number > 65535)
    return Loader::fail(d,
                        "takes a number from 1 to 65535: so many requests of one client are "
                        "answered at the same time");
  return loader.set_once(scope.own<CoreSettings>().http2_streams, *number, d);
}

// nginx cuts what is too large silently; 2^24 - 1 is what a frame can hold.
Result<void> apply_chunk(Loader& loader, Scope& scope, const Directive& d) {
  auto size = loader.size(d);
  if (!size) return size.error();
  if (*size == 0 || *size > (1u << 24) - 1)
    return Loader::fail(d, "takes a size from 1 byte to less than 16m, that of an HTTP/2 frame");
  return loader.set_once(scope.own<CoreSettings>().http2_chunk, static_cast<std::size_t>(*size), d);
}

// RFC 9113 6.5.2: a window has less than 2^31 bytes.
Result<void> apply_preread(Loader& loader, Scope& scope, const Directive& d) {
  auto size = loader.size(d);
  if (!size) return size.error();
  if (*size > (1u << 31) - 1)
    return Loader::fail(d, "takes a size below 2g, the largest window of HTTP/2");
  return loader.set_once(scope.own<CoreSettings>().http2_preread, static_cast<std::size_t>(*size),
                         d);
}

Result<void> obsolete(Loader& loader, const Directive& d, std::string_view instead) {
  loader.warn(d.place, fmt::format("the \"{}\" directive is obsolete, {}", d.name, instead));
  return {};
}

template <const char* Instead>
Result<void> use_instead(Loader& loader, Scope&, const Directive& d) {
  return obsolete(loader, d, fmt::format("use the \"{}\" directive instead", Instead));
}

Result<void> ignored(Loader& loader, Scope&, const Directive& d) {
  return obsolete(loader, d, "ignored");
}

constexpr char kHeaderBuffers[] = "large_client_header_buffers";
constexpr char kKeepaliveTimeout[] = "keepalive_timeout";
constexpr char kKeepaliveRequests[] = "keepalive_requests";
constexpr char kHeaderTimeout[] = "client_header_timeout";

const conf::DirectiveSpec kHttp2Directives[] = {
    {.name = "http2",
     .contexts = conf::kHttpServer,
     .arity = {1, 1},
     .syntax = "http2 on | off;",
     .fallback = "off",
     .doc =
         "HTTP/2 on this server: over TLS for clients that ask for it (ALPN), on a plain address "
         "for those that begin with its preface. HTTP/1 is spoken there as before.",
     .apply = conf::set_flag<&ServerSettings::http2>},
    {.name = "http2_max_concurrent_streams",
     .contexts = conf::kHttpServer,
     .arity = {1, 1},
     .syntax = "http2_max_concurrent_streams number;",
     .fallback = "128",
     .doc = "Requests of one connection that are answered at the same time.",
     .apply = apply_streams},
    {.name = "http2_chunk_size",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "http2_chunk_size size;",
     .fallback = "8k",
     .doc =
         "Bytes of a response's body that go into one frame at most, if the client takes so many.",
     .apply = apply_chunk},
    {.name = "http2_body_preread_size",
     .contexts = conf::kHttpServer,
     .arity = {1, 1},
     .syntax = "http2_body_preread_size size;",
     .fallback = "64k",
     .doc = "Bytes of a request's body that a client may send before somebody wants it.",
     .apply = apply_preread},
    {.name = "http2_recv_buffer_size",
     .contexts = conf::only(Context::Http),
     .arity = {1, 1},
     .syntax = "http2_recv_buffer_size size;",
     .doc = "nginx's memory layout."},
    {.name = "http2_idle_timeout",
     .contexts = conf::kHttpServer,
     .arity = {1, 1},
     .syntax = "http2_idle_timeout time;",
     .doc = "Obsolete, with a warning: keepalive_timeout.",
     .apply = use_instead<kKeepaliveTimeout>},
    {.name = "http2_recv_timeout",
     .contexts = conf::kHttpServer,
     .arity = {1, 1},
     .syntax = "http2_recv_timeout time;",
     .doc = "Obsolete, with a warning: client_header_timeout.",
     .apply = use_instead<kHeaderTimeout>},
    {.name = "http2_max_requests",
     .contexts = conf::kHttpServer,
     .arity = {1, 1},
     .syntax = "http2_max_requests number;",
     .doc = "Obsolete, with a warning: keepalive_requests.",
     .apply = use_instead<kKeepaliveRequests>},
    {.name = "http2_max_field_size",
     .contexts = conf::kHttpServer,
     .arity = {1, 1},
     .syntax = "http2_max_field_size size;",
     .doc = "Obsolete, with a warning: large_client_header_buffers.",
     .apply = use_instead<kHeaderBuffers>},
    {.name = "http2_max_header_size",
     .contexts = conf::kHttpServer,
     .arity = {1, 1},
     .syntax = "http2_max_header_size size;",
     .doc = "Obsolete, with a warning: large_client_header_buffers.",
     .apply = use_instead<kHeaderBuffers>},
    {.name = "http2_pool_size",
     .contexts = conf::kHttpServer,
     .arity = {1, 1},
     .syntax = "http2_pool_size size;",
     .doc = "nginx's memory layout."},
    {.name = "http2_streams_index_size",
     .contexts = conf::kHttpServer,
     .arity = {1, 1},
     .syntax = "http2_streams_index_size number;",
     .doc = "nginx's memory layout."},
    {.name = "http2_max_concurrent_pushes",
     .contexts = conf::kHttpServer,
     .arity = {1, 1},
     .syntax = "http2_max_concurrent_pushes number;",
     .doc = "Obsolete, with a warning: no browser takes pushed answers any more.",
     .apply = ignored},
    {.name = "http2_push_preload",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "http2_push_preload on | off;",
     .doc = "Obsolete, with a warning: no browser takes pushed answers any more.",
     .apply = ignored},
    {.name = "http2_push",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "http2_push uri | off;",
     .doc = "Obsolete, with a warning: no browser takes pushed answers any more.",
     .apply = ignored},
};

}  // namespace

std::span<const conf::DirectiveSpec> http2_directives() {
  return kHttp2Directives;
}

}  // namespace gatescope::http
