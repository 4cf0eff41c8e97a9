#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/arena.h"
#include "proxy/base/result.h"

namespace gatescope::conf {

/// A variable's number in the table of whoever knows variables (http::VariableTable).
using VariableId = std::uint32_t;

/// Knows which names exist; asked while the configuration loads.
class VariableNames {
 public:
  virtual ~VariableNames() = default;
  /// An error says `unknown "foo" variable` and the nearest known name.
  virtual Result<VariableId> find(std::string_view name) = 0;
};

/// Knows values; asked while a request runs. Views live in the request's arena or longer.
class VariableValues {
 public:
  virtual ~VariableValues() = default;
  /// nullopt: the variable has no value ("not found"); most users treat it as empty.
  virtual std::optional<std::string_view> value(VariableId id) = 0;
};

/// A text with variables, "$scheme://${host}/x", compiled once. Immutable; any number of readers.
class Template {
 public:
  Template() = default;
  /// `$name`, `${name}`, `$1`..`$9`; a `$` before anything else is an error unless
  /// `lone_dollar_ok`.
  static Result<Template> compile(std::string_view text, VariableNames& names,
                                  bool lone_dollar_ok = false);
  static Template literal(std::string text);

  bool is_literal() const { return pieces_.empty(); }
  const std::string& text() const { return text_; }  // as written; the value when is_literal()
  bool empty() const { return text_.empty(); }
  /// The value, in `arena` (or in this template when literal).
  std::string_view evaluate(VariableValues& values, Arena& arena) const;
  void append_to(std::string& out, VariableValues& values) const;
  /// The variables in it, for lint.
  std::vector<VariableId> variables() const;

 private:
  struct Piece {
    std::string literal;  // stands before the variable
    std::optional<VariableId> variable;
  };
  std::string text_;
  std::vector<Piece> pieces_;  // empty: a literal
};

}  // namespace gatescope::conf
