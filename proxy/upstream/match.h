#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "conf/regex.h"
#include "proxy/http/header.h"

namespace gatescope::upstream {

/// What an answer to a health check must be: `match`. Every test must pass; without a test of the
/// status it must be 200 to 399. Immutable once loaded.
struct MatchRules {
  struct Header {
    enum class Test { Present, Absent, Equal, NotEqual, Matches, DoesNotMatch };
    std::string name;
    Test test = Test::Present;
    std::string value;                 // Equal, NotEqual
    std::optional<conf::Regex> regex;  // Matches, DoesNotMatch
  };
  struct Body {
    conf::Regex regex;
    bool negated = false;
  };
  std::vector<std::pair<int, int>> statuses;  // first and last; empty: no test
  bool statuses_negated = false;
  std::vector<Header> headers;
  std::vector<Body> bodies;

  /// What does not pass, in words that complete "while checking ..."; nullopt: it passes.
  std::optional<std::string> failing_head(int status, const http::HeaderList& headers) const;
  std::optional<std::string> failing_body(std::string_view body) const;
};

}  // namespace gatescope::upstream
