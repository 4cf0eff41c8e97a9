#include "proxy/commands/site_roots.h"

#include <fmt/format.h>

#include <algorithm>

#include "proxy/base/text.h"

namespace gatescope::commands {

namespace {

/// What a level hands on to those inside.
struct Around {
  std::string root, base = "/";
  std::vector<std::string> names;
};

bool is_application(const conf::Directive& block) {
  return std::ranges::any_of(block.block, [](const conf::Directive& d) {
    if (d.name == "spa_fallback") return true;
    if (d.name != "try_files") return false;
    return std::ranges::any_of(d.arguments, [](const conf::Argument& argument) {
      return argument.text.ends_with("/index.html") || argument.text == "index.html";
    });
  });
}

std::string folder_text(std::string_view text, const std::string& prefix) {
  std::string path = text.starts_with('/') ? std::string(text) : prefix + std::string(text);
  while (path.size() > 1 && path.ends_with('/'))
    path.pop_back();
  return path;
}

class RootFinder {
 public:
  explicit RootFinder(const std::string& prefix) : prefix_(prefix) {}

  void look_into(const conf::Directive& block, Around around) {
    bool own = false;
    for (const auto& d : block.block) {
      if (d.count() == 0) continue;
      if (d.name == "root" || d.name == "alias") {
        around.root = folder_text(d.arg(0), prefix_);
        around.base = "/";
        if (d.name == "alias" && block.count() > 0) {
          around.base = block.arg(block.count() - 1);
          if (!around.base.ends_with('/')) around.base += '/';
        }
        own = true;
      }
      if (d.name == "server_name") {
        around.names.clear();
        for (const auto& argument : d.arguments)
          around.names.push_back(lower(argument.text));
      }
    }
    const bool application = is_application(block);
    if (block.name != "http" && (own || application) && !around.root.empty() &&
        around.root.find('$') == std::string::npos)
      found.push_back({around.names, around.root, around.base,
                       fmt::format("{}:{}", block.place.file, block.place.line), application});
    for (const auto& d : block.block)
      if (d.has_block && (d.name == "server" || d.name == "location")) look_into(d, around);
  }

  std::vector<SiteRoot> found;

 private:
  const std::string& prefix_;
};

void keep_each_folder_once(std::vector<SiteRoot>& roots) {
  std::vector<SiteRoot> once;
  for (auto& root : roots)
    if (std::ranges::none_of(once, [&](const auto& other) { return other.root == root.root; }))
      once.push_back(std::move(root));
  roots = std::move(once);
}

Error several(std::string text, const std::vector<SiteRoot>& roots) {
  for (const auto& root : roots)
    text += fmt::format("\n  --to {:<32} {} ({})", root.names.empty() ? root.root : root.names[0],
                        root.root, root.place);
  return make_error(ErrorKind::Invalid, Origin::Internal, std::move(text));
}

}  // namespace

std::vector<SiteRoot> site_roots(const conf::Document& document, const std::string& prefix) {
  RootFinder finder(prefix);
  for (const auto& d : document.directives)
    if (d.name == "http") finder.look_into(d, {});
  return std::move(finder.found);
}

Result<SiteRoot> choose_site_root(const std::vector<SiteRoot>& roots, const std::string& asked) {
  std::vector<SiteRoot> fit;
  if (asked.starts_with('/')) {
    SiteRoot folder;
    folder.root = folder_text(asked, "/");
    for (const auto& root : roots)
      if (root.root == folder.root) return root;
    return folder;  // not served yet, or by somebody else
  }
  for (const auto& root : roots)
    if (asked.empty() || std::ranges::find(root.names, lower(asked)) != root.names.end())
      fit.push_back(root);
  if (fit.empty() && !asked.empty() && !roots.empty()) {
    auto all = roots;
    keep_each_folder_once(all);
    return several(fmt::format("no server \"{}\" has a root; there are:", asked), all);
  }
  if (std::ranges::any_of(fit, &SiteRoot::application))
    std::erase_if(fit, [](const SiteRoot& root) { return !root.application; });
  keep_each_folder_once(fit);
  if (fit.empty())
    return make_error(ErrorKind::NotFound, Origin::Internal,
                      "the configuration serves no folder: write a \"root\", or name one by --to");
  if (fit.size() > 1) return several("there are several sites; say which:", fit);
  return fit.front();
}

}  // namespace gatescope::commands
