#include "proxy/http/access_directives.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "conf/setters.h"
#include "proxy/http/access.h"
#include "proxy/http/variables.h"

namespace gatescope::http {

namespace {

using conf::Context;
using conf::Directive;
using conf::Loader;
using conf::Scope;

constexpr std::string_view kMethods[] = {"GET",       "HEAD", "POST",   "PUT",     "DELETE",
                                         "MKCOL",     "COPY", "MOVE",   "OPTIONS", "PROPFIND",
                                         "PROPPATCH", "LOCK", "UNLOCK", "PATCH"};

template <bool Allows>
Result<void> apply_rule(Loader& loader, Scope& scope, const Directive& d) {
  AccessRule rule{.allows = Allows};
  const auto whom = d.arg(0);
  if (whom == "all") {
    rule.whom = AccessRule::Whom::All;
  } else if (whom == "unix:") {
    rule.whom = AccessRule::Whom::Unix;
  } else {
    auto network = IpNetwork::parse(whom);
    if (!network)
      return Loader::fail(d, fmt::format("{}; or `all`, or `unix:`", network.error().detail));
    if (network->had_host_bits)
      loader.warn(d.place, fmt::format("low address bits of {} are meaningless", whom));
    rule.whom = AccessRule::Whom::Network;
    rule.network = *network;
  }
  scope.own<AccessSettings>().rules.edit().push_back(std::move(rule));
  return {};
}

Result<void> apply_satisfy(Loader& loader, Scope& scope, const Directive& d) {
  constexpr std::string_view kWords[] = {"all", "any"};
  auto word = loader.choice(d, 0, kWords);
  if (!word) return word.error();
  return loader.set_once(scope.own<AccessSettings>().satisfy_any, *word == 1, d);
}

Result<void> apply_auth_basic(Loader& loader, Scope& scope, const Directive& d) {
  auto realm = conf::Template::compile(d.arg(0), loader.service<VariableTable>());
  if (!realm) return Loader::fail(d, realm.error().detail);
  return loader.set_once(scope.own<AccessSettings>().realm, std::move(*realm), d);
}

Result<void> apply_user_file(Loader& loader, Scope& scope, const Directive& d) {
  const bool varies = d.arg(0).find('$') != std::string_view::npos;
  auto path = conf::Template::compile(varies ? std::string(d.arg(0)) : loader.conf_path(d.arg(0)),
                                      loader.service<VariableTable>());
  if (!path) return Loader::fail(d, path.error().detail);
  return loader.set_once(scope.own<AccessSettings>().user_file,
                         {std::move(*path), loader.conf_prefix()}, d);
}

Result<void> apply_limit_except(Loader& loader, Scope& scope, const Directive& d) {
  for (const auto& child : scope.children())
    if (child->context() == Context::LimitExcept) return Loader::fail(d, "is duplicate");
  for (const auto& argument : d.arguments)
    if (std::find(std::begin(kMethods), std::end(kMethods), argument.text) == std::end(kMethods))
      return Loader::fail_at(argument.place, fmt::format("invalid method \"{}\"; {} are known",
                                                         argument.text, fmt::join(kMethods, ", ")));
  auto inner = loader.load_block(d, scope, Context::LimitExcept);
  return inner ? Result<void>() : inner.error();
}

constexpr conf::Contexts kWhere = conf::kHttpLevels | Context::LimitExcept;

const conf::DirectiveSpec kAccessDirectives[] = {
    {.name = "allow",
     .contexts = kWhere,
     .arity = {1, 1},
     .syntax = "allow address | network | unix: | all;",
     .doc =
         "Lets in whom the rules of this level so far do not refuse: the first of allow and deny "
         "that fits counts. A level's rules replace those around.",
     .apply = apply_rule<true>},
    {.name = "deny",
     .contexts = kWhere,
     .arity = {1, 1},
     .syntax = "deny address | network | unix: | all;",
     .doc = "Refuses (403) whom the rules of this level so far do not let in.",
     .apply = apply_rule<false>},
    {.name = "satisfy",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "satisfy all | any;",
     .fallback = "all",
     .doc = "Whether both the address and the password must be right, or one of them.",
     .apply = apply_satisfy},
    {.name = "auth_basic",
     .contexts = kWhere,
     .arity = {1, 1},
     .syntax = "auth_basic realm | off;",
     .fallback = "off",
     .doc = "Asks for a name and a password (401).",
     .apply = apply_auth_basic},
    {.name = "auth_basic_user_file",
     .contexts = kWhere,
     .arity = {1, 1},
     .syntax = "auth_basic_user_file file;",
     .doc = "Names and passwords as htpasswd writes them: {PLAIN}, {SHA}, {SSHA}, $apr1$ and what "
            "crypt(3) knows. Relative to the configuration's folder. Changes are seen within a "
            "second, if the worker may read the file; one that only root may read is read with the "
            "configuration.",
     .apply = apply_user_file,
     .note = "At most 4m. Slow hashes are computed by a thread, at most 64 wait; then 503."},
    {.name = "auth_delay",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "auth_delay time;",
     .fallback = "0s",
     .doc = "How long a 401 is held back, so that guessing is slow.",
     .apply = conf::set_duration<&AccessSettings::delay>},
    {.name = "limit_except",
     .contexts = conf::only(Context::Location),
     .arity = {1, conf::Arity::kAny, true},
     .syntax = "limit_except method ... { ... }",
     .doc = "Settings for all methods but these; GET stands for HEAD too.",
     .apply = apply_limit_except},
};

}  // namespace

std::vector<std::string> limit_except_methods(const Directive& d) {
  std::vector<std::string> methods;
  for (const auto& argument : d.arguments) {
    methods.push_back(argument.text);
    if (argument.text == "GET") methods.emplace_back("HEAD");
  }
  return methods;
}

void add_access_directives(conf::Schema& schema) {
  schema.add(kAccessDirectives);
  schema.add_settings<AccessSettings>();
}

}  // namespace gatescope::http
