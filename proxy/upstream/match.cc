#include "proxy/upstream/match.h"

#include <fmt/format.h>

#include <algorithm>

#include "proxy/base/text.h"

namespace gatescope::upstream {

namespace {

bool holds(const MatchRules::Header& rule, const http::HeaderList& headers) {
  using Test = MatchRules::Header::Test;
  bool present = false, fits = false;
  for (const auto& field : headers) {
    if (!equals_ignoring_case(field.name, rule.name)) continue;
    present = true;
    fits = fits || (rule.regex ? rule.regex->match(field.value) : field.value == rule.value);
  }
  switch (rule.test) {
    case Test::Present:
      return present;
    case Test::Absent:
      return !present;
    case Test::Equal:
    case Test::Matches:
      return fits;
    case Test::NotEqual:
    case Test::DoesNotMatch:
      return !fits;
  }
  return false;
}

}  // namespace

std::optional<std::string> MatchRules::failing_head(int status,
                                                    const http::HeaderList& received) const {
  const auto in = [&](const std::pair<int, int>& range) {
    return status >= range.first && status <= range.second;
  };
  const bool listed = std::any_of(statuses.begin(), statuses.end(), in);
  if (statuses.empty() ? !in({200, 399}) : listed == statuses_negated)
    return fmt::format("status code {}", status);
  for (const auto& rule : headers)
    if (!holds(rule, received)) return fmt::format("header \"{}\"", rule.name);
  return std::nullopt;
}

std::optional<std::string> MatchRules::failing_body(std::string_view body) const {
  for (const auto& rule : bodies) {
    // A regular expression that gave up says nothing good about the server.
    const auto verdict = rule.regex.try_match(body);
    const auto wanted = rule.negated ? conf::Regex::Verdict::NoMatch : conf::Regex::Verdict::Match;
    if (verdict != wanted) return "response body";
  }
  return std::nullopt;
}

}  // namespace gatescope::upstream
