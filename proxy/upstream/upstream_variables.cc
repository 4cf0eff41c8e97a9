#include "proxy/upstream/upstream_variables.h"

#include <fmt/format.h>

#include <algorithm>

#include "proxy/base/text.h"
#include "proxy/http/exchange.h"
#include "proxy/upstream/proxy_settings.h"

namespace gatescope::upstream {

namespace {

using http::Exchange;
using http::UpstreamTry;
using Value = std::optional<std::string_view>;

/// The URL of this location's proxy_pass, as this request has it.
std::optional<ProxyUrl> proxy_url(Exchange& x) {
  const auto& settings = x.location().scope->get<ProxySettings>();
  if (!settings.pass) return std::nullopt;
  if (settings.pass->url) return settings.pass->url;
  auto url = parse_proxy_url(settings.pass->target.evaluate(x, x.arena()));
  if (!url) return std::nullopt;
  return std::move(*url);
}

Value proxy_host(Exchange& x, std::string_view) {
  const auto url = proxy_url(x);
  if (!url) return std::nullopt;
  return x.arena().copy(url->host_header());
}

Value proxy_port(Exchange& x, std::string_view) {
  const auto url = proxy_url(x);
  if (!url) return std::nullopt;
  return x.arena().copy(url->proxy_port());
}

Value add_x_forwarded_for(Exchange& x, std::string_view) {
  std::string all;
  for (const auto& field : x.request().head.headers)
    if (equals_ignoring_case(field.name, "X-Forwarded-For")) all += std::string(field.value) + ", ";
  return x.arena().copy(all + x.connection().client_address);
}

/// One entry per try: "a, b"; behind a redirect to another group "a, b : c", as in nginx.
template <class Format>
Value list(Exchange& x, Format format) {
  const auto& tries = x.upstream_tries();
  if (tries.empty()) return std::nullopt;
  std::string all;
  for (const auto& t : tries) {
    if (!all.empty()) all += t.elsewhere ? " : " : ", ";
    all += format(t);
  }
  return x.arena().copy(all);
}

std::string seconds(std::int64_t ms) {
  return ms < 0 ? "-" : fmt::format("{}.{:03}", ms / 1000, ms % 1000);
}

Value address(Exchange& x, std::string_view) {
  return list(x, [](const UpstreamTry& t) { return t.address; });
}
Value status(Exchange& x, std::string_view) {
  return list(x, [](const UpstreamTry& t) {
    return t.status ? fmt::format("{:03}", t.status) : std::string("-");
  });
}
template <std::int64_t UpstreamTry::*Field>
Value time(Exchange& x, std::string_view) {
  return list(x, [](const UpstreamTry& t) { return seconds(t.*Field); });
}
template <std::uint64_t UpstreamTry::*Field>
Value bytes(Exchange& x, std::string_view) {
  return list(x, [](const UpstreamTry& t) { return fmt::to_string(t.*Field); });
}

/// `data`: a field's name in lower case, with '_' for '-'.
bool is_named(std::string_view field, std::string_view data) {
  if (field.size() != data.size()) return false;
  for (std::size_t i = 0; i < field.size(); ++i)
    if ((field[i] == '-' ? '_' : to_lower(field[i])) != data[i]) return false;
  return true;
}

/// Calls `use(name, value)` for each field of these lines.
template <class Use>
void each_line(std::string_view rest, Use use) {
  while (!rest.empty()) {
    auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (line.ends_with('\r')) line.remove_suffix(1);
    const auto colon = line.find(':');
    if (colon != std::string_view::npos) use(line.substr(0, colon), trim(line.substr(colon + 1)));
  }
}

/// ... of the last upstream's head, as received.
template <class Use>
void each_field(Exchange& x, Use use) {
  auto rest = x.upstream_head();
  rest.remove_prefix(std::min(rest.size(), rest.find('\n') + 1));  // the status line; npos + 1 is 0
  each_line(rest, use);
}

Value trailer_field(Exchange& x, std::string_view data) {
  Value found;
  each_line(x.upstream_trailers(), [&](std::string_view name, std::string_view value) {
    if (is_named(name, data)) found = found ? x.arena().join({*found, ", ", value}) : value;
  });
  return found;
}

/// As nginx since 1.23: several fields of a name are one list.
Value response_field(Exchange& x, std::string_view data) {
  Value found;
  each_field(x, [&](std::string_view name, std::string_view value) {
    if (!is_named(name, data)) return;
    found = found ? x.arena().join({*found, ", ", value}) : value;
  });
  return found;
}

Value response_cookie(Exchange& x, std::string_view data) {
  Value found;
  each_field(x, [&](std::string_view name, std::string_view value) {
    if (found || !equals_ignoring_case(name, "Set-Cookie")) return;
    const auto pair = value.substr(0, value.find(';'));
    const auto equals = pair.find('=');
    if (equals != std::string_view::npos &&
        equals_ignoring_case(trim(pair.substr(0, equals)), data))
      found = trim(pair.substr(equals + 1));
  });
  return found;
}

const http::VariableSpec kVariables[] = {
    {.name = "proxy_add_x_forwarded_for",
     .get = add_x_forwarded_for,
     .doc = "X-Forwarded-For with the client's address added"},
    {.name = "proxy_host", .get = proxy_host, .doc = "host and port of proxy_pass"},
    {.name = "proxy_port", .get = proxy_port, .doc = "port of proxy_pass, or 80"},
    {.name = "upstream_addr", .get = address, .doc = "the servers tried"},
    {.name = "upstream_bytes_received",
     .get = bytes<&UpstreamTry::bytes_received>,
     .doc = "heads included"},
    {.name = "upstream_bytes_sent",
     .get = bytes<&UpstreamTry::bytes_sent>,
     .doc = "heads included"},
    {.name = "upstream_cache_status",
     .get = [](http::Exchange&, std::string_view) { return std::optional<std::string_view>(); },
     .doc = "none: nothing is cached"},
    {.name = "upstream_connect_time",
     .get = time<&UpstreamTry::connect_ms>,
     .doc = "seconds for the connection"},
    {.name = "upstream_cookie_",
     .get = response_cookie,
     .prefix = true,
     .doc = "a cookie that the upstream set"},
    {.name = "upstream_header_time",
     .get = time<&UpstreamTry::header_ms>,
     .doc = "seconds to the end of the response's head"},
    {.name = "upstream_http_",
     .get = response_field,
     .prefix = true,
     .doc = "a field of the response"},
    {.name = "upstream_response_length",
     .get = bytes<&UpstreamTry::response_length>,
     .doc = "bytes of bodies"},
    {.name = "upstream_response_time",
     .get = time<&UpstreamTry::response_ms>,
     .doc = "seconds to the end of the response"},
    {.name = "upstream_status", .get = status, .doc = "the servers' status codes"},
    {.name = "upstream_trailer_",
     .get = trailer_field,
     .prefix = true,
     .doc = "a field behind the upstream's body"},
};

}  // namespace

std::span<const http::VariableSpec> upstream_variables() {
  return kVariables;
}

}  // namespace gatescope::upstream
