#include "proxy/ops/local_only.h"

#include <fmt/format.h>

#include <array>

#include "proxy/http/exchange.h"

namespace gatescope::ops {

namespace {

bool is_here(const net::Endpoint& endpoint) {
  using Family = net::Endpoint::Family;
  switch (endpoint.family()) {
    case Family::Unix:
      return true;
    case Family::V4:
    case Family::V6: {
      const auto address = endpoint.address();
      return address.starts_with("127.") || address == "::1" || address.starts_with("::ffff:127.");
    }
    case Family::None:
      break;
  }
  return false;
}

class LocalOnlyStep final : public http::RequestStep {
 public:
  explicit LocalOnlyStep(std::string directive) : directive_(std::move(directive)) {}

  http::StepResult run(http::Exchange& exchange) const override {
    const auto& connection = exchange.connection();
    if (!is_here(connection.client))
      return refuse(exchange,
                    "is shown to this machine only, since neither allow nor auth_basic "
                    "stands in its location");
    // set_real_ip_from has found out who it is, and it is somebody here.
    if (!(connection.client == exchange.peer().client)) return http::StepResult::Next;
    constexpr std::array<std::string_view, 3> kSpeaksForOthers{"forwarded", "x-forwarded-for",
                                                               "x-real-ip"};
    bool spoken_for = connection.proxied && !is_here(connection.proxied->client);
    for (const auto name : kSpeaksForOthers)
      spoken_for = spoken_for || exchange.request().head.headers.find(name);
    if (spoken_for)
      return refuse(exchange,
                    "is shown to this machine only, and a proxy on it asks for somebody "
                    "else; set_real_ip_from says who that is, allow in the location who "
                    "may see it");
    return http::StepResult::Next;
  }

 private:
  http::StepResult refuse(http::Exchange& exchange, std::string_view why) const {
    exchange.log(LogLevel::Error,
                 fmt::format("access forbidden by rule: \"{}\" {}", directive_, why));
    exchange.status(403, {});
    return http::StepResult::Answered;
  }

  const std::string directive_;
};

}  // namespace

bool says_who_may_come(const conf::Scope& location) {
  if (location.opened_by() == nullptr) return false;
  for (const auto& directive : location.opened_by()->block)
    if (directive.name == "allow" || directive.name == "deny" ||
        (directive.name == "auth_basic" && !directive.arguments.empty() &&
         directive.arg(0) != "off"))
      return true;
  return false;
}

std::unique_ptr<http::RequestStep> make_local_only_step(std::string directive) {
  return std::make_unique<LocalOnlyStep>(std::move(directive));
}

}  // namespace gatescope::ops
