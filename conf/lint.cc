#include "conf/lint.h"

#include <fmt/format.h>

#include <algorithm>

#include "proxy/base/text.h"

namespace gatescope::conf {

namespace {

void look_into(const std::vector<Directive>& directives, std::vector<const Directive*>& path,
               const std::function<void(Lint::Path)>& look) {
  for (const auto& d : directives) {
    if (!d.has_block) continue;
    path.push_back(&d);
    look(path);
    look_into(d.block, path, look);
    path.pop_back();
  }
}

/// Fields are told apart by their first argument.
bool repeats(const std::vector<const Directive*>& inner, const Directive& outer) {
  return std::ranges::any_of(inner, [&](const auto* d) {
    return d->count() > 0 && outer.count() > 0 && lower(d->arg(0)) == lower(outer.arg(0));
  });
}

std::string below(std::string_view text, const std::string& folder) {
  return text.starts_with('/') ? std::string(text) : folder + std::string(text);
}

}  // namespace

std::string Lint::path(std::string_view text) const {
  return below(text, prefix_);
}

std::string Lint::conf_path(std::string_view text) const {
  return below(text, conf_prefix_);
}

void Lint::each_block(const std::function<void(Path)>& look) const {
  std::vector<const Directive*> path;
  look_into(document_.directives, path, look);
}

void Lint::warn_of_lost(std::string_view name) {
  each_block([&](Path path) {
    const auto inner = find_all_in(*path.back(), name);
    if (inner.empty()) return;
    for (auto around = path.rbegin() + 1; around != path.rend(); ++around) {
      const auto outer = find_all_in(**around, name);
      if (outer.empty()) continue;
      for (const auto* lost : outer) {
        if (repeats(inner, *lost)) continue;
        warn(
            inner.front()->place,
            fmt::format("\"{0}\" here replaces those of the level around it, so \"{0} {1}\" of {2} "
                        "is lost here: write it again in this block",
                        name, lost->count() > 0 ? lost->arg(0) : "", to_string(lost->place)));
        return;  // one of them is enough to look there
      }
      return;  // what stands further out is lost already
    }
  });
}

const Directive* find_in(const Directive& block, std::string_view name) {
  const auto found =
      std::ranges::find_if(block.block, [&](const auto& d) { return d.name == name; });
  return found == block.block.end() ? nullptr : &*found;
}

std::vector<const Directive*> find_all_in(const Directive& block, std::string_view name) {
  std::vector<const Directive*> found;
  for (const auto& d : block.block)
    if (d.name == name) found.push_back(&d);
  return found;
}

bool names_variable(std::string_view text, std::string_view name) {
  for (auto at = text.find('$'); at != std::string_view::npos; at = text.find('$', at + 1)) {
    auto rest = text.substr(at + 1);
    if (rest.starts_with('{')) rest.remove_prefix(1);
    if (!rest.starts_with(name)) continue;
    rest.remove_prefix(name.size());
    if (rest.empty() || !(is_alpha(rest[0]) || is_digit(rest[0]) || rest[0] == '_')) return true;
  }
  return false;
}

}  // namespace gatescope::conf
