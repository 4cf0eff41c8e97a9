#include "proxy/ops/build_check.h"

#include <fmt/format.h>

#include <deque>
#include <optional>
#include <set>

#include "proxy/base/text.h"
#include "proxy/ops/file_steps.h"
#include "proxy/ops/named_files.h"

namespace gatescope::ops {

namespace {

constexpr std::uint64_t kMostText = 64u << 20;  // of one file that is looked into
constexpr std::size_t kMostProblems = 20;

class Checker {
 public:
  Checker(const std::string& root, const std::string& base) : root_(root), base_(base) {}

  BuildCheck run() {
    if (!is_file("index.html")) {
      result_.problems.push_back(
          "there is no index.html: name the folder that the build wrote (often \"dist\")");
      return std::move(result_);
    }
    seen_.insert("index.html");
    waiting_.push_back("index.html");
    while (!waiting_.empty() && result_.problems.size() < kMostProblems) {
      const auto path = waiting_.front();
      waiting_.pop_front();
      ++result_.named;
      look_into(path);
    }
    return std::move(result_);
  }

 private:
  bool is_file(const std::string& path) const {
    struct stat facts {};
    return ::stat((root_ + "/" + path).c_str(), &facts) == 0 && S_ISREG(facts.st_mode);
  }

  void look_into(const std::string& path) {
    const bool html = path == "index.html", css = path.ends_with(".css");
    if (!html && !css && !path.ends_with(".js") && !path.ends_with(".mjs")) return;
    const auto text = read_whole(root_ + "/" + path, kMostText);
    if (!text) {
      result_.problems.push_back(text.error().detail);
      return;
    }
    if (html && text->find_first_not_of(" \t\r\n") == std::string::npos) {
      result_.problems.push_back("index.html is empty: build the site again");
      return;
    }
    const auto named = html  ? named_in_html(*text)
                       : css ? named_in_css(*text)
                             : named_in_script(*text);
    for (const auto& reference : named)
      follow(path, reference);
  }

  void follow(const std::string& from, const Reference& reference) {
    const auto target = path_of(from, reference);
    if (!target || !seen_.insert(*target).second) return;
    for (const auto* source : {".ts", ".tsx", ".jsx", ".vue"})
      if (from == "index.html" && target->ends_with(source)) {
        result_.problems.push_back(fmt::format(
            "index.html names \"{}\", which no browser runs: this is what the site is made from, "
            "not what the build wrote (often \"dist\")",
            reference.text));
        return;
      }
    if (is_file(*target)) {
      waiting_.push_back(*target);
      return;
    }
    result_.problems.push_back(
        fmt::format("{} names \"{}\", but there is no {}", from, reference.text, *target));
  }

  /// In the tree; nullopt: it is no file of this site.
  std::optional<std::string> path_of(const std::string& from, const Reference& reference) const {
    std::string_view text = reference.text;
    text = text.substr(0, text.find_first_of("?#"));
    if (text.empty() || text.starts_with("//")) return std::nullopt;
    const auto colon = text.find(':');  // https:, data:
    if (colon != std::string_view::npos && colon < text.find('/')) return std::nullopt;
    const auto decoded = percent_decode(text);
    if (!decoded) return std::nullopt;
    std::string_view path = *decoded;
    std::vector<std::string_view> parts;
    if (path.starts_with('/')) {
      if (!path.starts_with(base_)) return std::nullopt;  // another site's: /api/logo.png
      path.remove_prefix(base_.size());
    } else if (!reference.from_root) {
      const auto slash = from.rfind('/');
      if (slash != std::string::npos) parts = split(std::string_view(from).substr(0, slash), '/');
    }
    for (const auto part : split(path, '/')) {
      if (part.empty() || part == ".") continue;
      if (part != "..") {
        parts.push_back(part);
      } else if (!parts.empty()) {
        parts.pop_back();
      }
    }
    if (parts.empty() || path.ends_with('/')) return std::nullopt;  // a page, not a file
    return fmt::format("{}", fmt::join(parts, "/"));
  }

  const std::string &root_, &base_;
  std::set<std::string> seen_;
  std::deque<std::string> waiting_;
  BuildCheck result_;
};

}  // namespace

BuildCheck check_build(const std::string& root, const std::string& base) {
  return Checker(root, base).run();
}

}  // namespace gatescope::ops
