#pragma once

// What the directives of content_directives.cc say at one level: fields that are added to answers,
// conditions, ranges.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "conf/schema.h"
#include "conf/template.h"
#include "proxy/http/conditional.h"
#include "proxy/http/expires.h"

namespace gatescope::http {

struct AddedField {
  std::string name;
  conf::Template value;
  bool always = false;
};

/// `add_header_inherit on | off | merge`: what a level takes from the one around.
enum class FieldInheritance {
  Standard,  // all of it, or none when the level has fields of its own
  Off,
  Merge,  // those around first, its own behind them
};

struct AddedFields {
  conf::Inherited<std::vector<AddedField>> fields;
  conf::Inherited<FieldInheritance> mode{FieldInheritance::Standard};
  void inherit(const AddedFields& outer);
};

struct ExpiresSettings {
  Expires rule;
  bool modified = false;
  std::optional<conf::Template> variable;  // instead of the rule: read anew for each answer
};

struct ContentSettings final : conf::Settings {
  AddedFields headers, trailers;
  conf::Inherited<ExpiresSettings> expires;
  conf::Inherited<IfModifiedSince> if_modified_since{IfModifiedSince::Exact};
  conf::Inherited<std::uint64_t> max_ranges{~std::uint64_t{0}};
  void inherit(const Settings& outer) override;
};

std::span<const conf::DirectiveSpec> content_directives();

}  // namespace gatescope::http
