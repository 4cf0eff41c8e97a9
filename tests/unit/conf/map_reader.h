#pragma once

#include <fnmatch.h>

#include <cerrno>
#include <map>
#include <string>

#include "conf/source.h"
#include "conf/syntax.h"

namespace gatescope::conf {

/// Files in a map, for tests. The main file is "/etc/main.conf", unless a test says otherwise.
class MapReader final : public FileReader {
 public:
  using Files = std::map<std::string, std::string>;
  explicit MapReader(Files files) : files_(std::move(files)) {}
  MapReader(const MapReader&) = delete;
  MapReader& operator=(const MapReader&) = delete;

  Result<std::string> read(const std::string& path) override {
    ++reads_;
    const auto found = files_.find(path);
    if (found == files_.end()) return system_error(ENOENT, "open() \"" + path + "\"");
    return found->second;
  }
  Result<std::vector<std::string>> expand(const std::string& pattern) override {
    if (pattern.find_first_of("*?[") == std::string::npos) return std::vector{pattern};
    std::vector<std::string> paths;
    for (const auto& [path, text] : files_) {
      if (::fnmatch(pattern.c_str(), path.c_str(), FNM_PATHNAME) == 0) paths.push_back(path);
    }
    return paths;
  }
  int reads() const { return reads_; }

 private:
  std::map<std::string, std::string> files_;
  int reads_ = 0;
};

inline constexpr const char* kMain = "/etc/main.conf";

/// The tree of one file's text.
inline Result<std::unique_ptr<Document>> parse_text(std::string text) {
  MapReader reader(MapReader::Files{{kMain, std::move(text)}});
  return parse_file(kMain, {}, reader);
}

/// The error's text; empty when there is none.
template <class T>
std::string error_of(const Result<T>& result) {
  return result.ok() ? std::string() : result.error().detail;
}

/// A tree on one line: "a(1,2) b{c(x)}".
inline std::string outline(const std::vector<Directive>& directives) {
  std::string out;
  for (const Directive& d : directives) {
    if (!out.empty()) out += ' ';
    out += d.name;
    if (d.count() > 0) {
      out += '(';
      for (std::size_t i = 0; i < d.count(); ++i) {
        if (i > 0) out += ',';
        out += d.arg(i);
      }
      out += ')';
    }
    if (d.has_block) out += '{' + outline(d.block) + '}';
  }
  return out;
}

}  // namespace gatescope::conf
