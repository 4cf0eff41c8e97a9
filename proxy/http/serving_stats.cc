#include "proxy/http/serving_stats.h"

#include <algorithm>

namespace gatescope::http {

std::string_view name_of(HandlerKind kind) {
  switch (kind) {
    case HandlerKind::None:
      return "none";
    case HandlerKind::Files:
      return "files";
    case HandlerKind::Proxy:
      return "proxy";
    case HandlerKind::Api:
      return "api";
    case HandlerKind::Ops:
      return "ops";
    case HandlerKind::Other:
      return "other";
  }
  return "other";
}

std::string_view name_of(StatusClass status) {
  constexpr std::array<std::string_view, 6> kNames{"none", "1xx", "2xx", "3xx", "4xx", "5xx"};
  return kNames[static_cast<std::size_t>(status)];
}

StatusClass class_of(int status) {
  return status < 100 || status > 599 ? StatusClass::None : static_cast<StatusClass>(status / 100);
}

ServingStats& ServingTotals::add_loop() {
  std::lock_guard lock(mutex_);
  auto& made = *loops_.emplace_back(std::unique_ptr<ServingStats>(new ServingStats(*this)));
  const auto count = [&](std::string_view name, std::string_view unit, std::string_view help,
                         const LoopCounter& part, Labels labels = {}) {
    stats_.add_part(StatKind::Counter, name, unit, help, std::move(labels), part);
  };
  const auto gauge = [&](std::string_view name, std::string_view unit, std::string_view help,
                         const LoopCounter& part, Labels labels = {}) {
    stats_.add_part(StatKind::Gauge, name, unit, help, std::move(labels), part);
  };
  count("connections_accepted", "connections", "Client connections accepted since the start.",
        made.accepted);
  gauge("connections_active", "connections", "Client connections open now.", made.active);
  gauge("connections_waiting", "connections",
        "Open connections between two requests, or before their first.", made.waiting);
  gauge("connections_handshaking", "connections", "Open connections in a TLS handshake.",
        made.handshaking);
  count("connections_http2", "connections", "Connections that spoke HTTP/2.",
        made.http2_connections);
  for (const auto version : {Version::Http10, Version::Http11, Version::Http2})
    count("http_requests", "requests", "Requests whose head has come, by version of HTTP.",
          made.requests_[static_cast<std::size_t>(version)],
          {{"version", version == Version::Http2    ? "2"
                       : version == Version::Http11 ? "1.1"
                                                    : "1.0"}});
  gauge("http_requests_active", "requests", "Requests that are being answered.",
        made.writing_http1_, {{"protocol", "http1"}});
  gauge("http_requests_active", "requests", "Requests that are being answered.",
        made.writing_http2_, {{"protocol", "http2"}});
  for (std::size_t kind = 0; kind < kHandlerKinds; ++kind) {
    const std::string handler(name_of(static_cast<HandlerKind>(kind)));
    for (std::size_t status = 0; status < 6; ++status)
      count("http_responses", "responses",
            "Requests that are over, by class of status (none: the client left, or nothing was "
            "answered) and by what answered (none: a rule, like return, or a refusal).",
            made.responses_[kind][status],
            {{"class", std::string(name_of(static_cast<StatusClass>(status)))},
             {"handler", handler}});
    stats_.add_part("http_request_duration", "seconds",
                    "From the first byte of a request to the last of its answer, by what answered.",
                    {{"handler", handler}}, made.times_[kind]);
  }
  count("http_received", "bytes", "Bytes of requests, heads and bodies, without TLS.",
        made.received_);
  count("http_sent", "bytes", "Bytes of answers, heads and bodies, without TLS.", made.sent_);
  count("tls_handshakes", "handshakes", "TLS handshakes of clients, by how they ended.",
        made.handshakes, {{"result", "full"}});
  count("tls_handshakes", "handshakes", "TLS handshakes of clients, by how they ended.",
        made.resumed, {{"result", "resumed"}});
  count("tls_handshakes", "handshakes", "TLS handshakes of clients, by how they ended.",
        made.handshakes_failed, {{"result", "failed"}});
  return made;
}

ConnectionCounts ServingTotals::counts() const {
  std::lock_guard lock(mutex_);
  ConnectionCounts all;
  for (const auto& loop : loops_) {
    all.accepted += loop->accepted.value();
    for (const auto& requests : loop->requests_)
      all.requests += requests.value();
    all.active += loop->active.value();
    const auto writing = loop->writing_http1_.value();
    all.reading += std::max<std::int64_t>(0, loop->busy_http1.value() - writing);
    all.writing += writing + loop->writing_http2_.value();
    all.waiting += loop->waiting.value();
    all.handshaking += loop->handshaking.value();
  }
  all.handled = all.accepted;
  return all;
}

std::int64_t ServingTotals::active() const {
  std::lock_guard lock(mutex_);
  std::int64_t all = 0;
  for (const auto& loop : loops_)
    all += loop->active.value();
  return all;
}

}  // namespace gatescope::http
