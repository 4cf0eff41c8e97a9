#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "proxy/base/arena.h"
#include "proxy/http/message.h"

namespace gatescope::api {

/// What is searched for.
struct SearchTerm {
  std::string text;              // decoded once
  std::string_view bad_because;  // not empty: 400 with this text
};

/// The term of a search; nullopt: the request is none. It is taken from the target as sent: the
/// path has lost `//`, `.` and what tells `%2F` from `/`. Where the path was rewritten meanwhile
/// that counts. `endpoint`: "/api/search_oeis".
std::optional<SearchTerm> search_term(const http::Request& request, std::string_view endpoint,
                                      Arena& arena);

/// Longest term, in characters: nobody searches for more, and every server on the way knows a
/// longest target.
inline constexpr std::size_t kLongestTerm = 200;

}  // namespace gatescope::api
