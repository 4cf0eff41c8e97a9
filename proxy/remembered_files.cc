#include "proxy/remembered_files.h"

#include <fnmatch.h>

#include <algorithm>

namespace gatescope::server {

Result<std::string> RememberedFiles::read(const std::string& path) {
  if (!remembering_) return present_.read(path);
  for (const auto& file : document_->files)
    if (file.path == path) return file.text;
  return make_error(ErrorKind::NotFound, Origin::Internal, "\"" + path + "\" was not read before");
}

Result<std::vector<std::string>> RememberedFiles::expand(const std::string& pattern) {
  if (!remembering_) return present_.expand(pattern);
  if (pattern.find_first_of("*?[") == std::string::npos) return std::vector{pattern};
  std::vector<std::string> found;
  for (const auto& file : document_->files)
    if (::fnmatch(pattern.c_str(), file.path.c_str(), FNM_PATHNAME | FNM_PERIOD) == 0)
      found.push_back(file.path);
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

}  // namespace gatescope::server
