#pragma once

// The rewrite module: return, rewrite, set, break, and `if` with its safe contents.

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "conf/regex.h"
#include "conf/schema.h"
#include "conf/template.h"
#include "proxy/http/steps.h"

namespace gatescope::http {

struct Location;

/// `if (...)`: a variable's truth, a comparison, a match, a test of a file.
struct Condition {
  enum class Kind {
    Truth,
    Equals,
    Differs,
    Matches,
    MatchesNot,
    File,
    NoFile,
    Directory,
    NoDirectory,
    Exists,
    ExistsNot,
    Executable,
    ExecutableNot
  };
  Kind kind = Kind::Truth;
  conf::Template left;
  conf::Template right;
  std::shared_ptr<const conf::Regex> regex;
  std::vector<std::pair<conf::VariableId, unsigned>> names;  // of the regex
};

/// One level's directives in the order of writing. Not inherited: nginx runs server's first, then
/// the location's.
struct RewriteSettings final : conf::Settings {
  struct Return {
    int status = 0;
    std::optional<conf::Template> text;
  };
  struct Set {
    conf::VariableId variable;
    conf::Template value;
  };
  struct Rewrite {
    std::shared_ptr<const conf::Regex> regex;
    conf::Template path;                 // of the replacement, before its first '?'
    std::optional<conf::Template> args;  // behind it; none: no '?' was written
    bool keep_args = true;               // false: a final '?' said to drop the request's own
    bool redirects = false;              // a flag says so, or the replacement is a URL
    enum class Flag { None, Last, Break, Redirect, Permanent } flag = Flag::None;
    std::vector<std::pair<conf::VariableId, unsigned>> names;
  };
  struct Break {};
  struct If {
    Condition condition;
    const conf::Scope* scope;
  };
  using Op = std::variant<Return, Set, Rewrite, Break, If>;
  std::vector<Op> ops;
  void inherit(const Settings&) override {}
};

void add_rewrite_directives(conf::Schema& schema);

/// The ops as one step of the rewrite phase; null when there are none. `scope` lives as long as the
/// generation; `ifs` are the settings of the `if` blocks in a location, which count once their
/// condition holds (empty for a server's ops).
std::unique_ptr<RequestStep> make_rewrite_step(const conf::Scope& scope,
                                               std::span<const std::unique_ptr<Location>> ifs = {});

}  // namespace gatescope::http
