#include "proxy/http/routing_builder.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <map>

#include "certs/tls_directives.h"
#include "proxy/base/error_log.h"
#include "proxy/http/access_directives.h"
#include "proxy/http/content_filters.h"
#include "proxy/http/real_ip.h"
#include "proxy/http/rewrite.h"

namespace gatescope::http {

namespace {

class Builder {
 public:
  Builder(const conf::Scope& http, const RoutingParts& parts) : http_(http), parts_(parts) {}

  Result<std::unique_ptr<RoutingTable>> build() {
    if (auto r = compile_formats(); !r) return r.error();
    for (const auto& child : http_.children()) {
      if (child->context() != conf::Context::Server) continue;
      if (auto r = add_server(*child); !r) return r.error();
    }
    for (const auto& address : table_->addresses)
      if (auto r = check_certificates(*address); !r) return r.error();
    return std::move(table_);
  }

 private:
  static Error at(const conf::Scope& scope, const Error& error) {
    return conf::at_place(error, scope.opened_by()->place);
  }

  /// An address with `ssl` can shake hands for each server, or refuses to for each that could not.
  Result<void> check_certificates(const ListenAddress& address) const {
    if (!address.tls) return {};
    const auto lacks = [&](const VirtualServer& server) {
      return conf::Loader::fail_at(
          server.scope->opened_by()->place,
          fmt::format("no \"ssl_certificate\" is defined for the \"listen {} ssl\" directive",
                      address.written));
    };
    const auto& first = address.names.default_server();
    if (!first.tls) return lacks(first);
    const auto context = first.tls->get();
    if (!context->rejects_handshake() || !context->expiry().empty()) return {};
    // Only where the default refuses must the others have certificates of their own, as in nginx.
    for (const auto* server : address.servers)
      if (!server->tls) return lacks(*server);
    return {};
  }

  Result<void> add_tls(VirtualServer& server, const conf::Scope& scope) {
    auto settings = tls::to_settings(scope.get<tls::TlsDirectives>());
    if (!settings) return settings.error();
    server.client_check = settings->verify_client;
    if (settings->pairs.empty() && !settings->reject_handshake) return {};
    settings->place = scope.opened_by()->place;
    if (server.http2) settings->alpn = {"h2", "http/1.1"};
    auto served = parts_.certificates.open(*settings);
    if (!served) return served.error();
    server.tls = std::move(*served);
    return {};
  }

  Result<void> compile_formats() {
    auto combined = LogFormat::compile(kCombinedFormat, LogEscape::Default, parts_.variables);
    if (!combined) return combined.error();
    formats_["combined"] = std::make_shared<const LogFormat>(std::move(*combined));
    for (const auto& format : http_.get<HttpSettings>().formats) {
      auto compiled = LogFormat::compile(format.text, format.escape, parts_.variables);
      if (!compiled) return conf::Loader::fail_at(format.place, compiled.error().detail);
      formats_[format.name] = std::make_shared<const LogFormat>(std::move(*compiled));
    }
    return {};
  }

  Result<void> add_server(const conf::Scope& scope) {
    auto server = std::make_unique<VirtualServer>();
    const auto& settings = scope.get<ServerSettings>();
    const auto& core = scope.get<CoreSettings>();
    server->scope = &scope;
    server->session = session_settings(core);
    server->http2 = settings.http2.get();
    if (!settings.names.empty()) {
      server->name = settings.names.front().text;
      if (server->name.starts_with(".")) server->name.erase(0, 1);
      if (server->name == "$hostname") server->name = host_name();
    }
    if (auto r = add_tls(*server, scope); !r) return r;
    for (auto* part : parts_.parts)
      if (auto step = part->first_step(scope)) server->rewrite.push_back(std::move(step));
    if (auto step = make_real_ip_step(scope)) server->rewrite.push_back(std::move(step));
    if (auto step = make_rewrite_step(scope, {})) server->rewrite.push_back(std::move(step));
    if (auto r = fill(server->root, scope, server.get()); !r) return r;
    server->root.rewrite.clear();  // the server's own ran in its phase
    if (auto r = add_addresses(*server, settings); !r) return r;
    table_->servers.push_back(std::move(server));
    return {};
  }

  static std::string host_name() {
    char name[256] = "";
    ::gethostname(name, sizeof name - 1);
    return lower(name);
  }

  static SessionSettings session_settings(const CoreSettings& core) {
    SessionSettings s;
    s.header_timeout = core.client_header_timeout.get();
    s.keepalive_timeout = core.keepalive_timeout.get();
    s.header_buffer = core.client_header_buffer_size.get();
    s.large_buffers = core.large_client_header_buffers->first;
    s.large_buffer = core.large_client_header_buffers->second;
    s.max_headers = core.max_headers.get();
    s.lenient_line_endings = core.lenient_line_endings.get();
    s.ignore_invalid_headers = core.ignore_invalid_headers.get();
    s.underscores_in_headers = core.underscores_in_headers.get();
    s.http2_streams = static_cast<std::uint32_t>(core.http2_streams.get());
    s.http2_preread = core.http2_preread.get();
    return s;
  }

  Result<void> add_addresses(VirtualServer& server, const ServerSettings& settings) {
    std::vector<ListenSpec> listens = settings.listens;
    if (listens.empty()) {
      ListenSpec usual;
      usual.endpoint = *net::Endpoint::ip("0.0.0.0", ::geteuid() == 0 ? 80 : 8000);
      usual.written = ::geteuid() == 0 ? "*:80" : "*:8000";
      usual.place = server.scope->opened_by()->place;
      listens.push_back(std::move(usual));
    }
    for (const auto& spec : listens) {
      auto& address = address_of(spec);
      const bool fresh = address.written.empty();
      if (fresh) {
        address.endpoint = spec.endpoint;
        address.written = spec.written;
        address.names.set_default(server);
        address.names.set_proofs(parts_.proofs);
      }
      address.servers.push_back(&server);
      if (spec.options_given) address.options = spec.options;
      address.tls = address.tls || spec.tls;
      address.proxy_protocol = address.proxy_protocol || spec.proxy_protocol;
      address.http2 = address.http2 || spec.http2;
      if (address.http2) address.names.offer_http2();
      if (spec.default_server) {
        if (auto [it, first] = explicit_default_.emplace(&address, spec.place); !first)
          return conf::Loader::fail_at(
              spec.place, fmt::format("a duplicate default server for {}, the first is at {}",
                                      spec.written, conf::to_string(it->second)));
        address.names.set_default(server);
      }
      if (auto r = add_names(address, server, settings); !r) return r;
    }
    return {};
  }

  ListenAddress& address_of(const ListenSpec& spec) {
    for (const auto& address : table_->addresses)
      if (address->endpoint == spec.endpoint) return *address;
    table_->addresses.push_back(std::make_unique<ListenAddress>());
    return *table_->addresses.back();
  }

  Result<void> add_names(ListenAddress& address, VirtualServer& server,
                         const ServerSettings& settings) {
    if (settings.names.empty()) {
      if (!address.names.add("", server))
        warn_conflict(server.scope->opened_by()->place, "", address);
      return {};
    }
    for (const auto& argument : settings.names) {
      std::string name = argument.text;
      if (name.starts_with('~')) {
        auto regex = conf::Regex::compile(name.substr(1), true);
        if (!regex) return conf::Loader::fail_at(argument.place, regex.error().detail);
        for (const auto& [capture, group] : regex->names()) {
          auto id = parts_.variables.define(capture);
          if (!id) return conf::Loader::fail_at(argument.place, id.error().detail);
          server.regex_names.emplace_back(*id, group);
        }
        address.names.add_regex(std::move(*regex), server);
        continue;
      }
      if (name == "$hostname") name = host_name();
      name = lower(name);
      const auto star = name.find('*');
      const bool good =
          star == std::string::npos ||
          (star == 0 && name.starts_with("*.") && name.find('*', 1) == std::string::npos) ||
          (star == name.size() - 1 && name.ends_with(".*"));
      if (!good || name.find('/') != std::string::npos)
        return conf::Loader::fail_at(
            argument.place,
            fmt::format("server name \"{}\" is invalid: a wildcard stands for whole "
                        "labels at one end (*.example.org, www.example.*)",
                        argument.text));
      if (!address.names.add(name, server)) warn_conflict(argument.place, name, address);
    }
    return {};
  }

  void warn_conflict(const conf::Place& place, std::string_view name,
                     const ListenAddress& address) {
    parts_.warnings.push_back({place, fmt::format("conflicting server name \"{}\" on {}, ignored",
                                                  name, address.written)});
  }

  /// Everything of one location (or of the server's root): handler, steps, filters, logs, nested
  /// locations.
  Result<void> fill(Location& location, const conf::Scope& scope, VirtualServer* server) {
    location.scope = &scope;
    location.core = &scope.get<CoreSettings>();
    location.policy = location.core->exchange_policy();
    if (auto added = add_content_filters(scope, location); !added) return at(scope, added.error());
    if (scope.context() != conf::Context::Server)
      if (auto step = make_real_ip_step(scope)) location.access.push_back(std::move(step));
    for (auto* part : parts_.parts)
      if (auto r = part->contribute(scope, location, parts_.variables); !r)
        return at(scope, r.error());
    std::stable_sort(location.filters.begin(), location.filters.end(),
                     [](const auto& a, const auto& b) { return a->stage() < b->stage(); });
    if (!location.around) {
      auto* maker =
          location.core->handler_maker ? location.core->handler_maker : &parts_.default_maker;
      auto handler = maker->make(scope);
      if (!handler) return at(scope, handler.error());
      location.handler = std::move(*handler);
    }
    if (const auto* answering = location.answering()) location.answering_kind = answering->kind();
    if (auto r = open_logs(location, scope); !r) return r;
    for (const auto& child : scope.children()) {
      if (child->context() == conf::Context::Location) {
        if (auto r = add_location(location, *child, server); !r) return r;
      } else if (child->context() == conf::Context::LocationIf) {
        if (auto r = add_if(location, *child, server); !r) return r;
      } else if (child->context() == conf::Context::LimitExcept) {
        auto limited = inner_settings(location, *child, server);
        if (!limited) return limited.error();
        location.open_methods = limit_except_methods(*child->opened_by());
        location.limited = std::move(*limited);
      }
    }
    if (scope.context() == conf::Context::Location)
      if (auto step = make_rewrite_step(scope, location.ifs))
        location.rewrite.push_back(std::move(step));
    return {};
  }

  Result<void> add_if(Location& around, const conf::Scope& scope, VirtualServer* server) {
    auto made = inner_settings(around, scope, server);
    if (!made) return made.error();
    around.ifs.push_back(std::move(*made));
    return {};
  }

  /// The settings that count instead of `around`'s in an `if` or limit_except. Files are looked for
  /// anew (root may stand inside); any other handler is the location's, unless one stands inside.
  Result<std::unique_ptr<Location>> inner_settings(Location& around, const conf::Scope& scope,
                                                   VirtualServer* server) {
    auto made = std::make_unique<Location>();
    made->kind = around.kind;
    made->pattern = around.pattern;
    if (!scope.get<CoreSettings>().handler_maker && around.core->handler_maker)
      made->around = around.handler.get();
    if (auto r = fill(*made, scope, server); !r) return r.error();
    return made;
  }

  Result<void> add_location(Location& parent, const conf::Scope& scope, VirtualServer* server) {
    auto location = std::make_unique<Location>();
    const auto pattern = location_pattern(*scope.opened_by());
    using Match = LocationPattern::Match;
    location->pattern = pattern->text;
    auto* list = &parent.prefixes;
    switch (pattern->match) {
      case Match::Exact:
        location->kind = Location::Kind::Exact;
        list = &parent.exact;
        break;
      case Match::Prefix:
        location->kind = Location::Kind::Prefix;
        break;
      case Match::PrefixNoRegex:
        location->kind = Location::Kind::PrefixNoRegex;
        break;
      case Match::Named:
        location->kind = Location::Kind::Named;
        break;
      case Match::Regex:
      case Match::RegexNoCase: {
        location->kind = Location::Kind::Regex;
        list = &parent.regexes;
        auto regex = conf::Regex::compile(pattern->text, pattern->match == Match::RegexNoCase);
        if (!regex) return at(scope, regex.error());
        for (const auto& [name, group] : regex->names()) {
          auto id = parts_.variables.define(name);
          if (!id) return at(scope, id.error());
          location->regex_names.emplace_back(*id, group);
        }
        location->regex = std::make_unique<conf::Regex>(std::move(*regex));
        break;
      }
    }
    if (auto r = fill(*location, scope, server); !r) return r;
    if (location->kind == Location::Kind::Named) {
      const auto name = location->pattern;
      if (!server->named.emplace(name, std::move(location)).second) return duplicate(scope, name);
      return {};
    }
    if (list != &parent.regexes)
      for (const auto& other : *list)
        if (other->pattern == location->pattern) return duplicate(scope, location->pattern);
    list->push_back(std::move(location));
    return {};
  }

  /// The default log has no line of its own.
  static Error at(const conf::Place& place, const conf::Scope& scope, const Error& error) {
    return conf::at_place(error, place.line > 0 ? place : scope.opened_by()->place);
  }

  static Error duplicate(const conf::Scope& scope, const std::string& name) {
    return conf::Loader::fail_at(scope.opened_by()->place,
                                 fmt::format("duplicate location \"{}\"", name));
  }

  Result<void> open_logs(Location& location, const conf::Scope& scope) {
    const auto& core = *location.core;
    std::vector<AccessLogTarget> targets = core.access_logs.get();
    if (!core.access_logs.is_set() && !default_access_log.empty())
      targets.push_back({.path = default_access_log});
    for (const auto& target : targets) {
      const auto format = formats_.find(target.format);
      if (format == formats_.end())
        return at(target.place, scope,
                  make_error(ErrorKind::Invalid, Origin::Internal,
                             fmt::format("unknown log format \"{}\"", target.format)));
      if (target.by_name) {
        auto open_files = core.open_log_files.get();
        if (!open_files) open_files = std::make_shared<OpenLogFiles>(OpenLogFileSettings());
        location.access_logs.push_back(
            std::make_shared<AccessLog>(format->second, *target.by_name, std::move(open_files),
                                        parts_.log_files, target.condition));
        continue;
      }
      if (!target.syslog.empty()) {
        auto syslog = parts_.log_files.syslog(target.syslog);
        if (!syslog) return at(target.place, scope, syslog.error());
        location.access_logs.push_back(
            std::make_shared<AccessLog>(format->second, **syslog, target.condition));
        continue;
      }
      auto file = parts_.log_files.get(target.path);
      if (!file) return at(target.place, scope, file.error());
      const auto settings = target.settings ? target.settings : unbuffered_;
      location.access_logs.push_back(
          std::make_shared<AccessLog>(format->second, **file, settings, target.condition));
    }
    for (const auto& target : core.error_logs.get()) {
      auto log = open_error_log(target, parts_.log_files, parts_.clock);
      if (!log) return at(target.place, scope, log.error());
      location.error_logs.push_back(*std::move(log));
    }
    return {};
  }

 public:
  std::string default_access_log;

 private:
  const conf::Scope& http_;
  const RoutingParts& parts_;
  std::unique_ptr<RoutingTable> table_ = std::make_unique<RoutingTable>();
  std::map<std::string, std::shared_ptr<const LogFormat>, std::less<>> formats_;
  std::map<const ListenAddress*, conf::Place> explicit_default_;
  const SharedLogSettings unbuffered_ =
      std::make_shared<const LogFileSettings>(LogFileSettings{.background = true});
};

}  // namespace

Result<std::unique_ptr<RoutingTable>> build_routing(const conf::Scope& main,
                                                    const RoutingParts& parts) {
  for (const auto& child : main.children()) {
    if (child->context() != conf::Context::Http) continue;
    Builder builder(*child, parts);
    builder.default_access_log = parts.default_access_log;
    return builder.build();
  }
  return std::make_unique<RoutingTable>();  // no http block: nothing is served, as in nginx
}

}  // namespace gatescope::http
