#include "static/files_lint.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <string>

namespace gatescope::files {

namespace {

using conf::Directive;
using conf::find_all_in;
using conf::Lint;

void look_at_roots(Lint& lint) {
  lint.each_block([&](Lint::Path path) {
    for (const char* name : {"root", "alias"})
      for (const auto* d : find_all_in(*path.back(), name)) {
        if (d->arg(0).find('$') != std::string_view::npos) continue;
        std::error_code failed;
        const auto folder = lint.path(d->arg(0));
        if (std::filesystem::exists(folder, failed) || failed.value() == EACCES) continue;
        lint.warn(d->place,
                  fmt::format("\"{}\" does not exist, so every file in it is 404: make it, "
                              "or name the folder that is meant",
                              folder));
      }
  });
}

bool has_type(const Directive& types, std::string_view extension) {
  return std::ranges::any_of(types.block, [&](const auto& line) {
    return line.name == "include" ||
           std::ranges::any_of(line.arguments, [&](const auto& a) { return a.text == extension; });
  });
}

/// A `types` block takes the place of the whole built-in table.
void look_at_types(Lint& lint) {
  lint.each_block([&](Lint::Path path) {
    const auto& types = *path.back();
    if (types.name != "types" || types.block.empty()) return;
    std::string missing;
    for (const char* extension : {"js", "mjs", "wasm"})
      if (!has_type(types, extension))
        missing += fmt::format("{}.{}", missing.empty() ? "" : ", ", extension);
    // One or two lines are for a folder of downloads, not for a site
    if (missing.empty() || !has_type(types, "html")) return;
    lint.warn(
        types.place,
        fmt::format("this table has no type for {}: a browser does not run what comes without "
                    "its type; \"text/javascript js mjs; application/wasm wasm;\", or no table "
                    "at all, since the built-in one has them",
                    missing));
  });
}

}  // namespace

void lint_files(conf::Lint& lint) {
  look_at_roots(lint);
  look_at_types(lint);
}

}  // namespace gatescope::files
