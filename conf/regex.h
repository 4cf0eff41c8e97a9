#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/base/result.h"

namespace gatescope::conf {

/// Where groups matched: [begin, end) offsets into the subject; begin == npos: the group took no
/// part.
struct Captures {
  static constexpr std::size_t npos = static_cast<std::size_t>(-1);
  std::vector<std::pair<std::size_t, std::size_t>> groups;  // [0] is the whole match
  std::string_view group(std::string_view subject, std::size_t i) const {
    if (i >= groups.size() || groups[i].first == npos) return {};
    return subject.substr(groups[i].first, groups[i].second - groups[i].first);
  }
};

/// A PCRE2 expression, as in nginx (`~`, `~*`, server_name ~, map). Compiled (and JIT-compiled
/// where the system allows) once; matching is thread-safe and bounded (match limit), so that no
/// request can hang a loop.
class Regex {
 public:
  static Result<Regex> compile(std::string_view pattern, bool ignore_case);
  Regex(Regex&&) noexcept;
  Regex& operator=(Regex&&) noexcept;
  ~Regex();
  bool match(std::string_view subject, Captures* captures = nullptr) const {
    return try_match(subject, captures) == Verdict::Match;
  }
  /// GaveUp: a limit was passed, nobody knows. Who guards something with the answer must refuse
  /// then (nginx: 500).
  enum class Verdict { Match, NoMatch, GaveUp };
  Verdict try_match(std::string_view subject, Captures* captures = nullptr) const;
  const std::string& pattern() const;
  /// (?<name>...) groups: name and number.
  const std::vector<std::pair<std::string, unsigned>>& names() const;

 private:
  struct Impl;
  explicit Regex(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace gatescope::conf
