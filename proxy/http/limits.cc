#include "proxy/http/limits.h"

#include <fmt/format.h>

#include <algorithm>

#include "proxy/http/exchange.h"

namespace gatescope::http {

namespace {

/// nginx: a longer key is not counted.
constexpr std::size_t kLongestRateKey = 65535, kLongestConnectionKey = 255;

class Delay final : public StepState, public net::TimerEvents {
 public:
  Delay(Exchange& exchange, Duration time)
      : exchange_(exchange), timer_(exchange.loop().make_timer(*this)) {
    timer_->start(time);
  }
  void on_timer(net::Timer&) override { exchange_.resume(); }

 private:
  Exchange& exchange_;
  const std::unique_ptr<net::Timer> timer_;
};

class LimitRequestsStep final : public RequestStep {
 public:
  struct Limit {
    LimitRequests said;
    LimitZoneSpec spec;
    std::shared_ptr<RateZone> zone;  // shared with the other generations that name it
  };
  LimitRequestsStep(std::vector<Limit> limits, int status, LogLevel level, bool dry_run)
      : limits_(std::move(limits)), status_(status), level_(level), dry_run_(dry_run) {}

  StepResult run(Exchange& x) const override {
    auto& said = x.limit_status().requests;
    if (!said.empty()) return StepResult::Next;  // once a request, whatever it is redirected to
    const auto now = x.loop().clock().now();
    std::vector<std::string_view> keys;
    std::uint64_t worst = 0;  // ms
    const Limit* delays = nullptr;
    std::uint64_t delaying_excess = 0;
    for (const auto& limit : limits_) {
      auto key = limit.spec.key.evaluate(x, x.arena());
      if (key.size() > kLongestRateKey) {
        x.log(LogLevel::Error,
              fmt::format("the value of the \"{}\" key is more than {} bytes: \"{}\"",
                          limit.spec.key.text(), kLongestRateKey, key.substr(0, 100)));
        key = {};
      }
      keys.push_back(key);
      if (key.empty()) continue;
      const auto excess = limit.zone->look(key, limit.spec.rate, now);
      if (excess > limit.said.burst) return reject(x, limit, excess);
      if (excess <= limit.said.delay) continue;
      const auto ms = (excess - limit.said.delay) * 1000 / limit.spec.rate;
      if (ms <= worst && delays) continue;
      worst = ms;
      delays = &limit;
      delaying_excess = excess;
    }
    bool any = false;
    for (std::size_t i = 0; i < limits_.size(); ++i) {
      if (keys[i].empty()) continue;
      any = true;
      limits_[i].zone->count(keys[i], limits_[i].spec.rate, now);
    }
    if (!any) return StepResult::Next;
    if (!delays || worst == 0) {
      said = "PASSED";
      return StepResult::Next;
    }
    const auto level = static_cast<LogLevel>(
        std::min(static_cast<int>(level_) + 1, static_cast<int>(LogLevel::Info)));
    x.log(level, fmt::format("delaying request{}, excess: {}.{:03}, by zone \"{}\"",
                             dry_run_ ? ", dry run" : "", delaying_excess / 1000,
                             delaying_excess % 1000, delays->spec.name));
    said = dry_run_ ? "DELAYED_DRY_RUN" : "DELAYED";
    if (dry_run_) return StepResult::Next;
    x.wait(std::make_unique<Delay>(x, Duration(worst)));
    return StepResult::Suspended;
  }

 private:
  StepResult reject(Exchange& x, const Limit& limit, std::uint64_t excess) const {
    x.log(level_,
          fmt::format("limiting requests{}, excess: {}.{:03} by zone \"{}\"",
                      dry_run_ ? ", dry run" : "", excess / 1000, excess % 1000, limit.spec.name));
    x.limit_status().requests = dry_run_ ? "REJECTED_DRY_RUN" : "REJECTED";
    if (dry_run_) return StepResult::Next;
    x.status(status_, {});
    return StepResult::Answered;
  }

  const std::vector<Limit> limits_;
  const int status_;
  const LogLevel level_;
  const bool dry_run_;
};

class LimitConnectionsStep final : public RequestStep {
 public:
  struct Limit {
    LimitConnections said;
    LimitZoneSpec spec;
    std::shared_ptr<ConnectionZone> zone;  // shared with the other generations that name it
  };
  LimitConnectionsStep(std::vector<Limit> limits, int status, LogLevel level, bool dry_run)
      : limits_(std::move(limits)), status_(status), level_(level), dry_run_(dry_run) {}

  StepResult run(Exchange& x) const override {
    auto& said = x.limit_status().connections;
    if (!said.empty()) return StepResult::Next;
    auto places = std::make_unique<Places>();
    for (const auto& limit : limits_) {
      const auto key = limit.spec.key.evaluate(x, x.arena());
      if (key.empty()) continue;
      if (key.size() > kLongestConnectionKey) {
        x.log(LogLevel::Error,
              fmt::format("the value of the \"{}\" key is more than {} bytes: \"{}\"",
                          limit.spec.key.text(), kLongestConnectionKey, key));
        continue;
      }
      said = "PASSED";
      if (limit.zone->take(key, limit.said.most)) {
        places->taken.emplace_back(limit.zone, key);
        continue;
      }
      x.log(level_, fmt::format("limiting connections{} by zone \"{}\"",
                                dry_run_ ? ", dry run," : "", limit.spec.name));
      said = dry_run_ ? "REJECTED_DRY_RUN" : "REJECTED";
      if (dry_run_) return StepResult::Next;
      places.reset();
      x.status(status_, {});
      return StepResult::Answered;
    }
    if (!places->taken.empty()) x.hold(std::move(places));
    return StepResult::Next;
  }

 private:
  /// Given back when the request is over.
  struct Places final : StepState {
    ~Places() override {
      for (const auto& [zone, key] : taken)
        zone->give_back(key);
    }
    // The zone may outlive its generation by this request: shared
    std::vector<std::pair<std::shared_ptr<ConnectionZone>, std::string>> taken;
  };

  const std::vector<Limit> limits_;
  const int status_;
  const LogLevel level_;
  const bool dry_run_;
};

const LimitZoneSpec* find(const std::vector<LimitZoneSpec>& zones, const std::string& name) {
  for (const auto& zone : zones)
    if (zone.name == name) return &zone;
  return nullptr;
}

Error unknown_zone(const conf::Place& place, std::string_view name, std::string_view directive) {
  return conf::Loader::fail_at(
      place,
      fmt::format("unknown zone \"{0}\"; \"{1} $binary_remote_addr zone={0}:1m{2};\" in http "
                  "would make it",
                  name, directive, directive == "limit_req_zone" ? " rate=10r/s" : ""));
}

}  // namespace

void LimitSettings::inherit(const Settings& outer_settings) {
  const auto& outer = as<LimitSettings>(outer_settings);
  if (rate_zones.empty()) rate_zones = outer.rate_zones;
  if (connection_zones.empty()) connection_zones = outer.connection_zones;
  requests.inherit(outer.requests);
  connections.inherit(outer.connections);
  requests_status.inherit(outer.requests_status);
  connections_status.inherit(outer.connections_status);
  requests_level.inherit(outer.requests_level);
  connections_level.inherit(outer.connections_level);
  requests_dry_run.inherit(outer.requests_dry_run);
  connections_dry_run.inherit(outer.connections_dry_run);
}

Result<void> LimitsPart::contribute(const conf::Scope& scope, Location& location, VariableTable&) {
  const auto& s = scope.get<LimitSettings>();
  if (!s.requests->empty()) {
    std::vector<LimitRequestsStep::Limit> limits;
    for (const auto& said : s.requests.get()) {
      const auto* spec = find(s.rate_zones, said.zone);
      if (!spec) return unknown_zone(said.place, said.zone, "limit_req_zone");
      limits.push_back({said, *spec, zones_.rate_zone(spec->name, spec->key.text(), spec->bytes)});
    }
    location.access.push_back(
        std::make_unique<LimitRequestsStep>(std::move(limits), s.requests_status.get(),
                                            s.requests_level.get(), s.requests_dry_run.get()));
  }
  if (!s.connections->empty()) {
    std::vector<LimitConnectionsStep::Limit> limits;
    for (const auto& said : s.connections.get()) {
      const auto* spec = find(s.connection_zones, said.zone);
      if (!spec) return unknown_zone(said.place, said.zone, "limit_conn_zone");
      limits.push_back(
          {said, *spec, zones_.connection_zone(spec->name, spec->key.text(), spec->bytes)});
    }
    location.access.push_back(std::make_unique<LimitConnectionsStep>(
        std::move(limits), s.connections_status.get(), s.connections_level.get(),
        s.connections_dry_run.get()));
  }
  return {};
}

}  // namespace gatescope::http
