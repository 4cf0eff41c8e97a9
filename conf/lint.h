#pragma once

// What the check (-t) says of a configuration that loads: what is allowed, and rarely meant. Each
// module brings its rules beside its table of directives (Schema::add_lint).

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "conf/schema.h"
#include "proxy/base/clock.h"

namespace gatescope::conf {

/// What a rule may look at: the configuration as written, which has been loaded without an error,
/// and the files that it names.
class Lint {
 public:
  Lint(const Document& document, std::string prefix, std::string conf_prefix, WallTime now)
      : document_(document),
        prefix_(std::move(prefix)),
        conf_prefix_(std::move(conf_prefix)),
        now_(now) {}
  const Document& document() const { return document_; }
  WallTime now() const { return now_; }
  /// As Loader's: relative to the prefix (-p), or to the folder of the main file.
  std::string path(std::string_view text) const;
  std::string conf_path(std::string_view text) const;
  /// A sentence with its mend.
  void warn(const Place& place, std::string text) { warnings_.push_back({place, std::move(text)}); }
  /// In the order of rules.
  const std::vector<Warning>& warnings() const { return warnings_; }

  /// A block and those around it, outermost first. Empty: the main level.
  using Path = std::span<const Directive* const>;
  /// Each block of the configuration, outer ones before those in them.
  void each_block(const std::function<void(Path)>& look) const;
  /// `name` in this block and in one around it, where the inner ones take the place of all outer
  /// ones: nginx's best known trap. Not said where the inner block repeats the others.
  void warn_of_lost(std::string_view name);

 private:
  const Document& document_;
  const std::string prefix_, conf_prefix_;
  const WallTime now_;
  std::vector<Warning> warnings_;
};

/// The first `name` that stands in the block itself; null: none.
const Directive* find_in(const Directive& block, std::string_view name);
std::vector<const Directive*> find_all_in(const Directive& block, std::string_view name);
/// Whether the text holds that variable, as $name or ${name}.
bool names_variable(std::string_view text, std::string_view name);

}  // namespace gatescope::conf
