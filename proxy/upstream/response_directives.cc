// Directives about what becomes of an upstream's answer.

#include <fmt/format.h>

#include "conf/setters.h"
#include "proxy/upstream/accel.h"
#include "proxy/upstream/proxy_settings.h"
#include "proxy/upstream/upstream_directives.h"

namespace gatescope::upstream {

namespace {

using conf::Directive;
using conf::Loader;
using conf::Scope;

template <conf::Inherited<std::vector<std::string>> ProxySettings::*Field>
Result<void> apply_names(Loader&, Scope& scope, const Directive& d) {
  (scope.own<ProxySettings>().*Field).edit().emplace_back(d.arg(0));
  return {};
}

/// "~expression", "~*expression" (without case; always so with `no_case`), or a text.
Result<Pattern> pattern_of(Loader& loader, const Directive& d, std::size_t i, bool no_case) {
  Pattern pattern;
  const auto word = d.arg(i);
  if (!word.starts_with('~')) {
    auto text = template_of(loader, d, i);
    if (!text) return text.error();
    pattern.text = std::move(*text);
    return pattern;
  }
  const bool starred = word.starts_with("~*");
  auto regex = conf::Regex::compile(word.substr(starred ? 2 : 1), starred || no_case);
  if (!regex) return Loader::fail_at(d.arguments[i].place, regex.error().detail);
  pattern.regex = std::make_shared<const conf::Regex>(std::move(*regex));
  return pattern;
}

/// proxy_cookie_domain, proxy_cookie_path: "off", or what and by what.
template <conf::Inherited<std::vector<CookieRewrite>> ProxySettings::*Field, bool NoCase>
Result<void> apply_cookie_rewrite(Loader& loader, Scope& scope, const Directive& d) {
  auto& field = scope.own<ProxySettings>().*Field;
  if (d.count() == 1) {
    if (d.arg(0) != "off")
      return Loader::fail(d,
                          fmt::format("invalid number of arguments in \"{}\" directive", d.name));
    field.edit();  // set, and empty
    return {};
  }
  auto from = pattern_of(loader, d, 0, NoCase);
  if (!from) return from.error();
  auto to = template_of(loader, d, 1);
  if (!to) return to.error();
  field.edit().push_back({std::move(*from), std::move(*to)});
  return {};
}

Result<void> apply_cookie_flags(Loader& loader, Scope& scope, const Directive& d) {
  auto& field = scope.own<ProxySettings>().cookie_flags;
  if (d.count() == 1 && d.arg(0) == "off") {
    field.edit();
    return {};
  }
  CookieFlags flags;
  auto name = pattern_of(loader, d, 0, true);
  if (!name) return name.error();
  flags.name = std::move(*name);
  for (std::size_t i = 1; i < d.count(); ++i) {
    auto flag = template_of(loader, d, i);
    if (!flag) return flag.error();
    if (flag->is_literal())
      if (const auto word = loader.choice(d, i, CookieFlags::kWords); !word) return word.error();
    flags.flags.push_back(std::move(*flag));
  }
  field.edit().push_back(std::move(flags));
  return {};
}

Result<void> apply_ignore_headers(Loader& loader, Scope& scope, const Directive& d) {
  unsigned bits = 0;
  for (std::size_t i = 0; i < d.count(); ++i) {
    const auto name = loader.choice(d, i, IgnoredFields::kNames);
    if (!name) return name.error();
    bits |= 1u << *name;
  }
  return loader.set_once(scope.own<ProxySettings>().ignored, bits, d);
}

Result<void> apply_redirect(Loader& loader, Scope& scope, const Directive& d) {
  auto& settings = scope.own<ProxySettings>();
  auto& redirects = settings.redirects.edit();
  if (d.count() == 1) {
    constexpr std::string_view kWords[] = {"off", "default"};
    auto word = loader.choice(d, 0, kWords);
    if (!word) return word.error();
    if (*word == 0) {
      redirects.off = true;
      return {};
    }
    if (settings.pass && !settings.pass->url)
      return Loader::fail(
          d,
          "\"proxy_redirect default\" cannot be used with \"proxy_pass\" directive with variables");
    Redirect rule;
    rule.is_default = true;
    redirects.rules.push_back(std::move(rule));
    return {};
  }
  Redirect rule;
  auto from = pattern_of(loader, d, 0, false);
  if (!from) return from.error();
  rule.from = std::move(*from);
  auto to = template_of(loader, d, 1);
  if (!to) return to.error();
  rule.to = std::move(*to);
  redirects.rules.push_back(std::move(rule));
  return {};
}

const conf::DirectiveSpec kResponseDirectives[] = {
    {.name = "proxy_pass_trailers",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "proxy_pass_trailers on | off;",
     .fallback = "off",
     .doc = "Whether the upstream's trailers are passed on.",
     .apply = conf::set_flag<&ProxySettings::pass_trailers>},
    {.name = "proxy_hide_header",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "proxy_hide_header field;",
     .doc = "A field of the response that the client does not get, besides Date, Server, X-Pad and "
            "X-Accel-*.",
     .apply = apply_names<&ProxySettings::hide_headers>},
    {.name = "proxy_pass_header",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "proxy_pass_header field;",
     .doc = "A field of the response that the client gets although it is hidden otherwise.",
     .apply = apply_names<&ProxySettings::pass_headers>},
    {.name = "proxy_redirect",
     .contexts = conf::kHttpLevels,
     .arity = {1, 2},
     .syntax = "proxy_redirect default; proxy_redirect off; proxy_redirect redirect replacement;",
     .fallback = "default",
     .doc = "Changes the Location and Refresh of responses: a prefix or a regular expression and "
            "what replaces it.",
     .apply = apply_redirect},
    {.name = "proxy_cookie_domain",
     .contexts = conf::kHttpLevels,
     .arity = {1, 2},
     .syntax = "proxy_cookie_domain off; proxy_cookie_domain domain replacement;",
     .fallback = "off",
     .doc =
         "Changes the Domain of cookies that the upstream sets: a name, a dot before it aside, or "
         "a regular expression; the first that fits.",
     .apply = apply_cookie_rewrite<&ProxySettings::cookie_domains, true>},
    {.name = "proxy_cookie_path",
     .contexts = conf::kHttpLevels,
     .arity = {1, 2},
     .syntax = "proxy_cookie_path off; proxy_cookie_path path replacement;",
     .fallback = "off",
     .doc = "Changes the Path of cookies that the upstream sets: a prefix or a regular expression.",
     .apply = apply_cookie_rewrite<&ProxySettings::cookie_paths, false>},
    {.name = "proxy_cookie_flags",
     .contexts = conf::kHttpLevels,
     .arity = {1, 4},
     .syntax = "proxy_cookie_flags off; proxy_cookie_flags cookie [flag ...];",
     .fallback = "off",
     .doc =
         "Sets or removes flags of cookies: secure, httponly, samesite=strict, samesite=lax, "
         "samesite=none, nosecure, nohttponly, nosamesite, or variables that make one of them. The "
         "cookie is a name or a regular expression.",
     .apply = apply_cookie_flags},
    {.name = "proxy_ignore_headers",
     .contexts = conf::kHttpLevels,
     .arity = {1, conf::Arity::kAny},
     .syntax = "proxy_ignore_headers field ...;",
     .doc = "Fields of the response that do nothing here: X-Accel-Redirect, X-Accel-Limit-Rate, "
            "X-Accel-Buffering, X-Accel-Charset; those that concern a cache are accepted.",
     .apply = apply_ignore_headers},
    {.name = "proxy_intercept_errors",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "proxy_intercept_errors on | off;",
     .fallback = "off",
     .doc = "Whether error_page answers for responses of 300 and above.",
     .apply = conf::set_flag<&ProxySettings::intercept_errors>},
};

}  // namespace

void add_response_directives(conf::Schema& schema) {
  schema.add(kResponseDirectives);
}

}  // namespace gatescope::upstream
