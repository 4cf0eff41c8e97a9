#include "proxy/upstream/set_cookie.h"

#include <string>

#include "proxy/base/text.h"

namespace gatescope::upstream {

namespace {

struct Attribute {
  std::string_view name, value;
  bool has_value = false;
};

std::vector<Attribute> attributes_of(std::string_view value) {
  std::vector<Attribute> found;
  for (const auto part : split(value, ';')) {
    const auto text = trim(part);
    if (text.empty() && !found.empty()) continue;
    const auto equals = text.find('=');
    if (equals == std::string_view::npos) {
      found.push_back({text, {}, false});
    } else {
      found.push_back({trim(text.substr(0, equals)), trim(text.substr(equals + 1)), true});
    }
  }
  return found;
}

std::string_view without_dot(std::string_view domain) {
  if (domain.starts_with('.')) domain.remove_prefix(1);
  return domain;
}

std::optional<std::string_view> new_domain(http::Exchange& x, const CookieRules& rules,
                                           std::string_view domain) {
  for (const auto& rule : rules.domains) {
    if (rule.from.regex) {
      if (auto changed = replace_by(x, *rule.from.regex, without_dot(domain), rule.to))
        return changed;
      continue;
    }
    const auto wanted = without_dot(rule.from.text.evaluate(x, x.arena()));
    if (!equals_ignoring_case(without_dot(domain), wanted)) continue;
    // As nginx: only the name behind the cookie's own dot is replaced.
    const auto to = rule.to.evaluate(x, x.arena());
    return domain.starts_with('.') ? x.arena().join({".", without_dot(to)})
                                   : x.arena().copy(without_dot(to));
  }
  return std::nullopt;
}

std::optional<std::string_view> new_path(http::Exchange& x, const CookieRules& rules,
                                         std::string_view path) {
  for (const auto& rule : rules.paths) {
    if (rule.from.regex) {
      if (auto changed = replace_by(x, *rule.from.regex, path, rule.to)) return changed;
      continue;
    }
    const auto from = rule.from.text.evaluate(x, x.arena());
    if (!path.starts_with(from)) continue;
    return x.arena().join({rule.to.evaluate(x, x.arena()), path.substr(from.size())});
  }
  return std::nullopt;
}

const CookieFlags* flags_for(http::Exchange& x, const CookieRules& rules, std::string_view name) {
  for (const auto& rule : rules.flags) {
    const bool fits = rule.name.regex
                          ? rule.name.regex->match(name)
                          : equals_ignoring_case(rule.name.text.evaluate(x, x.arena()), name);
    if (fits) return &rule;
  }
  return nullptr;
}

/// Brings one attribute into the wanted state; true when something changed.
bool set_attribute(std::vector<Attribute>& all, std::string_view name,
                   std::optional<std::string_view> value, bool wanted) {
  std::size_t at = 1;  // behind the cookie itself
  while (at < all.size() && !equals_ignoring_case(all[at].name, name))
    ++at;
  const bool there = at < all.size();
  if (!wanted) {
    if (there) all.erase(all.begin() + static_cast<std::ptrdiff_t>(at));
    return there;
  }
  const Attribute set{name, value.value_or(""), value.has_value()};
  if (!there) {
    all.push_back(set);
    return true;
  }
  if (all[at].value == set.value) return false;
  all[at] = set;
  return true;
}

/// One of CookieFlags::kWords; true when something changed.
bool apply_flag(std::string_view word, std::vector<Attribute>& all) {
  if (equals_ignoring_case(word, "secure")) return set_attribute(all, "Secure", {}, true);
  if (equals_ignoring_case(word, "nosecure")) return set_attribute(all, "Secure", {}, false);
  if (equals_ignoring_case(word, "httponly")) return set_attribute(all, "HttpOnly", {}, true);
  if (equals_ignoring_case(word, "nohttponly")) return set_attribute(all, "HttpOnly", {}, false);
  if (equals_ignoring_case(word, "nosamesite")) return set_attribute(all, "SameSite", {}, false);
  for (const std::string_view value : {"Strict", "Lax", "None"})
    if (word.size() > 9 && equals_ignoring_case(word.substr(0, 9), "samesite=") &&
        equals_ignoring_case(word.substr(9), value))
      return set_attribute(all, "SameSite", value, true);
  return false;
}

bool apply_flags(http::Exchange& x, const CookieFlags& flags, std::vector<Attribute>& all) {
  bool changed = false;
  for (const auto& flag : flags.flags)
    changed |= apply_flag(flag.evaluate(x, x.arena()), all);
  return changed;
}

}  // namespace

std::optional<std::string_view> replace_by(http::Exchange& exchange, const conf::Regex& regex,
                                           std::string_view subject, const conf::Template& to) {
  conf::Captures captures;
  if (!regex.match(subject, &captures)) return std::nullopt;
  // $1 in the replacement means this expression's groups, nobody else's
  auto saved = exchange.captures();
  const auto saved_subject = exchange.captures_subject();
  exchange.set_captures(std::move(captures), subject);
  const auto changed = exchange.arena().copy(to.evaluate(exchange, exchange.arena()));
  exchange.set_captures(std::move(saved), saved_subject);
  return changed;
}

std::optional<std::string_view> rewrite_set_cookie(http::Exchange& exchange,
                                                   const CookieRules& rules,
                                                   std::string_view value) {
  if (rules.empty()) return std::nullopt;
  auto all = attributes_of(value);
  bool changed = false;
  for (std::size_t i = 1; i < all.size(); ++i) {
    auto& attribute = all[i];
    if (!attribute.has_value) continue;
    std::optional<std::string_view> replaced;
    if (equals_ignoring_case(attribute.name, "Domain")) {
      replaced = new_domain(exchange, rules, attribute.value);
    } else if (equals_ignoring_case(attribute.name, "Path")) {
      replaced = new_path(exchange, rules, attribute.value);
    }
    if (!replaced) continue;
    attribute.value = *replaced;
    changed = true;
  }
  if (const auto* flags = flags_for(exchange, rules, all[0].name))
    changed = apply_flags(exchange, *flags, all) || changed;
  if (!changed) return std::nullopt;
  std::string joined;
  for (const auto& attribute : all) {
    if (!joined.empty()) joined += "; ";
    joined += attribute.name;
    if (attribute.has_value) (joined += '=') += attribute.value;
  }
  return exchange.arena().copy(joined);
}

}  // namespace gatescope::upstream
