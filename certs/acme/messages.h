#pragma once

// What an authority says, as structs. Everything in it is a stranger's: what is not as RFC 8555 has
// it is an error or left out, never believed.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/clock.h"
#include "proxy/base/result.h"

namespace gatescope::acme {

struct Directory {
  std::string new_nonce, new_account, new_order;
  std::string renewal_info;  // RFC 9773; empty: not offered
  std::string terms;         // of service; empty: none
  bool external_account_required = false;
  std::vector<std::string> profiles;
};
Result<Directory> parse_directory(std::string_view json);

/// RFC 7807 as RFC 8555 6.7 uses it.
struct Problem {
  std::string type;    // without "urn:ietf:params:acme:error:"
  std::string detail;  // with those of subproblems behind it
};
/// Also of what is no JSON: then both are empty.
Problem parse_problem(std::string_view json);

struct OrderAnswer {
  std::string status;  // pending, ready, processing, valid, invalid
  std::vector<std::string> authorizations;
  std::string finalize, certificate;
  Problem error;
};
Result<OrderAnswer> parse_order(std::string_view json);

struct ChallengeAnswer {
  std::string type, url, token, status;
  Problem error;
};
struct Authorization {
  std::string status;  // pending, valid, invalid, deactivated, expired, revoked
  std::string name;    // of the identifier
  std::vector<ChallengeAnswer> challenges;
  Problem first_error() const;
};
/// A token that has other letters than base64url is an error: it becomes part of a path.
Result<Authorization> parse_authorization(std::string_view json);

/// RFC 9773 4.2: when this certificate should be replaced.
struct RenewalWindow {
  WallTime start{}, end{};
  std::string explanation;  // a URL, for the log; empty: none
  bool operator==(const RenewalWindow&) const = default;
};
Result<RenewalWindow> parse_renewal_window(std::string_view json);

/// Seconds or a date (RFC 9110 10.2.3); nullopt when it is neither.
std::optional<Duration> parse_retry_after(std::string_view text, WallTime now);
/// RFC 3339, any offset.
std::optional<WallTime> parse_time(std::string_view text);

}  // namespace gatescope::acme
