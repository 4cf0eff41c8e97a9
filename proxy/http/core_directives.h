#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "conf/schema.h"
#include "proxy/http/access_log.h"
#include "proxy/http/core_settings.h"
#include "proxy/net/loop.h"

namespace gatescope::http {

/// What a listen directive said, before addresses are gathered.
struct ListenSpec {
  net::Endpoint endpoint;
  net::ListenOptions options;
  bool tls = false, http2 = false, default_server = false, proxy_protocol = false;
  bool options_given = false;  // backlog, reuseport ...: allowed once per address
  std::string written;
  conf::Place place;
};

/// Of one server block.
struct ServerSettings final : conf::Settings {
  std::vector<ListenSpec> listens;    // empty: *:80 (or *:8000 for an ordinary user), as nginx
  std::vector<conf::Argument> names;  // server_name; empty: ""
  conf::Inherited<bool> http2{false};
  void inherit(const Settings& outer) override { http2.inherit(as<ServerSettings>(outer).http2); }
};

/// Of a location block itself: kind and pattern.
struct LocationPattern {
  enum class Match {
    Exact,
    Prefix,
    PrefixNoRegex,
    Regex,
    RegexNoCase,
    Named
  } match = Match::Prefix;
  std::string text;
};
/// From the arguments of `location`: "= /x", "=/x", "~ re", "@name" ...
Result<LocationPattern> location_pattern(const conf::Directive& directive);

/// Of the http block: named log formats.
struct HttpSettings final : conf::Settings {
  struct Format {
    std::string name, text;
    LogEscape escape = LogEscape::Default;
    conf::Place place;
  };
  std::vector<Format> formats;
  void inherit(const Settings&) override {}
};

/// http, server, location and the settings of http's core: the tables of this library.
void add_core_directives(conf::Schema& schema);
std::span<const conf::DirectiveSpec> connection_directives();  // keepalive_*, lingering_* ...
std::span<const conf::DirectiveSpec> http2_directives();       // http2, http2_*
std::span<const conf::DirectiveSpec> body_directives();        // client_*body*
std::span<const conf::DirectiveSpec> log_directives();         // log_format, access_log, error_log
std::span<const conf::DirectiveSpec> accepted_directives();    // without effect here
/// error_log's arguments, for the main level too: path (absolute, "stderr") and level.
Result<ErrorLogTarget> error_log_target(const conf::Loader& loader,
                                        const conf::Directive& directive);
/// The file or the syslog daemon that it names. From any thread.
Result<std::unique_ptr<Log>> open_error_log(const ErrorLogTarget& target, LogFiles& files,
                                            const Clock& clock);
/// The arguments of a ..._temp_path directive.
Result<TempPath> temp_path(const conf::Loader& loader, const conf::Directive& directive);
/// The argument of a ..._limit_rate or similar directive: a size, or variables that make one.
Result<conf::Template> rate_template(conf::Loader& loader, const conf::Directive& directive);
/// One word of access_log or error_log: rotate=size|daily, keep=number. False: it is neither. An
/// error completes `"access_log" directive ...`.
Result<bool> take_log_rotation(std::string_view word, LogFileSettings& settings);

}  // namespace gatescope::http
