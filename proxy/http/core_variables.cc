#include "proxy/http/core_variables.h"

#include <fmt/format.h>
#include <sys/random.h>
#include <unistd.h>

#include <climits>
#include <cstdlib>

#include "proxy/http/exchange.h"

namespace gatescope::http {

namespace {

using Value = std::optional<std::string_view>;

template <class T>
Value number(Exchange& x, T n) {
  const fmt::format_int text(n);
  return x.arena().copy({text.data(), text.size()});
}

std::int64_t microseconds(WallTime t) {
  return t.time_since_epoch().count();
}

Value seconds_with_millis(Exchange& x, std::int64_t micros) {
  return x.arena().copy(fmt::format("{}.{:03}", micros / 1000000, micros / 1000 % 1000));
}

// nginx joins repeated fields with ", " (cookies with "; ").
Value joined(Exchange& x, const HeaderList& fields, std::string_view name,
             std::string_view separator) {
  Value found;
  for (const auto& f : fields) {
    if (f.name.size() != name.size()) continue;
    bool same = true;  // a variable's name has '_' where a field's has '-'
    for (std::size_t i = 0; i < name.size() && same; ++i) {
      const char c = to_lower(f.name[i]);
      same = (c == '-' ? '_' : c) == name[i];
    }
    if (same) found = found ? x.arena().join({*found, separator, f.value}) : f.value;
  }
  return found;
}

Value header_value(Exchange& x, std::string_view data) {
  return joined(x, x.request().head.headers, data, data == "cookie" ? "; " : ", ");
}

/// As far as it is made: a filter sees what the handler and the filters before it said.
Value sent_header(Exchange& x, std::string_view data) {
  const auto& r = x.response();
  if (data == "connection" || data == "keep_alive" || data == "transfer_encoding") {
    if (!x.head_sent()) return std::nullopt;
    const auto framing = x.link().sent_framing();
    if (data == "transfer_encoding") return framing.chunked ? Value("chunked") : Value();
    if (data == "connection")
      return r.status == 101 ? "upgrade" : framing.keep_alive ? "keep-alive" : "close";
    if (!framing.keep_alive || framing.keepalive_header == 0) return std::nullopt;
    return x.arena().copy(fmt::format("timeout={}", framing.keepalive_header));
  }
  if (data == "content_type") return r.content_type.empty() ? Value() : Value(r.content_type);
  if (data == "content_length") return r.content_length ? number(x, *r.content_length) : Value();
  if (data == "location" && !r.location.empty()) return r.location;
  if (data == "etag") return r.etag.empty() ? Value() : Value(r.etag);
  if (data == "last_modified")
    return r.last_modified ? Value(x.arena().copy(HttpDate(*r.last_modified).text())) : Value();
  return joined(x, r.headers, data, ", ");
}

/// How much smaller the body became here, as nginx rounds it: "3.25". A file's twin, which somebody
/// else has compressed, has none.
Value compression_ratio(Exchange& x, std::string_view coding) {
  const auto& r = x.response();
  if (r.headers.find("Content-Encoding").value_or("") != coding) return std::nullopt;
  auto sizes = x.compressed();
  if (r.plain_length != 0) sizes = {r.plain_length, r.content_length.value_or(0)};
  if (sizes.after == 0) return std::nullopt;
  const auto hundredths = (sizes.before * 1000 / sizes.after + 5) / 10;
  return x.arena().copy(fmt::format("{}.{:02}", hundredths / 100, hundredths % 100));
}

Value argument(Exchange& x, std::string_view data) {
  std::string_view rest = x.request().args;
  while (!rest.empty()) {
    const auto end = std::min(rest.find('&'), rest.size());
    const auto pair = rest.substr(0, end);
    const auto equals = pair.find('=');
    if (equals != std::string_view::npos && equals_ignoring_case(pair.substr(0, equals), data))
      return pair.substr(equals + 1);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return std::nullopt;
}

// nginx looks for NAME= behind each ';' or ','; the value ends at ';'.
Value cookie(Exchange& x, std::string_view data) {
  const auto drop_blanks = [](std::string_view& text) {
    while (text.starts_with(' '))
      text.remove_prefix(1);
  };
  if (data.empty()) return std::nullopt;
  for (const auto& f : x.request().head.headers) {
    if (!equals_ignoring_case(f.name, "cookie")) continue;
    for (auto rest = f.value; rest.size() >= data.size();) {
      if (equals_ignoring_case(rest.substr(0, data.size()), data)) {
        auto value = rest.substr(data.size());
        drop_blanks(value);
        if (value.starts_with('=')) {
          value.remove_prefix(1);
          drop_blanks(value);
          return value.substr(0, value.find(';'));
        }
      }
      const auto end = rest.find_first_of(";,");
      if (end == std::string_view::npos) break;
      rest.remove_prefix(end + 1);
      drop_blanks(rest);
    }
  }
  return std::nullopt;
}

Value sent_trailer(Exchange& x, std::string_view data) {
  return joined(x, x.sent_trailers(), data, ", ");
}

/// "on the wire": what is not the head, chunk sizes included.
std::uint64_t wire_body_bytes(Exchange& x) {
  const auto head = x.link().sent_framing().head_bytes, all = x.link().bytes_sent();
  if (all == 0) return 0;
  return head == 0 || all < head ? x.body_bytes_sent() : all - head;
}

void set_args(Exchange& x, std::string_view value) {
  x.request().args = value;
  x.request().has_args = true;
}

void set_limit_rate(Exchange& x, std::string_view value) {
  if (const auto rate = parse_size(value))
    x.set_limit_rate(*rate);
  else
    x.log(LogLevel::Error, fmt::format("invalid $limit_rate \"{}\"", value));
}

Value found(std::string_view text) {
  return text.empty() ? Value() : Value(text);
}

Value port_of(Exchange& x, const net::Endpoint& endpoint) {
  return endpoint.port() ? number(x, endpoint.port()) : Value("");
}

Value server_address(Exchange& x) {
  const auto& local = x.connection().local;
  const bool on_unix = local.family() == net::Endpoint::Family::Unix;  // with its path, as nginx
  return x.arena().copy(on_unix ? local.to_string() : local.address());
}

Value binary_address(Exchange& x) {
  const auto& client = x.connection().client;
  if (client.family() == net::Endpoint::Family::V4)
    return std::string_view(reinterpret_cast<const char*>(client.raw()) + 4, 4);
  if (client.family() == net::Endpoint::Family::V6)
    return std::string_view(reinterpret_cast<const char*>(client.raw()) + 8, 16);
  return "unix:";
}

Value request_id(Exchange& x) {
  char random[16];
  if (::getrandom(random, sizeof random, 0) != sizeof random) return std::nullopt;
  return x.arena().copy(to_hex({random, sizeof random}));
}

Value real_path(Exchange& x) {
  char resolved[PATH_MAX];
  const std::string root(x.document_root());
  if (!::realpath(root.c_str(), resolved)) return std::nullopt;
  return x.arena().copy(resolved);
}

Value host_name(Exchange& x) {
  char name[256] = "";
  ::gethostname(name, sizeof name - 1);
  return x.arena().copy(lower(name));
}

/// Only a body that came whole and lies in memory.
Value request_body(Exchange& x) {
  const auto* body = x.kept_body();
  if (!body || body->in_file() || body->size() == 0) return std::nullopt;
  return body->memory();
}

Value request_body_file(Exchange& x) {
  const auto* body = x.body();
  if (!body || body->file_name().empty()) return std::nullopt;
  return x.arena().copy(body->file_name());
}

Value status_text(Exchange& x) {
  int status = x.head_known() ? x.response().status : x.pending_status();
  if (status == 0) status = x.returning();
  if (status == 0) status = x.client_closed_status();
  return status < 100 ? Value(x.arena().copy(fmt::format("{:03}", status))) : number(x, status);
}

Value http2_name(Exchange& x, std::string_view) {
  if (x.request().head.version != Version::Http2) return "";
  return x.connection().tls != nullptr ? "h2" : "h2c";
}

/// Of all loops together.
Value connections(Exchange& x, std::int64_t ConnectionCounts::*count) {
  if (!x.context().stats) return Value();
  return number(x, x.context().stats->totals().counts().*count);
}

Value time_text(Exchange& x, SecondText& times) {
  return x.arena().copy(times.at(x.loop().clock().wall()));
}

#define GET(expression) \
  []([[maybe_unused]] Exchange& x, std::string_view) -> Value { return expression; }

const VariableSpec kCoreVariables[] = {
    {"arg_", argument, true},
    {"args", GET(x.request().has_args ? Value(x.request().args) : Value()), false, set_args},
    {"binary_remote_addr", GET(binary_address(x))},
    {"brotli_ratio", GET(compression_ratio(x, "br"))},
    {"body_bytes_sent", GET(number(x, wire_body_bytes(x)))},
    {"bytes_sent", GET(number(x, x.link().bytes_sent()))},
    {"connection", GET(number(x, x.connection().number))},
    {"connection_requests", GET(number(x, x.number_on_connection()))},
    {"connection_time",
     GET(seconds_with_millis(x, (x.loop().clock().now() - x.connection().started).count()))},
    {"connections_active", GET(connections(x, &ConnectionCounts::active))},
    {"connections_reading", GET(connections(x, &ConnectionCounts::reading))},
    {"connections_waiting", GET(connections(x, &ConnectionCounts::waiting))},
    {"connections_writing", GET(connections(x, &ConnectionCounts::writing))},
    {"content_length", GET(x.request().head.headers.find("content-length"))},
    {"content_type", GET(x.request().head.headers.find("content-type"))},
    {"cookie_", cookie, true},
    {"document_root", GET(x.document_root())},
    {"document_uri", GET(x.request().path)},
    {"gzip_ratio", GET(compression_ratio(x, "gzip"))},
    {"host", GET(x.request().host)},
    {"hostname", GET(host_name(x))},
    {"http_", header_value, true},
    {"http2", http2_name},
    {"https", GET(x.connection().tls ? Value("on") : Value(""))},
    {"is_request_port", GET(x.request().port.empty() ? Value("") : Value(":"))},
    {"is_args", GET(x.request().args.empty() ? Value("") : Value("?"))},
    {"limit_conn_status", GET(found(x.limit_status().connections))},
    {"limit_rate", GET(number(x, x.limit_rate())), false, set_limit_rate},
    {"limit_req_status", GET(found(x.limit_status().requests))},
    {"msec", GET(seconds_with_millis(x, microseconds(x.loop().clock().wall())))},
    {"nginx_version", GET(Value("1.30.0"))},
    {"pid", GET(number(x, ::getpid()))},
    {"pipe", GET(Value(x.request().head.pipelined ? "p" : "."))},
    {"query_string", GET(x.request().has_args ? Value(x.request().args) : Value())},
    {"realip_remote_addr", GET(x.peer().client_address)},
    {"realip_remote_port", GET(port_of(x, x.peer().client))},
    {"realpath_root", GET(real_path(x))},
    {"remote_addr", GET(x.connection().client_address)},
    {"remote_port", GET(port_of(x, x.connection().client))},
    {"remote_user", GET(x.remote_user())},
    {"request", GET(x.request_line())},
    {"request_body", GET(request_body(x))},
    {"request_body_file", GET(request_body_file(x))},
    {"request_completion", GET(x.completed() ? Value("OK") : Value(""))},
    {"request_filename", GET(x.map_to_file(x.request().path))},
    {"request_id", GET(request_id(x)), false, nullptr, true},
    {"request_length", GET(number(x, x.link().bytes_received()))},
    {"request_method", GET(x.request().head.method)},
    {"request_port", GET(x.request().port.empty() ? Value() : Value(x.request().port))},
    {"request_time", GET(seconds_with_millis(x, (x.loop().clock().now() - x.started()).count()))},
    {"request_uri", GET(x.request().original_uri)},
    {"scheme", GET(x.connection().tls ? Value("https") : Value("http"))},
    {"sent_http_", sent_header, true},
    {"sent_trailer_", sent_trailer, true},
    {"server_addr", GET(server_address(x))},
    {"server_name", GET(x.server().name)},
    {"server_port", GET(port_of(x, x.connection().local))},
    {"server_protocol", GET(name_of(x.request().head.version))},
    {"status", GET(status_text(x))},
    {"time_iso8601", GET(time_text(x, x.context().time_iso8601))},
    {"time_local", GET(time_text(x, x.context().time_local))},
    {"uri", GET(x.request().path)},
};

#undef GET

}  // namespace

std::span<const VariableSpec> core_variables() {
  return kCoreVariables;
}

}  // namespace gatescope::http
