#include <fmt/format.h>

#include "proxy/ops/control_settings.h"
#include "proxy/ops/ops_module.h"

namespace gatescope::ops {

namespace {

using conf::Context;
using conf::Directive;
using conf::Loader;
using conf::Scope;

constexpr std::string_view kLocalOnly =
    "Shown to this machine only (loopback, unix sockets), unless allow, deny or auth_basic stand "
    "in "
    "the location itself.";

Result<void> show(Loader& loader, Scope& scope, const Directive& d, Shown shown) {
  auto& core = scope.own<http::CoreSettings>();
  if (core.handler_maker != nullptr) {
    if (core.handler_set_by != nullptr && core.handler_set_by->name == d.name)
      return Loader::fail(d, "is duplicate");
    return Loader::fail(
        d, fmt::format("\"{}\" cannot stand beside \"{}\" in one location", d.name,
                       core.handler_set_by ? core.handler_set_by->name : "another handler"));
  }
  core.handler_maker = &loader.service<OpsModule>();
  core.handler_set_by = &d;
  scope.own<OpsSettings>().shown = shown;
  return {};
}

template <Shown shown>
Result<void> apply_shown(Loader& loader, Scope& scope, const Directive& d) {
  return show(loader, scope, d, shown);
}

Result<void> apply_health(Loader& loader, Scope& scope, const Directive& d) {
  bool live = false, database = false;
  for (std::size_t i = 0; i < d.arguments.size(); ++i) {
    const auto word = d.arg(i);
    const bool first = i == 0;
    if (first && (word == "live" || word == "ready")) {
      live = word == "live";
    } else if (word == "database" && !live && !database) {
      database = true;
    } else if (word == "database" && live) {
      return Loader::fail_at(d.arguments[i].place,
                             "\"health live\" asks for nothing but the event loop; \"health ready "
                             "database\" asks for the database too");
    } else {
      return Loader::fail_at(
          d.arguments[i].place,
          fmt::format("invalid parameter \"{}\" of \"health\": live, ready or ready database",
                      word));
    }
  }
  if (auto shown = show(loader, scope, d, live ? Shown::HealthLive : Shown::HealthReady); !shown)
    return shown;
  scope.own<OpsSettings>().needs_database = database;
  return {};
}

const conf::DirectiveSpec kOpsDirectives[] = {
    {.name = "stub_status",
     .contexts = Context::Server | Context::Location,
     .arity = {0, 1},
     .syntax = "stub_status;",
     .doc = "Answers with the numbers of connections and requests as nginx's text, for whatever "
            "reads that.",
     .apply = apply_shown<Shown::StubStatus>,
     .note = kLocalOnly},
    {.name = "metrics",
     .contexts = conf::only(Context::Location),
     .arity = {0, 0},
     .syntax = "metrics;",
     .doc =
         "Answers with all numbers for Prometheus (text format 0.0.4, or OpenMetrics where it is "
         "asked for).",
     .apply = apply_shown<Shown::Metrics>,
     .note = kLocalOnly},
    {.name = "health",
     .contexts = conf::only(Context::Location),
     .arity = {0, 2},
     .syntax = "health [live | ready [database]];",
     .fallback = "ready",
     .doc =
         "For load balancers and probes. live: 200 while the event loop turns. ready: 200, or 503 "
         "with the reasons while the server starts or goes, and with `database` while that is "
         "down.",
     .apply = apply_health,
     .note = kLocalOnly},
    {.name = "status_page",
     .contexts = conf::only(Context::Location),
     .arity = {0, 0},
     .syntax = "status_page;",
     .doc =
         "A page with charts of what the server does, and what is wrong with it. With `?json` the "
         "same as JSON.",
     .apply = apply_shown<Shown::StatusPage>,
     .note = kLocalOnly},
};

}  // namespace

void OpsModule::add_directives(conf::Schema& schema) {
  schema.add(kOpsDirectives);
  add_control_directive(schema);
  schema.add_settings<OpsSettings>();
}

}  // namespace gatescope::ops
