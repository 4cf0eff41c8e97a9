#pragma once

// proxy_cookie_domain, proxy_cookie_path, proxy_cookie_flags.

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "conf/regex.h"
#include "conf/template.h"
#include "proxy/http/exchange.h"

namespace gatescope::upstream {

/// What a value must look like: a text with variables, or an expression.
struct Pattern {
  conf::Template text;
  std::shared_ptr<const conf::Regex> regex;  // shared by the levels that inherit it; null: `text`
};

struct CookieRewrite {
  Pattern from;
  conf::Template to;
};

/// Each attribute is left as it is, set or taken off.
struct CookieFlags {
  Pattern name;
  enum class Change : std::uint8_t { Keep, Set, Remove };
  enum class SameSite : std::uint8_t { Keep, Strict, Lax, None, Remove };
  Change secure = Change::Keep, http_only = Change::Keep;
  SameSite same_site = SameSite::Keep;
};

/// The first rule that fits is used; empty: nothing is changed.
struct CookieRules {
  const std::vector<CookieRewrite>& domains;  // compared without a dot in front and without case
  const std::vector<CookieRewrite>& paths;    // prefixes
  const std::vector<CookieFlags>& flags;      // by the cookie's name
  bool empty() const { return domains.empty() && paths.empty() && flags.empty(); }
};

/// A Set-Cookie value by these rules, in the exchange's arena; nullopt: unchanged. What is not
/// touched keeps its bytes but for blanks around the semicolons.
std::optional<std::string_view> rewrite_set_cookie(http::Exchange& exchange,
                                                   const CookieRules& rules,
                                                   std::string_view value);

/// `regex` against `subject`, and the template with its groups as $1...; nullopt: no match. The
/// request's own captures are as before.
std::optional<std::string_view> replace_by(http::Exchange& exchange, const conf::Regex& regex,
                                           std::string_view subject, const conf::Template& to);

}  // namespace gatescope::upstream
