// log_format, access_log, error_log.

#include <fmt/format.h>

#include "proxy/base/error_log.h"
#include "proxy/base/text.h"
#include "proxy/http/core_directives.h"
#include "proxy/http/gzip_log.h"
#include "proxy/http/variables.h"

namespace gatescope::http {

namespace {

using conf::Arity;
using conf::Context;
using conf::Directive;
using conf::Loader;
using conf::Scope;

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

/// The words behind an access_log's path and format.
class AccessLogWords {
 public:
  AccessLogWords(Loader& loader, const Directive& d) : loader_(loader), d_(d) {}

  Result<void> take(std::size_t i, AccessLogTarget& target) {
    const auto word = d_.arg(i);
    auto rotation = take_log_rotation(word, settings_);
    if (!rotation) return Loader::fail(d_, rotation.error().detail);
    if (*rotation) return {};
    if (word.starts_with("if=")) {
      auto condition = conf::Template::compile(word.substr(3), loader_.service<VariableTable>());
      if (!condition) return Loader::fail(d_, condition.error().detail);
      target.condition = std::make_shared<const conf::Template>(std::move(*condition));
    } else if (word.starts_with("buffer=")) {
      const auto size = parse_size(word.substr(7));
      if (!size || *size == 0 || *size > (64u << 20))
        return Loader::fail(d_, fmt::format("has an invalid buffer size \"{}\"; 1 to 64m", word));
      settings_.buffer = *size;
    } else if (word.starts_with("flush=")) {
      const auto time = parse_duration(word.substr(6));
      if (!time || time->count() == 0)
        return Loader::fail(d_, fmt::format("has an invalid flush time \"{}\"", word));
      settings_.flush = *time;
    } else if (word == "gzip" || word.starts_with("gzip=")) {
      const auto level = word == "gzip" ? 1 : parse_unsigned(word.substr(5));
      if (!level || *level < 1 || *level > 9)
        return Loader::fail(d_,
                            fmt::format("has an invalid compression level \"{}\"; 1 to 9", word));
      settings_.encoder = make_gzip_log_encoder(static_cast<int>(*level));
      if (settings_.buffer == 0) settings_.buffer = 64 << 10;
    } else if (i == 1) {
      target.format = word;
    } else {
      return Loader::fail(d_, fmt::format("has an invalid parameter \"{}\"", word));
    }
    return {};
  }

  Result<void> finish(AccessLogTarget& target) {
    const bool rotates = settings_.rotate_at != 0 || settings_.rotate_daily;
    if (!target.syslog.empty() && (settings_.buffer != 0 || settings_.flush.count() > 0 || rotates))
      return Loader::fail(d_, "cannot buffer, compress or rotate what goes to syslog");
    if (settings_.flush.count() > 0 && settings_.buffer == 0)
      return Loader::fail(d_, "has no \"buffer=\" for \"flush=\" to empty");
    if (target.by_name && (settings_.buffer != 0 || rotates))
      return Loader::fail(d_, "cannot buffer, compress or rotate a log whose name holds variables");
    if (rotates && settings_.encoder)
      return Loader::fail(d_, "cannot both compress and rotate; let logrotate do one of them");
    settings_.background = true;
    target.settings = std::make_shared<const LogFileSettings>(std::move(settings_));
    return {};
  }

 private:
  Loader& loader_;
  const Directive& d_;
  LogFileSettings settings_;
};

/// What stands behind "syslog:", looked at; empty: it is no syslog.
Result<std::string> syslog_words(const Directive& d) {
  constexpr std::string_view kSyslog = "syslog:";
  if (!d.arg(0).starts_with(kSyslog)) return std::string();
  const std::string words(d.arg(0).substr(kSyslog.size()));
  if (auto good = SyslogSettings::parse(words); !good) return Loader::fail(d, good.error().detail);
  return words;
}

Result<void> apply_access_log(Loader& loader, Scope& scope, const Directive& d) {
  auto& logs = scope.own<CoreSettings>().access_logs;
  if (d.arg(0) == "off") {
    if (d.count() > 1)
      return Loader::fail(d, fmt::format("has an invalid parameter \"{}\"", d.arg(1)));
    logs.edit().clear();
    return {};
  }
  AccessLogTarget target;
  target.place = d.place;
  if (auto syslog = syslog_words(d); !syslog) {
    return syslog.error();
  } else if (!syslog->empty()) {
    target.syslog = *std::move(syslog);
  } else {
    target.path = d.arg(0) == "stderr" ? "stderr" : loader.path(d.arg(0));
  }
  if (target.syslog.empty() && d.arg(0).find('$') != std::string_view::npos) {
    auto by_name = conf::Template::compile(target.path, loader.service<VariableTable>());
    if (!by_name) return Loader::fail(d, by_name.error().detail);
    target.by_name = std::move(*by_name);
  }
  AccessLogWords words(loader, d);
  for (std::size_t i = 1; i < d.count(); ++i)
    if (auto taken = words.take(i, target); !taken) return taken;
  if (auto finished = words.finish(target); !finished) return finished;
  logs.edit().push_back(std::move(target));
  return {};
}

Result<void> apply_open_log_file_cache(Loader&, Scope& scope, const Directive& d) {
  auto& field = scope.own<CoreSettings>().open_log_files;
  if (field.is_set()) return Loader::fail(d, "is duplicate");
  OpenLogFileSettings settings;
  for (const auto& argument : d.arguments) {
    const std::string_view word = argument.text;
    const auto number = [&](std::string_view name) -> std::optional<std::uint64_t> {
      return word.starts_with(name) ? parse_unsigned(word.substr(name.size())) : std::nullopt;
    };
    const auto time = [&](std::string_view name) -> std::optional<Duration> {
      return word.starts_with(name) ? parse_duration(word.substr(name.size())) : std::nullopt;
    };
    if (word == "off" && d.count() == 1) continue;
    if (const auto max = number("max="); max && *max > 0 && *max <= 100000) {
      settings.max = *max;
    } else if (const auto uses = number("min_uses="); uses && *uses > 0) {
      settings.min_uses = static_cast<unsigned>(*uses);
    } else if (const auto inactive = time("inactive=")) {
      settings.inactive = *inactive;
    } else if (const auto valid = time("valid=")) {
      settings.valid = *valid;
    } else {
      return Loader::fail_at(argument.place,
                             fmt::format("invalid \"open_log_file_cache\" parameter \"{}\"", word));
    }
  }
  if (d.arg(0) != "off" && settings.max == 0)
    return Loader::fail(d, "must have the \"max\" parameter");
  field.set(settings.max == 0 ? nullptr : std::make_shared<OpenLogFiles>(settings));
  return {};
}

Result<void> apply_error_log(Loader& loader, Scope& scope, const Directive& d) {
  auto target = error_log_target(loader, d);
  if (!target) return target.error();
  scope.own<CoreSettings>().error_logs.edit().push_back(std::move(*target));
  return {};
}

const conf::DirectiveSpec kLogDirectives[] = {
    {.name = "log_format",
     .contexts = conf::only(Context::Http),
     .arity = {2, Arity::kAny},
     .syntax = "log_format name [escape=default|json|none] string ...;",
     .fallback = "combined \"...\"",
     .doc = "Names a form of access log lines.",
     .apply = apply_log_format},
    {.name = "access_log",
     .contexts = conf::kHttpLevels | Context::LocationIf | Context::LimitExcept,
     .arity = {1, 9},
     .syntax = "access_log path|syslog:server=address[,parameter=value] [format] [buffer=size] "
               "[flush=time] [gzip[=level]] "
               "[if=condition] [rotate=size|daily] [keep=number]; access_log off;",
     .fallback = "logs/access.log combined",
     .doc = "Where requests are logged; several are allowed, and one level replaces those around. "
            "The path may hold variables. With `rotate` the file becomes path.1, path.2 and so on, "
            "`keep` (9) of them.",
     .apply = apply_access_log,
     .note =
         "rotate and keep are our own words. Lines are written by a thread, some milliseconds "
         "after the response; buffered ones without flush= within a second. At most 1m (or four "
         "buffers) waits for a slow disk; what is lost is counted and said in the error log. "
         "syslog: takes server=address[:port] or server=unix:path, facility= (local7), severity= "
         "(info), tag= (nginx) and nohostname, by commas; lines of more than 8k are cut, and none "
         "waits for the daemon."},
    {.name = "open_log_file_cache",
     .contexts = conf::kHttpLevels,
     .arity = {1, 4},
     .syntax = "open_log_file_cache max=N [inactive=time] [min_uses=N] [valid=time]; "
               "open_log_file_cache off;",
     .fallback = "off",
     .doc = "How many access logs whose names hold variables stay open.",
     .apply = apply_open_log_file_cache},
    {.name = "error_log",
     .contexts = conf::kHttpLevels | Context::Main,
     .arity = {1, 4},
     .syntax = "error_log file|stderr|syslog:server=address[,parameter=value] [level] "
               "[rotate=size|daily] [keep=number];",
     .fallback = "logs/error.log error",
     .doc = "Where problems are logged, from which level on; several are allowed.",
     .apply = apply_error_log,
     .note = "rotate and keep are our own words, as in access_log; syslog: is as there, and the "
             "severity that of the line. Under systemd, lines on stderr carry their level for the "
             "journal."},
};

}  // namespace

Result<ErrorLogTarget> error_log_target(const Loader& loader, const Directive& d) {
  ErrorLogTarget target;
  target.place = d.place;
  if (d.arg(0).starts_with("memory:"))
    return Loader::fail(
        d, fmt::format("cannot write to \"{}\"; name a file, stderr or syslog:", d.arg(0)));
  auto syslog = syslog_words(d);
  if (!syslog) return syslog.error();
  target.syslog = *std::move(syslog);
  if (target.syslog.empty()) target.path = d.arg(0) == "stderr" ? "stderr" : loader.path(d.arg(0));
  LogFileSettings settings;
  for (std::size_t i = 1; i < d.count(); ++i) {
    auto rotation = take_log_rotation(d.arg(i), settings);
    if (!rotation) return Loader::fail(d, rotation.error().detail);
    if (*rotation) continue;
    constexpr std::string_view kLevels[] = {"emerg", "alert",  "crit", "error",
                                            "warn",  "notice", "info", "debug"};
    auto level = loader.choice(d, i, kLevels);
    if (!level) return level.error();
    target.level = static_cast<LogLevel>(*level);
  }
  const bool rotates = settings.rotate_at != 0 || settings.rotate_daily;
  if (rotates && !target.syslog.empty())
    return Loader::fail(d, "cannot rotate what goes to syslog");
  if (rotates) target.settings = std::make_shared<const LogFileSettings>(std::move(settings));
  return target;
}

Result<std::unique_ptr<Log>> open_error_log(const ErrorLogTarget& target, LogFiles& files,
                                            const Clock& clock) {
  if (!target.syslog.empty()) {
    auto syslog = files.syslog(target.syslog);
    if (!syslog) return syslog.error();
    return std::unique_ptr<Log>(std::make_unique<SyslogErrorLog>(**syslog, target.level, clock));
  }
  auto file = files.get(target.path);
  if (!file) return file.error();
  const bool journal = target.path == "stderr" && stderr_is_journal();
  return std::unique_ptr<Log>(
      std::make_unique<ErrorLog>(**file, target.level, clock, target.settings, journal));
}

Result<bool> take_log_rotation(std::string_view word, LogFileSettings& settings) {
  if (word == "rotate=daily") {
    settings.rotate_daily = true;
    return true;
  }
  if (word.starts_with("rotate=")) {
    const auto size = parse_size(word.substr(7));
    if (!size || *size < 4096)
      return make_error(ErrorKind::Invalid, Origin::Internal,
                        fmt::format("has an invalid \"{}\"; `daily` or a size of at least 4k is "
                                    "needed",
                                    word));
    settings.rotate_at = *size;
    return true;
  }
  if (!word.starts_with("keep=")) return false;
  const auto number = parse_unsigned(word.substr(5));
  if (!number || *number > 999)
    return make_error(ErrorKind::Invalid, Origin::Internal,
                      fmt::format("has an invalid \"{}\"; a number up to 999 is needed", word));
  settings.keep = static_cast<unsigned>(*number);
  return true;
}

std::span<const conf::DirectiveSpec> log_directives() {
  return kLogDirectives;
}

}  // namespace gatescope::http
