// Directives about requests to an upstream; those about its answers: response_directives.cc.

#include <fmt/format.h>

#include "conf/setters.h"
#include "proxy/base/text.h"
#include "proxy/http/core_directives.h"
#include "proxy/http/core_settings.h"
#include "proxy/http/variables.h"
#include "proxy/upstream/proxy_settings.h"
#include "proxy/upstream/upstream_directives.h"
#include "proxy/upstream/upstream_module.h"

namespace gatescope::upstream {

using conf::Directive;
using conf::Loader;
using conf::Scope;

Result<conf::Template> template_of(Loader& loader, const Directive& d, std::size_t i) {
  auto compiled = conf::Template::compile(d.arg(i), loader.service<http::VariableTable>());
  if (!compiled) return Loader::fail_at(d.arguments[i].place, compiled.error().detail);
  return compiled;
}

namespace {

using Match = http::LocationPattern::Match;

Result<void> apply_proxy_pass(Loader& loader, Scope& scope, const Directive& d) {
  auto& core = scope.own<http::CoreSettings>();
  auto& settings = scope.own<ProxySettings>();
  if (settings.pass) return Loader::fail(d, "\"proxy_pass\" directive is duplicate");
  if (core.handler_maker)
    return Loader::fail(
        d, fmt::format("\"proxy_pass\" cannot stand beside \"{}\" in one location",
                       core.handler_set_by ? core.handler_set_by->name : "another handler"));
  ProxyPass pass;
  pass.place = d.place;
  auto target = template_of(loader, d, 0);
  if (!target) return target.error();
  pass.target = std::move(*target);
  bool plain = true;  // a location whose prefix a URI part can replace
  if (scope.opened_by() && scope.opened_by()->name == "location") {
    auto pattern = http::location_pattern(*scope.opened_by());
    if (!pattern) return pattern.error();
    plain = pattern->match == Match::Exact || pattern->match == Match::Prefix ||
            pattern->match == Match::PrefixNoRegex;
    if (plain) pass.location = pattern->text;
    settings.auto_redirect =
        plain && pattern->match != Match::Exact && pattern->text.ends_with('/');
  } else if (scope.opened_by()) {  // an `if`, or limit_except
    plain = false;
  }
  if (pass.target.is_literal()) {
    auto url = parse_proxy_url(pass.target.text());
    if (!url) return Loader::fail_at(d.arguments[0].place, url.error().detail);
    if (!plain && !url->uri.empty())
      return Loader::fail(d,
                          "\"proxy_pass\" cannot have URI part in location given by regular "
                          "expression, or inside named "
                          "location, or inside \"if\" statement, or inside \"limit_except\" block");
    pass.url = std::move(*url);
  }
  settings.pass = std::move(pass);
  core.handler_maker = &loader.service<UpstreamModule>();
  core.handler_set_by = &d;
  return {};
}

template <conf::Inherited<conf::Template> ProxySettings::*Field>
Result<void> apply_template(Loader& loader, Scope& scope, const Directive& d) {
  auto value = template_of(loader, d, 0);
  if (!value) return value.error();
  return loader.set_once(scope.own<ProxySettings>().*Field, std::move(*value), d);
}

Result<void> apply_set_header(Loader& loader, Scope& scope, const Directive& d) {
  if (d.arg(0).empty() || d.arg(0).find_first_of(": \t\r\n") != std::string_view::npos)
    return Loader::fail_at(
        d.arguments[0].place,
        fmt::format("invalid field name \"{}\" in \"proxy_set_header\"", d.arg(0)));
  auto value = template_of(loader, d, 1);
  if (!value) return value.error();
  scope.own<ProxySettings>().set_headers.edit().push_back(
      {std::string(d.arg(0)), std::move(*value)});
  return {};
}

Result<void> apply_http_version(Loader& loader, Scope& scope, const Directive& d) {
  constexpr std::string_view kVersions[] = {"1.0", "1.1"};
  auto version = loader.choice(d, 0, kVersions);
  if (!version) return version.error();
  return loader.set_once(scope.own<ProxySettings>().http10, *version == 0, d);
}

Result<void> apply_wait_upstream(Loader& loader, Scope& scope, const Directive& d) {
  auto time = loader.duration(d);
  if (!time) return time.error();
  WaitUpstream wait{.time = *time};
  if (d.count() == 2) {
    const auto word = d.arg(1);
    const auto number =
        word.starts_with("requests=") ? parse_unsigned(word.substr(9)) : std::nullopt;
    if (!number)
      return Loader::fail_at(d.arguments[1].place,
                             fmt::format("invalid parameter \"{}\" in \"proxy_wait_upstream\" "
                                         "directive: it may be requests=1000",
                                         word));
    wait.requests = *number;
  }
  return loader.set_once(scope.own<ProxySettings>().wait_upstream, wait, d);
}

Result<void> apply_next_upstream(Loader& loader, Scope& scope, const Directive& d) {
  constexpr std::string_view kWords[] = {"error",    "timeout",  "invalid_header", "non_idempotent",
                                         "off",      "updating", "http_500",       "http_502",
                                         "http_503", "http_504", "http_403",       "http_404",
                                         "http_429"};
  constexpr unsigned kBits[] = {NextUpstream::kError,
                                NextUpstream::kTimeout,
                                NextUpstream::kInvalidHeader,
                                NextUpstream::kNonIdempotent,
                                0,
                                0};
  NextUpstream next;
  next.causes = 0;
  bool off = false;
  for (std::size_t i = 0; i < d.count(); ++i) {
    auto word = loader.choice(d, i, kWords);
    if (!word) return word.error();
    if (*word < std::size(kBits)) {
      next.causes |= kBits[*word];
      off = off || *word == 4;
    } else {
      next.statuses.push_back(static_cast<int>(*parse_unsigned(kWords[*word].substr(5))));
    }
  }
  if (off) next = {.causes = 0, .statuses = {}};
  return loader.set_once(scope.own<ProxySettings>().next_upstream, std::move(next), d);
}

/// Variables have no value yet.
class NoValues final : public conf::VariableValues {
  std::optional<std::string_view> value(conf::VariableId) override { return std::nullopt; }
};

Result<void> apply_bind(Loader& loader, Scope& scope, const Directive& d) {
  ProxyBind bind;
  bind.place = d.place;
  if (d.count() == 1 && d.arg(0) == "off")
    return loader.set_once(scope.own<ProxySettings>().bind, std::move(bind), d);
  auto address = template_of(loader, d, 0);
  if (!address) return address.error();
  bind.address = std::move(*address);
  if (d.count() == 2) {
    constexpr std::string_view kWords[] = {"transparent"};
    if (auto word = loader.choice(d, 1, kWords); !word) return word.error();
    bind.transparent = true;
  }
  if (bind.address.is_literal()) {
    NoValues none;
    Arena arena;
    if (auto local = bind.local(none, arena); !local)
      return Loader::fail_at(d.arguments[0].place, local.error().detail);
  }
  return loader.set_once(scope.own<ProxySettings>().bind, std::move(bind), d);
}

Result<void> apply_send_proxy(Loader& loader, Scope& scope, const Directive& d) {
  constexpr std::string_view kWords[] = {"off", "v1", "v2"};
  auto version = loader.choice(d, 0, kWords);
  if (!version) return version.error();
  return loader.set_once(scope.own<ProxySettings>().send_proxy, static_cast<SendProxy>(*version),
                         d);
}

const conf::DirectiveSpec kProxyDirectives[] = {
    {.name = "proxy_pass",
     .contexts = conf::Context::Location | conf::Context::LocationIf | conf::Context::LimitExcept,
     .arity = {1, 1},
     .syntax = "proxy_pass URL;",
     .doc = "Passes requests to http://host:port/uri, http://unix:/path:/uri or an upstream group, "
            "or to https:// in the same forms (proxy_ssl_*). A URI part replaces the "
            "location's prefix; without one the URI goes on as the client sent it.",
     .apply = apply_proxy_pass},
    {.name = "proxy_set_header",
     .contexts = conf::kHttpLevels,
     .arity = {2, 2},
     .syntax = "proxy_set_header field value;",
     .doc = "Sets a field of the request to the upstream; an empty value leaves it out. A level "
            "that sets any replaces all of the "
            "level around.",
     .apply = apply_set_header,
     .note = "Content-Length and Transfer-Encoding are always gatescope's own."},
    {.name = "proxy_http_version",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "proxy_http_version 1.0 | 1.1;",
     .fallback = "1.1",
     .doc = "The version of requests to the upstream.",
     .apply = apply_http_version},
    {.name = "proxy_method",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "proxy_method method;",
     .doc = "The method to use instead of the client's.",
     .apply = apply_template<&ProxySettings::method>},
    {.name = "proxy_set_body",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "proxy_set_body value;",
     .doc = "A body to send instead of the client's.",
     .apply = apply_template<&ProxySettings::body>},
    {.name = "proxy_pass_request_headers",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "proxy_pass_request_headers on | off;",
     .fallback = "on",
     .doc = "Whether the client's fields are passed on.",
     .apply = conf::set_flag<&ProxySettings::pass_request_headers>},
    {.name = "proxy_pass_request_body",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "proxy_pass_request_body on | off;",
     .fallback = "on",
     .doc = "Whether the client's body is passed on.",
     .apply = conf::set_flag<&ProxySettings::pass_request_body>},
    {.name = "proxy_request_buffering",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "proxy_request_buffering on | off;",
     .fallback = "on",
     .doc =
         "Whether the client's body is read whole (client_body_buffer_size in memory, then a "
         "file) before a server is chosen, so that it can be sent again to the next one. off: it "
         "is passed on as it comes, chunked if it came so, with its trailers.",
     .apply = conf::set_flag<&ProxySettings::request_buffering>},

    {.name = "proxy_connect_timeout",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "proxy_connect_timeout time;",
     .fallback = "60s",
     .doc = "For making a connection.",
     .apply = conf::set_duration<&ProxySettings::connect_timeout>},
    {.name = "proxy_send_timeout",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "proxy_send_timeout time;",
     .fallback = "60s",
     .doc = "Between two successful writes to the upstream.",
     .apply = conf::set_duration<&ProxySettings::send_timeout>},
    {.name = "proxy_read_timeout",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "proxy_read_timeout time;",
     .fallback = "60s",
     .doc = "Between two reads from the upstream.",
     .apply = conf::set_duration<&ProxySettings::read_timeout>},
    {.name = "proxy_next_upstream",
     .contexts = conf::kHttpLevels,
     .arity = {1, conf::Arity::kAny},
     .syntax = "proxy_next_upstream error | timeout | invalid_header | http_NNN | non_idempotent | "
               "off ...;",
     .fallback = "error timeout",
     .doc = "When the next server of the group is tried. Never once a part of the answer was sent, "
            "or of a body that was not kept (proxy_request_buffering off).",
     .apply = apply_next_upstream},
    {.name = "proxy_next_upstream_tries",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "proxy_next_upstream_tries number;",
     .fallback = "0",
     .doc = "How many servers are tried at most. 0: all.",
     .apply = conf::set_number<&ProxySettings::next_upstream_tries>},
    {.name = "proxy_next_upstream_timeout",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "proxy_next_upstream_timeout time;",
     .fallback = "0",
     .doc = "No other server is tried after this. 0: no limit.",
     .apply = conf::set_duration<&ProxySettings::next_upstream_timeout>},
    {.name = "proxy_wait_upstream",
     .contexts = conf::kHttpLevels,
     .arity = {1, 2},
     .syntax = "proxy_wait_upstream time [requests=number];",
     .fallback = "0",
     .doc = "So long a request waits while no server of the group can be connected (refused, no "
            "socket file), instead of 502: a backend that restarts is not noticed. An idempotent "
            "request is also sent again when its connection closed without an answer. At most so "
            "many requests wait at a time for a group (1000 for each event loop), others fail at "
            "once. 0: none waits.",
     .apply = apply_wait_upstream,
     .note = "gatescope's own."},
    {.name = "proxy_bind",
     .contexts = conf::kHttpLevels,
     .arity = {1, 2},
     .syntax = "proxy_bind address [transparent] | off;",
     .doc = "Where connections to the upstream come from: an address of this machine, with a port "
            "or without, also from variables. transparent: any address, such as $remote_addr; the "
            "routes of the machine must lead the answers back.",
     .apply = apply_bind,
     .note =
         "transparent takes a privilege (CAP_NET_ADMIN or CAP_NET_RAW) that the server does not "
         "keep when it gives up root: systemd's AmbientCapabilities can give it. A kept "
         "connection is used only for the same address."},
    {.name = "proxy_send_proxy_protocol",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "proxy_send_proxy_protocol v1 | v2 | off;",
     .fallback = "off",
     .doc = "Connections to the upstream begin with a header of the PROXY protocol, as text (v1) "
            "or binary (v2), which tells the client's address ($remote_addr) and the one that it "
            "came to. Each request has a connection of its own then. A health check says that it "
            "speaks for itself.",
     .apply = apply_send_proxy,
     .note = "gatescope's own; nginx has it for stream and mail only. For headers that come in: "
             "listen ... proxy_protocol."},
    {.name = "proxy_ignore_client_abort",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "proxy_ignore_client_abort on | off;",
     .fallback = "off",
     .doc = "Whether the request to the upstream goes on when the client closes its sending side.",
     .apply = conf::set_flag<&ProxySettings::ignore_client_abort>,
     .note =
         "A client that has gone for good always ends it; nginx would read the answer to its end."},
};

}  // namespace

void add_proxy_directives(conf::Schema& schema) {
  schema.add(kProxyDirectives);
  add_response_directives(schema);
  add_buffer_directives(schema);
  add_proxy_tls_directives(schema);
  schema.add_settings<ProxySettings>();
}

}  // namespace gatescope::upstream
