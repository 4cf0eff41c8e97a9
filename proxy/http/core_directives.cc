#include "proxy/http/core_directives.h"

#include <fmt/format.h>

#include "conf/setters.h"
#include "proxy/base/text.h"
#include "proxy/http/charset_settings.h"
#include "proxy/http/content_settings.h"
#include "proxy/http/encoding_settings.h"
#include "proxy/http/geo.h"
#include "proxy/http/listen_directive.h"
#include "proxy/http/map.h"
#include "proxy/http/template_argument.h"
#include "proxy/http/variables.h"

namespace gatescope::http {

namespace {

using conf::Arity;
using conf::Context;
using conf::Contexts;
using conf::Directive;
using conf::Loader;
using conf::Scope;

constexpr Contexts kServer = conf::only(Context::Server);
constexpr Contexts kLocation = conf::only(Context::Location);

// ---- Blocks

Result<void> apply_http(Loader& loader, Scope& scope, const Directive& d) {
  for (const auto& child : scope.children())
    if (child->context() == Context::Http) return Loader::fail(d, "is duplicate");
  auto inner = loader.load_block(d, scope, Context::Http);
  return inner ? Result<void>() : inner.error();
}

Result<void> apply_server(Loader& loader, Scope& scope, const Directive& d) {
  auto inner = loader.load_block(d, scope, Context::Server);
  return inner ? Result<void>() : inner.error();
}

Result<void> apply_location(Loader& loader, Scope& scope, const Directive& d) {
  auto pattern = location_pattern(d);
  if (!pattern) return pattern.error();
  using Match = LocationPattern::Match;
  if (scope.context() == Context::Location) {
    const auto outer = location_pattern(*scope.opened_by());
    if (outer->match == Match::Exact)
      return Loader::fail(d,
                          fmt::format("cannot be inside the exact location \"{}\"", outer->text));
    if (outer->match == Match::Named || pattern->match == Match::Named)
      return Loader::fail(d, "with a name can be on the server level only");
    const bool outer_regex = outer->match == Match::Regex || outer->match == Match::RegexNoCase;
    const bool regex = pattern->match == Match::Regex || pattern->match == Match::RegexNoCase;
    if (!outer_regex && !regex && !pattern->text.starts_with(outer->text))
      return Loader::fail(
          d, fmt::format("\"{}\" is outside location \"{}\"", pattern->text, outer->text));
  }
  auto inner = loader.load_block(d, scope, Context::Location);
  return inner ? Result<void>() : inner.error();
}

Result<void> apply_listen(Loader& loader, Scope& scope, const Directive& d) {
  auto specs = listen_specs(loader, d);
  if (!specs) return specs.error();
  auto& listens = scope.own<ServerSettings>().listens;
  for (auto& spec : *specs) {
    for (const auto& other : listens)
      if (other.endpoint == spec.endpoint)
        return Loader::fail(d, fmt::format("has a duplicate address \"{}\"", spec.written));
    listens.push_back(std::move(spec));
  }
  return {};
}

// ---- What is answered with

Result<void> apply_root(Loader& loader, Scope& scope, const Directive& d) {
  auto& core = scope.own<CoreSettings>();
  if (core.root.is_set())
    return Loader::fail(d, core.alias_prefix
                               ? "is duplicate, \"alias\" directive was specified earlier"
                               : "is duplicate");
  std::string text(d.arg(0));
  if (!text.starts_with('$')) text = loader.path(text);
  while (text.size() > 1 && text.back() == '/')
    text.pop_back();
  if (text == "/") text.clear();
  auto root = template_of(loader, d, text);
  if (!root) return root.error();
  core.root.set(std::move(*root));
  return {};
}

Result<void> apply_alias(Loader& loader, Scope& scope, const Directive& d) {
  auto& core = scope.own<CoreSettings>();
  if (core.root.is_set())
    return Loader::fail(d, core.alias_prefix
                               ? "is duplicate"
                               : "is duplicate, \"root\" directive was specified earlier");
  const auto pattern = location_pattern(*scope.opened_by());
  if (pattern->match == LocationPattern::Match::Named)
    return Loader::fail(d, "cannot be used inside a named location");
  const bool regex = pattern->match == LocationPattern::Match::Regex ||
                     pattern->match == LocationPattern::Match::RegexNoCase;
  std::string text(d.arg(0));
  // The best known hole of nginx configurations: /files../secret would leave the aliased folder
  if (!regex && pattern->match != LocationPattern::Match::Exact && text.ends_with('/') &&
      !pattern->text.ends_with('/'))
    return Loader::fail(
        d, fmt::format(
               "ends in a slash and \"location {0}\" does not: \"{0}../x\" would leave the folder; "
               "write \"location {0}/\"",
               pattern->text));
  if (!text.starts_with('$')) text = loader.path(text);
  auto root = template_of(loader, d, text);
  if (!root) return root.error();
  core.root.set(std::move(*root));
  core.alias_prefix = regex ? CoreSettings::kWholePath : pattern->text.size();
  return {};
}

Result<void> apply_error_page(Loader& loader, Scope& scope, const Directive& d) {
  ErrorPage page;
  std::size_t last = d.count() - 1;
  if (d.arg(last - 0).empty()) return Loader::fail(d, "has an empty URI");
  std::size_t codes_end = last;
  if (last >= 1 && d.arg(last - 1).starts_with('=')) {
    codes_end = last - 1;
    const auto text = d.arg(codes_end).substr(1);
    if (text.empty()) {
      page.overwrite = 0;
    } else if (const auto code = parse_unsigned(text); code && *code <= 999) {
      page.overwrite = static_cast<int>(*code);
    } else {
      return Loader::fail(d, fmt::format("has an invalid code \"{}\"", d.arg(codes_end)));
    }
  }
  if (codes_end == 0) return Loader::fail(d, "needs at least one status code before the URI");
  for (std::size_t i = 0; i < codes_end; ++i) {
    const auto code = parse_unsigned(d.arg(i));
    if (!code || *code < 300 || *code > 599 || *code == 499)
      return Loader::fail(
          d, fmt::format("has an invalid status \"{}\": it must be between 300 and 599 and not 499",
                         d.arg(i)));
    page.statuses.push_back(static_cast<int>(*code));
  }
  auto target = template_of(loader, d, d.arg(last));
  if (!target) return target.error();
  page.target = std::move(*target);
  scope.own<CoreSettings>().error_pages.edit().push_back(std::move(page));
  return {};
}

// ---- The request

Result<void> apply_large_buffers(Loader& loader, Scope& scope, const Directive& d) {
  auto number = loader.number(d, 0);
  if (!number) return number.error();
  auto size = loader.size(d, 1);
  if (!size) return size.error();
  if (*number == 0 || *size == 0 || *number > 1024 || *size > (1u << 20))
    return Loader::fail(d, "must be between 1 and 1024 buffers of at most 1m");
  return loader.set_once(scope.own<CoreSettings>().large_client_header_buffers, {*number, *size},
                         d);
}

Result<void> apply_server_tokens(Loader& loader, Scope& scope, const Directive& d) {
  constexpr std::string_view kWords[] = {"off", "on", "build"};
  auto word = loader.choice(d, 0, kWords);
  if (!word) return word.error();
  return loader.set_once(scope.own<CoreSettings>().server_tokens, *word != 0, d);
}

const conf::DirectiveSpec kCoreDirectives[] = {
    {.name = "http",
     .contexts = conf::only(Context::Main),
     .arity = {0, 0, true},
     .syntax = "http { ... }",
     .doc = "Holds everything that is served by HTTP.",
     .apply = apply_http},
    {.name = "server",
     .contexts = conf::only(Context::Http),
     .arity = {0, 0, true},
     .syntax = "server { ... }",
     .doc = "A virtual server, chosen by address and name.",
     .apply = apply_server},
    {.name = "location",
     .contexts = kServer | Context::Location,
     .arity = {1, 2, true},
     .syntax = "location [ = | ~ | ~* | ^~ ] uri { ... } location @name { ... }",
     .doc = "Settings for the paths that match: exact, the longest prefix, then expressions in "
            "order unless ^~.",
     .apply = apply_location},
    {.name = "listen",
     .contexts = kServer,
     .arity = {1, Arity::kAny},
     .syntax = "listen address[:port] [default_server] [ssl] [http2] [proxy_protocol] [reuseport] "
               "[backlog=n] [ipv6only=on|off] [so_keepalive=...];",
     .fallback = "*:80",
     .doc =
         "An address, port, port range or unix:path that this server answers on. proxy_protocol: "
         "connections begin with a line, or binary header, of a proxy that says who its client is.",
     .apply = apply_listen},
    {.name = "server_name",
     .contexts = kServer,
     .arity = {1, Arity::kAny},
     .syntax = "server_name name ...;",
     .fallback = "\"\"",
     .doc = "Names: exact, *.wildcard, .both, www.*, ~expression.",
     .apply = [](Loader&, Scope& s, const Directive& d) -> Result<void> {
       auto& names = s.own<ServerSettings>().names;
       names.insert(names.end(), d.arguments.begin(), d.arguments.end());
       return {};
     }},
    {.name = "root",
     .contexts = conf::kHttpLevelsAndIf,
     .arity = {1, 1},
     .syntax = "root path;",
     .fallback = "html",
     .doc = "The folder that paths are looked for in.",
     .apply = apply_root},
    {.name = "alias",
     .contexts = kLocation,
     .arity = {1, 1},
     .syntax = "alias path;",
     .doc = "Replaces the location's part of the path.",
     .apply = apply_alias,
     .note =
         "A path that ends in a slash for a location that does not is an error here: in nginx it "
         "opens the parent folder to anybody."},
    {.name = "default_type",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "default_type type;",
     .fallback = "text/plain",
     .doc = "The type of what has no known extension.",
     .apply = conf::set_text<&CoreSettings::default_type>},
    {.name = "error_page",
     .contexts = conf::kHttpLevelsAndIf,
     .arity = {2, Arity::kAny},
     .syntax = "error_page code ... [=[answer]] uri;",
     .doc = "What is shown instead of an error's own page.",
     .apply = apply_error_page},
    {.name = "recursive_error_pages",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "recursive_error_pages on | off;",
     .fallback = "off",
     .doc = "Whether an error while an error page is made gets an error page.",
     .apply = conf::set_flag<&CoreSettings::recursive_error_pages>},
    {.name = "log_not_found",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "log_not_found on | off;",
     .fallback = "on",
     .doc = "Whether missing files are said in the error log.",
     .apply = conf::set_flag<&CoreSettings::log_not_found>},
    {.name = "internal",
     .contexts = kLocation,
     .arity = {0, 0},
     .syntax = "internal;",
     .doc = "Only for internal redirects; others get 404.",
     .apply = [](Loader&, Scope& s, const Directive&) -> Result<void> {
       s.own<CoreSettings>().internal = true;
       return {};
     }},
    {.name = "server_tokens",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "server_tokens on | off | build;",
     .fallback = "off",
     .doc = "Whether the Server field names the version.",
     .apply = apply_server_tokens,
     .note = "nginx: on."},
    {.name = "absolute_redirect",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "absolute_redirect on | off;",
     .fallback = "on",
     .doc = "Whether Location is made absolute.",
     .apply = conf::set_flag<&CoreSettings::absolute_redirect>},
    {.name = "server_name_in_redirect",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "server_name_in_redirect on | off;",
     .fallback = "off",
     .doc = "The server's first name in absolute redirects instead of the client's Host.",
     .apply = conf::set_flag<&CoreSettings::server_name_in_redirect>},
    {.name = "port_in_redirect",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "port_in_redirect on | off;",
     .fallback = "on",
     .doc = "Whether absolute redirects name a port that is not the usual one.",
     .apply = conf::set_flag<&CoreSettings::port_in_redirect>},
    {.name = "merge_slashes",
     .contexts = conf::kHttpServer,
     .arity = {1, 1},
     .syntax = "merge_slashes on | off;",
     .fallback = "on",
     .doc = "Several slashes side by side count as one.",
     .apply = conf::set_flag<&CoreSettings::merge_slashes>},
    {.name = "client_header_timeout",
     .contexts = conf::kHttpServer,
     .arity = {1, 1},
     .syntax = "client_header_timeout time;",
     .fallback = "60s",
     .doc = "For a whole request head; then 408.",
     .apply = conf::set_duration<&CoreSettings::client_header_timeout>},
    {.name = "client_header_buffer_size",
     .contexts = conf::kHttpServer,
     .arity = {1, 1},
     .syntax = "client_header_buffer_size size;",
     .fallback = "1k",
     .doc = "Accepted; heads are read into a buffer that all connections share.",
     .apply = conf::set_size<&CoreSettings::client_header_buffer_size>},
    {.name = "large_client_header_buffers",
     .contexts = conf::kHttpServer,
     .arity = {2, 2},
     .syntax = "large_client_header_buffers number size;",
     .fallback = "4 8k",
     .doc = "A line of a head may have `size` bytes (else 414 or 400), the whole head number times "
            "size.",
     .apply = apply_large_buffers},
    {.name = "max_headers",
     .contexts = conf::kHttpServer,
     .arity = {1, 1},
     .syntax = "max_headers number;",
     .fallback = "1000",
     .doc = "Field lines in a request head; then 400.",
     .apply = conf::set_number<&CoreSettings::max_headers>},
    {.name = "ignore_invalid_headers",
     .contexts = conf::kHttpServer,
     .arity = {1, 1},
     .syntax = "ignore_invalid_headers on | off;",
     .fallback = "on",
     .doc = "Fields with unusual names are dropped; off: they are taken as they are.",
     .apply = conf::set_flag<&CoreSettings::ignore_invalid_headers>},
    {.name = "underscores_in_headers",
     .contexts = conf::kHttpServer,
     .arity = {1, 1},
     .syntax = "underscores_in_headers on | off;",
     .fallback = "off",
     .doc = "Whether a field name with an underscore is usual.",
     .apply = conf::set_flag<&CoreSettings::underscores_in_headers>},
    {.name = "lenient_line_endings",
     .contexts = conf::kHttpServer,
     .arity = {1, 1},
     .syntax = "lenient_line_endings on | off;",
     .fallback = "off",
     .doc = "Accepts a bare LF as line end in heads and chunk sizes, for old clients.",
     .apply = conf::set_flag<&CoreSettings::lenient_line_endings>,
     .note = "Our own word; nginx is always lenient."},
    {.name = "chunked_transfer_encoding",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "chunked_transfer_encoding on | off;",
     .fallback = "on",
     .doc = "Whether answers of unknown length are chunked in HTTP/1.1.",
     .apply = conf::set_flag<&CoreSettings::chunked_transfer_encoding>},
};

}  // namespace

Result<LocationPattern> location_pattern(const Directive& d) {
  using Match = LocationPattern::Match;
  LocationPattern pattern;
  std::string_view modifier, text;
  if (d.count() == 2) {
    modifier = d.arg(0);
    text = d.arg(1);
  } else {
    text = d.arg(0);
    for (std::string_view m : {"=", "^~", "~*", "~"})
      if (text.size() > m.size() && text.starts_with(m)) {
        modifier = m;
        text.remove_prefix(m.size());
        break;
      }
  }
  if (modifier == "=") {
    pattern.match = Match::Exact;
  } else if (modifier == "^~") {
    pattern.match = Match::PrefixNoRegex;
  } else if (modifier == "~") {
    pattern.match = Match::Regex;
  } else if (modifier == "~*") {
    pattern.match = Match::RegexNoCase;
  } else if (!modifier.empty()) {
    return Loader::fail(
        d, fmt::format("has an invalid location modifier \"{}\"; =, ~, ~* and ^~ are known",
                       modifier));
  } else if (text.starts_with('@')) {
    pattern.match = Match::Named;
  }
  pattern.text = text;
  return pattern;
}

void add_core_directives(conf::Schema& schema) {
  schema.add(kCoreDirectives);
  schema.add(connection_directives());
  schema.add(http2_directives());
  schema.add(body_directives());
  schema.add(log_directives());
  schema.add(accepted_directives());
  schema.add(map_directives());
  schema.add(geo_directives());
  schema.add(content_directives());
  schema.add(encoding_directives());
  schema.add(charset_directives());
  schema.add_settings<CoreSettings>();
  schema.add_settings<ContentSettings>();
  schema.add_settings<EncodingSettings>();
  schema.add_settings<CharsetSettings>();
  schema.add_settings<ServerSettings>();
  schema.add_settings<HttpSettings>();
}

}  // namespace gatescope::http
