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

struct CookieFlags {
  /// The words for flags: each sets an attribute or takes it off.
  static constexpr std::string_view kWords[] = {"secure",        "nosecure",        "httponly",
                                                "nohttponly",    "samesite=strict", "samesite=lax",
                                                "samesite=none", "nosamesite"};
  Pattern name;
  std::vector<conf::Template> flags;  // what is none of the words then does nothing
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
