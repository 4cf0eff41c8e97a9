#include "proxy/upstream/request_head.h"

#include <fmt/format.h>

#include <algorithm>

#include "proxy/base/text.h"

namespace gatescope::upstream {

namespace {

// Connection's own fields (RFC 9110 7.6.1), framing, and what is answered here (Expect).
constexpr std::string_view kNeverForwarded[] = {
    "Host",    "Connection",        "Keep-Alive",     "Proxy-Connection", "TE",
    "Trailer", "Transfer-Encoding", "Content-Length", "Upgrade",          "Expect"};

bool is_framing(std::string_view name) {
  return equals_ignoring_case(name, "Content-Length") ||
         equals_ignoring_case(name, "Transfer-Encoding");
}

bool breaks_lines(std::string_view value) {
  return value.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos;
}

void add_field(std::string& head, std::string_view name, std::string_view value) {
  head.append(name).append(": ").append(value).append("\r\n");
}

/// Whether the client's field goes on: not the connection's own, not replaced by proxy_set_header.
bool is_forwarded(const http::HeaderField& field, const http::NamedByConnection& is_named,
                  const std::vector<SetHeader>& replaced) {
  for (auto name : kNeverForwarded)
    if (equals_ignoring_case(field.name, name)) return false;
  for (const auto& set : replaced)
    if (equals_ignoring_case(field.name, set.name)) return false;
  return !is_named(field.name);
}

}  // namespace

bool reads_first(const http::Request& request, const ProxySettings& settings, bool begun) {
  if (!request.head.has_body) return false;
  return begun || settings.request_buffering.get() ||
         (settings.http10.get() && !request.head.content_length);
}

BodyPlan plan_body(const http::Request& request, const ProxySettings& settings, bool begun) {
  if (settings.body.is_set()) return BodyPlan::Fixed;
  if (!settings.pass_request_body.get() || !request.head.has_body) return BodyPlan::None;
  return reads_first(request, settings, begun) ? BodyPlan::Kept : BodyPlan::Stream;
}

Result<UpstreamRequest> build_request(http::Exchange& exchange, const ProxySettings& settings,
                                      std::string_view host_header, std::string_view uri,
                                      bool keep_alive, BodyPlan plan, std::uint64_t kept) {
  const auto& request = exchange.request();
  UpstreamRequest made;
  auto method = request.head.method;
  if (settings.method.is_set()) method = settings.method->evaluate(exchange, exchange.arena());
  if (breaks_lines(method) || method.empty() || method.find(' ') != std::string_view::npos)
    return make_error(ErrorKind::Invalid, Origin::Internal, "proxy_method gave no valid method");
  made.answers_head = method == "HEAD";
  auto& head = made.head;
  head = Spare::text();
  head.reserve(Spare::kBlock);
  head.append(method).append(" ").append(uri).append(settings.http10.get() ? " HTTP/1.0\r\n"
                                                                           : " HTTP/1.1\r\n");

  // proxy_set_header first, with Host and Connection where it is silent about them
  bool has_host = false, has_connection = false;
  for (const auto& set : settings.set_headers.get()) {
    if (is_framing(set.name)) continue;  // framing is made here, always
    has_host = has_host || equals_ignoring_case(set.name, "Host");
    has_connection = has_connection || equals_ignoring_case(set.name, "Connection");
    const auto value = trim(set.value.evaluate(exchange, exchange.arena()));
    if (value.empty()) continue;
    if (breaks_lines(value))
      return make_error(
          ErrorKind::Invalid, Origin::Client,
          fmt::format("a line break in the value of \"{}\" for the upstream", set.name));
    made.asks_upgrade = made.asks_upgrade || equals_ignoring_case(set.name, "Upgrade");
    add_field(head, set.name, value);
  }
  if (!has_host) add_field(head, "Host", host_header);
  if (!has_connection && (settings.http10.get() || !keep_alive))
    add_field(head, "Connection", "close");

  // Framing
  std::string_view fixed;
  if (plan == BodyPlan::Fixed) {
    fixed = settings.body->evaluate(exchange, exchange.arena());
    add_field(head, "Content-Length", fmt::to_string(fixed.size()));
  } else if (plan == BodyPlan::Kept) {
    if (kept > 0) made.body = UpstreamRequest::Body::Plain;
    add_field(head, "Content-Length", fmt::to_string(kept));
  } else if (plan == BodyPlan::Stream && request.head.content_length) {
    made.body = UpstreamRequest::Body::Plain;
    add_field(head, "Content-Length", fmt::to_string(*request.head.content_length));
  } else if (plan == BodyPlan::Stream) {
    made.body = UpstreamRequest::Body::Chunked;
    add_field(head, "Transfer-Encoding", "chunked");
  } else if (request.head.content_length || method == "POST" || method == "PUT") {
    add_field(head, "Content-Length", "0");  // several servers answer 411 to a POST without
  }

  if (settings.pass_request_headers.get()) {
    const http::NamedByConnection is_named(request.head.headers);
    for (const auto& field : request.head.headers)
      if (is_forwarded(field, is_named, settings.set_headers.get()))
        add_field(head, field.name, field.value);
  }
  head += "\r\n";
  head += fixed;
  return made;
}

}  // namespace gatescope::upstream
