#include "certs/acme/messages.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <ctime>
#include <nlohmann/json.hpp>

#include "proxy/base/text.h"

namespace gatescope::acme {
namespace {

using nlohmann::json;

constexpr std::string_view kErrors = "urn:ietf:params:acme:error:";

Error strange(std::string_view what) {
  return make_error(ErrorKind::Protocol, Origin::Upstream,
                    fmt::format("the authority's answer is no {}", what));
}

json parse(std::string_view text) {
  return json::parse(text, nullptr, false);
}

std::string text_of(const json& object, const char* name) {
  const auto found = object.is_object() ? object.find(name) : object.end();
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

const json& member(const json& object, const char* name) {
  static const json kNone;
  const auto found = object.is_object() ? object.find(name) : object.end();
  return found == object.end() ? kNone : *found;
}

bool is_url(std::string_view text) {
  return text.starts_with("https://") || text.starts_with("http://");
}

/// Texts of strangers go to the log in one line and not without end.
std::string tame(std::string text) {
  constexpr std::size_t kMost = 500;
  if (text.size() > kMost) text = text.substr(0, kMost) + "...";
  return text;
}

Problem problem_of(const json& object) {
  Problem problem;
  problem.type = text_of(object, "type");
  if (problem.type.starts_with(kErrors)) problem.type.erase(0, kErrors.size());
  problem.detail = text_of(object, "detail");
  const auto& subproblems = member(object, "subproblems");
  if (subproblems.is_array())
    for (const auto& sub : subproblems)
      problem.detail += fmt::format("; {}: {}", text_of(member(sub, "identifier"), "value"),
                                    text_of(sub, "detail"));
  problem.type = tame(std::move(problem.type));
  problem.detail = tame(std::move(problem.detail));
  return problem;
}

bool is_token(std::string_view text) {
  return !text.empty() && text.size() <= 256 && std::ranges::all_of(text, [](char c) {
    return is_alpha(c) || is_digit(c) || c == '-' || c == '_';
  });
}

}  // namespace

Result<Directory> parse_directory(std::string_view text) {
  const auto object = parse(text);
  Directory directory;
  directory.new_nonce = text_of(object, "newNonce");
  directory.new_account = text_of(object, "newAccount");
  directory.new_order = text_of(object, "newOrder");
  directory.renewal_info = text_of(object, "renewalInfo");
  if (!is_url(directory.new_nonce) || !is_url(directory.new_account) ||
      !is_url(directory.new_order))
    return strange("directory of RFC 8555, is the uri of acme_issuer right?");
  if (!is_url(directory.renewal_info)) directory.renewal_info.clear();
  const auto& meta = member(object, "meta");
  directory.terms = text_of(meta, "termsOfService");
  const auto& required = member(meta, "externalAccountRequired");
  directory.external_account_required = required.is_boolean() && required.get<bool>();
  const auto& profiles = member(meta, "profiles");
  if (profiles.is_object())
    for (const auto& profile : profiles.items())
      directory.profiles.push_back(profile.key());
  return directory;
}

Problem parse_problem(std::string_view text) {
  return problem_of(parse(text));
}

Result<OrderAnswer> parse_order(std::string_view text) {
  const auto object = parse(text);
  OrderAnswer order;
  order.status = text_of(object, "status");
  order.finalize = text_of(object, "finalize");
  order.certificate = text_of(object, "certificate");
  order.error = problem_of(member(object, "error"));
  const auto& list = member(object, "authorizations");
  if (list.is_array())
    for (const auto& url : list)
      if (url.is_string()) order.authorizations.push_back(url.get<std::string>());
  if (order.status.empty() || !is_url(order.finalize)) return strange("order");
  return order;
}

Problem Authorization::first_error() const {
  for (const auto& challenge : challenges)
    if (!challenge.error.type.empty() || !challenge.error.detail.empty()) return challenge.error;
  return {};
}

Result<Authorization> parse_authorization(std::string_view text) {
  const auto object = parse(text);
  Authorization authorization;
  authorization.status = text_of(object, "status");
  authorization.name = text_of(member(object, "identifier"), "value");
  const auto& list = member(object, "challenges");
  if (list.is_array())
    for (const auto& entry : list) {
      ChallengeAnswer challenge{.type = text_of(entry, "type"),
                                .url = text_of(entry, "url"),
                                .token = text_of(entry, "token"),
                                .status = text_of(entry, "status"),
                                .error = problem_of(member(entry, "error"))};
      if (is_url(challenge.url) && (challenge.token.empty() || is_token(challenge.token)))
        authorization.challenges.push_back(std::move(challenge));
    }
  if (authorization.status.empty() || authorization.name.empty()) return strange("authorization");
  return authorization;
}

Result<RenewalWindow> parse_renewal_window(std::string_view text) {
  const auto object = parse(text);
  const auto& window = member(object, "suggestedWindow");
  const auto start = parse_time(text_of(window, "start"));
  const auto end = parse_time(text_of(window, "end"));
  if (!start || !end || *end < *start) return strange("renewal information");
  return RenewalWindow{*start, *end, tame(text_of(object, "explanationURL"))};
}

std::optional<Duration> parse_retry_after(std::string_view text, WallTime now) {
  if (const auto seconds = parse_unsigned(text)) {
    constexpr std::uint64_t kMost = 365u * 24 * 3600;
    return std::chrono::seconds(std::min(*seconds, kMost));
  }
  const auto date = parse_http_date(text);
  if (!date) return std::nullopt;
  const WallTime when{std::chrono::seconds(*date)};
  return std::max(Duration(0), std::chrono::duration_cast<Duration>(when - now));
}

std::optional<WallTime> parse_time(std::string_view text) {
  const std::string copy(text);
  std::tm parts{};
  const char* rest = ::strptime(copy.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (rest == nullptr) return std::nullopt;
  if (*rest == '.') do
      ++rest;
    while (is_digit(*rest));
  int offset = 0;  // minutes
  if (*rest != 'Z' && *rest != 'z') {
    const std::string_view zone(rest);
    if (zone.size() != 6 || (zone[0] != '+' && zone[0] != '-') || zone[3] != ':')
      return std::nullopt;
    const auto hours = parse_unsigned(zone.substr(1, 2)), minutes = parse_unsigned(zone.substr(4));
    if (!hours || !minutes) return std::nullopt;
    offset = static_cast<int>(*hours * 60 + *minutes) * (zone[0] == '-' ? -1 : 1);
  } else if (rest[1] != '\0') {
    return std::nullopt;
  }
  return WallTime(std::chrono::seconds(::timegm(&parts)) - std::chrono::minutes(offset));
}

}  // namespace gatescope::acme
