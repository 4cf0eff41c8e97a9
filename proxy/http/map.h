#pragma once

// map: a variable whose value is looked up by the value of another text.

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "conf/regex.h"
#include "conf/schema.h"
#include "conf/template.h"
#include "proxy/base/text_map.h"
#include "proxy/http/variables.h"

namespace gatescope::http {

/// What is looked for in a map: texts without case, names of hosts with wildcards, expressions in
/// the order of writing, the default. Filled while the configuration loads, then only read.
class MapTable {
 public:
  struct Expression {
    conf::Regex regex;
    std::vector<std::pair<conf::VariableId, unsigned>> names;  // (?<name>): variable and group
    conf::Template value;
  };
  /// The key as written: "x", "~regex", "~*regex", "\\default"; with `hostnames` also "*.x", ".x",
  /// "x.*". An error says what is wrong with it.
  Result<void> add(std::string_view key, conf::Template value, VariableTable& variables);
  Result<void> set_default(conf::Template value);
  void use_hostnames() { hostnames_ = true; }

  struct Found {
    const conf::Template* value = nullptr;   // null: nothing fits and there is no default
    const Expression* expression = nullptr;  // it matched, with `captures`
    conf::Captures captures;
  };
  Found find(std::string_view text) const;

 private:
  using Texts = TextMap<conf::Template>;
  const conf::Template* find_text(std::string_view lower_text) const;

  bool hostnames_ = false;
  Texts exact_, leading_, trailing_;  // leading: ".x", trailing: "x."
  std::vector<Expression> expressions_;
  std::unique_ptr<conf::Template> default_;
};

std::span<const conf::DirectiveSpec> map_directives();

}  // namespace gatescope::http
