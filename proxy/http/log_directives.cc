// log_format, access_log, error_log.

#include <fmt/format.h>

#include "proxy/base/text.h"
#include "proxy/http/core_directives.h"
#include "proxy/http/variables.h"

namespace gatescope::http {

namespace {

using conf::Arity;
using conf::Context;
using conf::Directive;
using conf::Loader;
using conf::Scope;
using S = CoreSettings;

Result<void> apply_log_format(Loader&, Scope& scope, const Directive& d) {
  HttpSettings::Format format{.name = std::string(d.arg(0)), .place = d.place};
  if (format.name == "combined") return Loader::fail(d, "cannot redefine \"combined\"");
  for (const auto& other : scope.own<HttpSettings>().formats)
    if (other.name == format.name)
      return Loader::fail(d, fmt::format("has a duplicate name \"{}\"", format.name));
  std::size_t i = 1;
  if (d.arg(1).starts_with("escape=")) {
    const auto escape = d.arg(1).substr(7);
    if (escape == "json") {
      format.escape = LogEscape::Json;
    } else if (escape == "none") {
      format.escape = LogEscape::None;
    } else if (escape != "default") {
      return Loader::fail(
          d, fmt::format("has an unknown escape \"{}\"; default, json and none are known", escape));
    }
    i = 2;
  }
  for (; i < d.count(); ++i)
    format.text += d.arg(i);
  scope.own<HttpSettings>().formats.push_back(std::move(format));
  return {};
}

Result<void> apply_access_log(Loader& loader, Scope& scope, const Directive& d) {
  auto& logs = scope.own<S>().access_logs;
  if (d.arg(0) == "off" && d.count() == 1) {
    logs.edit().clear();
    return {};
  }
  if (d.arg(0).starts_with("syslog:"))
    return Loader::fail(d, "cannot write to syslog yet; name a file");
  AccessLogTarget target{.path = d.arg(0) == "stderr" ? "stderr" : loader.path(d.arg(0))};
  for (std::size_t i = 1; i < d.count(); ++i) {
    const auto word = d.arg(i);
    if (word.starts_with("if=")) {
      auto condition = conf::Template::compile(word.substr(3), loader.service<VariableTable>());
      if (!condition) return Loader::fail(d, condition.error().detail);
      target.condition = std::make_shared<const conf::Template>(std::move(*condition));
    } else if (word.starts_with("buffer=")) {
      const auto size = parse_size(word.substr(7));
      if (!size || *size > (64u << 20))
        return Loader::fail(d, fmt::format("has an invalid buffer \"{}\"", word));
      target.buffer = *size;
    } else if (word.starts_with("flush=")) {
      const auto time = parse_duration(word.substr(6));
      if (!time) return Loader::fail(d, fmt::format("has an invalid time \"{}\"", word));
      target.flush = *time;
    } else if (word.starts_with("gzip")) {
      return Loader::fail(d, "cannot write compressed; rotate and compress the file instead");
    } else if (i == 1) {
      target.format = word;
    } else {
      return Loader::fail(d, fmt::format("has an invalid parameter \"{}\"", word));
    }
  }
  logs.edit().push_back(std::move(target));
  return {};
}

Result<void> apply_error_log(Loader& loader, Scope& scope, const Directive& d) {
  auto target = error_log_target(loader, d);
  if (!target) return target.error();
  scope.own<S>().error_logs.edit().push_back(std::move(*target));
  return {};
}

const conf::DirectiveSpec kTable[] = {
    {.name = "log_format",
     .contexts = conf::only(Context::Http),
     .arity = {2, Arity::kAny},
     .syntax = "log_format name [escape=default|json|none] string ...;",
     .fallback = "combined \"...\"",
     .doc = "Names a form of access log lines.",
     .apply = apply_log_format},
    {.name = "access_log",
     .contexts = conf::kHttpLevels | Context::LocationIf | Context::LimitExcept,
     .arity = {1, 5},
     .syntax =
         "access_log path [format] [buffer=size] [flush=time] [if=condition]; access_log off;",
     .fallback = "logs/access.log combined",
     .doc = "Where requests are logged.",
     .apply = apply_access_log},
    {.name = "error_log",
     .contexts = conf::kHttpLevels | Context::Main,
     .arity = {1, 2},
     .syntax = "error_log file [level];",
     .fallback = "logs/error.log error",
     .doc = "Where problems are logged, from which level on.",
     .apply = apply_error_log},
};

}  // namespace

Result<ErrorLogTarget> error_log_target(const Loader& loader, const Directive& d) {
  ErrorLogTarget target;
  if (d.arg(0).starts_with("syslog:") || d.arg(0).starts_with("memory:"))
    return Loader::fail(d,
                        fmt::format("cannot write to \"{}\" yet; name a file or stderr", d.arg(0)));
  target.path = d.arg(0) == "stderr" ? "stderr" : loader.path(d.arg(0));
  if (d.count() == 2) {
    constexpr std::string_view kLevels[] = {"emerg", "alert",  "crit", "error",
                                            "warn",  "notice", "info", "debug"};
    auto level = loader.choice(d, 1, kLevels);
    if (!level) return level.error();
    target.level = static_cast<LogLevel>(*level);
  }
  return target;
}

std::span<const conf::DirectiveSpec> log_directives() {
  return kTable;
}

}  // namespace gatescope::http
