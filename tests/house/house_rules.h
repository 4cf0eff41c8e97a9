#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace gatescope::house {

struct SourceFile {
  std::string path;  // from the top of the tree: "proxy/net/loop.h"
  std::string text;
};

/// Every C++ file of the tree below `top`, by path. Only the project's folders are entered: not
/// build trees, not node_modules.
std::vector<SourceFile> read_tree(const std::filesystem::path& top);

/// What is wrong, one line each, "path:line: what". Empty: the house is in order.
/// Includes go down the layers of doc/architecture.md or stay inside one; handler libraries do not
/// know each other; tests may include everything and nobody includes tests.
std::vector<std::string> check_layers(const std::vector<SourceFile>& files);
/// A foreign library is included in its own folder only, so that its types do not leave it.
std::vector<std::string> check_foreign_libraries(const std::vector<SourceFile>& files);
/// Length of files, #pragma once, tabs, notes that must not land, tests that would not run.
std::vector<std::string> check_text(const std::vector<SourceFile>& files);

}  // namespace gatescope::house
