#include "proxy/generation.h"

#include <fmt/format.h>

#include "certs/certificate_lint.h"
#include "certs/tls_directives.h"
#include "proxy/http/access_directives.h"
#include "proxy/http/core_directives.h"
#include "proxy/http/core_variables.h"
#include "proxy/http/http_lint.h"
#include "proxy/http/limits.h"
#include "proxy/http/real_ip.h"
#include "proxy/http/rewrite.h"
#include "proxy/http/routing_builder.h"
#include "proxy/upstream/upstream_lint.h"
#include "static/files_lint.h"

namespace gatescope::server {

namespace {

/// A location that ends in a slash and proxies: the path without it is redirected (nginx's
/// auto_redirect).
class UpstreamPart final : public http::LocationPart {
 public:
  explicit UpstreamPart(upstream::UpstreamModule& upstream) : upstream_(upstream) {}
  Result<void> contribute(const conf::Scope&, http::Location& location,
                          http::VariableTable&) override {
    location.auto_redirect = location.core->handler_maker == &upstream_ &&
                             location.pattern.ends_with('/') &&
                             (location.kind == http::Location::Kind::Prefix ||
                              location.kind == http::Location::Kind::PrefixNoRegex);
    return {};
  }

 private:
  upstream::UpstreamModule& upstream_;
};

/// Where "$name" or "${name}" is written first.
const conf::Argument* find_use(const std::vector<conf::Directive>& directives,
                               const std::string& name) {
  for (const auto& d : directives) {
    for (const auto& argument : d.arguments)
      for (const auto& form : {"$" + name, "${" + name + "}"}) {
        const auto at = argument.text.find(form);
        if (at == std::string::npos) continue;
        const auto end = at + form.size();
        const bool whole = form.back() == '}' || end == argument.text.size() ||
                           !(is_alpha(argument.text[end]) || is_digit(argument.text[end]) ||
                             argument.text[end] == '_');
        if (whole) return &argument;
      }
    if (const auto* inner = find_use(d.block, name)) return inner;
  }
  return nullptr;
}

Result<void> open_error_logs(Generation& generation, const LaunchOptions& options,
                             Survivors& survivors) {
  auto targets = generation.configuration.main->get<http::CoreSettings>().error_logs.get();
  if (targets.empty())
    targets.push_back({.path = options.error_log.empty() ? options.prefix + "logs/error.log"
                                                         : options.error_log});
  for (const auto& target : targets) {
    auto log = http::open_error_log(target, survivors.log_files, survivors.clock);
    if (!log)
      return target.place.line > 0 ? conf::at_place(log.error(), target.place) : log.error();
    generation.error_log->add(*std::move(log));
  }
  return {};
}

}  // namespace

namespace {

/// What a full disk or a failed `>` leaves behind. nginx wants an "events" block; here it may be
/// left out, but nothing at all is not what anybody meant.
Result<void> refuse_nothing(const conf::Document& document, const std::string& path) {
  for (const auto& directive : document.directives)
    if (directive.name == "http" || directive.name == "events") return {};
  return conf::Loader::fail_at({.file = path, .line = 1, .column = 1},
                               "there is neither \"events\" nor \"http\", was the file cut off?");
}

}  // namespace

void add_all_directives(conf::Schema& schema, Survivors& survivors) {
  add_main_directives(schema);
  http::add_core_directives(schema);
  http::add_rewrite_directives(schema);
  http::add_limit_directives(schema);
  http::add_access_directives(schema);
  http::add_real_ip_directives(schema);
  tls::add_tls_directives(schema);
  survivors.files.add_directives(schema);
  survivors.upstream.add_directives(schema);
  survivors.api.add_directives(schema);
  survivors.acme.add_directives(schema);
  survivors.ops.add_directives(schema);
  schema.add_lint(http::lint_http);
  schema.add_lint(tls::lint_certificates);
  schema.add_lint(files::lint_files);
  schema.add_lint(upstream::lint_upstream);
}

Result<std::shared_ptr<Generation>> read_generation(const LaunchOptions& options,
                                                    std::uint64_t number, conf::FileReader& reader,
                                                    Survivors& survivors) {
  auto generation = std::make_shared<Generation>();
  generation->number = number;
  survivors.upstream.begin_load();
  conf::Schema schema;
  add_all_directives(schema, survivors);
  const auto folder = options.conf_path.substr(0, options.conf_path.rfind('/') + 1);
  conf::ParseOptions parse;
  parse.conf_prefix = folder;
  parse.extra = options.extra;
  auto document = conf::parse_file(options.conf_path, parse, reader);
  if (!document) return document.error();
  generation->configuration.document = std::move(*document);
  generation->variables.add(http::core_variables());
  generation->variables.add(http::tls_variables());
  generation->variables.add(http::proxied_variables());
  generation->variables.add(survivors.upstream.variables());

  auto main = std::make_unique<conf::Scope>(nullptr, conf::Context::Main, nullptr);
  conf::Loader loader(schema, options.prefix, folder);
  loader.provide(generation->variables);
  loader.provide(survivors.files);
  loader.provide(survivors.upstream);
  loader.provide(survivors.api);
  loader.provide(survivors.ops);
  if (auto loaded = loader.load(generation->configuration.document->directives, *main); !loaded)
    return loaded.error();
  if (auto some = refuse_nothing(*generation->configuration.document, options.conf_path); !some)
    return some.error();
  auto& core = main->own<http::CoreSettings>();
  if (!core.root.is_set()) core.root.set(conf::Template::literal(options.prefix + "html"));
  if (!core.client_body_temp_path.is_set())
    core.client_body_temp_path.set({.folder = options.prefix + "client_body_temp", .levels = {}});
  if (auto& path = main->own<upstream::ProxySettings>().temp_path; !path.is_set())
    path.set({.folder = options.prefix + "proxy_temp", .levels = {}});
  schema.resolve(*main);
  generation->configuration.main = std::move(main);
  generation->configuration.warnings = loader.warnings();
  const acme::StatePlace state{
      .state_dir = generation->configuration.main->get<api::NumberscopeSettings>().state_dir.get(),
      .prefix = options.prefix};
  if (auto resolved = survivors.acme.resolve(*generation->configuration.main, state,
                                             generation->configuration.warnings);
      !resolved)
    return resolved.error();
  return generation;
}

Result<std::shared_ptr<Generation>> load_generation(const LaunchOptions& options,
                                                    std::uint64_t number, conf::FileReader& reader,
                                                    Survivors& survivors) {
  auto read = read_generation(options, number, reader, survivors);
  if (!read) return read;
  auto generation = *std::move(read);
  if (auto opened = open_error_logs(*generation, options, survivors); !opened)
    return opened.error();
  if (auto opened = survivors.api.prepare(*generation->configuration.main); !opened)
    return opened.error();

  http::LimitsPart limits(survivors.limits);
  http::AccessPart access(survivors.passwords, survivors.secrets);
  UpstreamPart upstream_part(survivors.upstream);
  http::RoutingParts parts{.variables = generation->variables,
                           .log_files = survivors.log_files,
                           .clock = survivors.clock,
                           .secrets = survivors.secrets,
                           .certificates = survivors.certificates,
                           .proofs = &survivors.acme.proofs(),
                           .default_maker = survivors.files,
                           .default_access_log = options.prefix + "logs/access.log",
                           .parts = {&limits, &access, &survivors.files, &survivors.api,
                                     &survivors.acme, &survivors.ops, &upstream_part},
                           .warnings = generation->configuration.warnings};
  auto routing = http::build_routing(*generation->configuration.main, parts);
  if (!routing) return routing.error();
  if (const auto unknown = generation->variables.first_unknown()) {
    const auto* use = find_use(generation->configuration.document->directives, unknown->name);
    if (use) return conf::Loader::fail_at(use->place, unknown->message);
    return make_error(ErrorKind::Invalid, Origin::Internal, unknown->message);
  }
  generation->routing = std::move(*routing);
  if (generation->routing->addresses.empty())
    for (const auto& file : generation->configuration.document->files)
      if (file.path == options.conf_path)
        generation->configuration.warnings.push_back({{.file = file.path, .line = 1, .column = 1},
                                                      "nothing listens: no \"server\" block came"});
  return generation;
}

}  // namespace gatescope::server
