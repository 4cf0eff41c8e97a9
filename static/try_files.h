#pragma once

#include <memory>
#include <string>
#include <vector>

#include "conf/schema.h"
#include "conf/template.h"
#include "proxy/http/steps.h"
#include "static/file_cache.h"
#include "static/files_settings.h"

namespace gatescope::files {

/// The parameters of one `try_files` directive, understood.
struct TryFiles {
  struct Candidate {
    conf::Template name;  // without the final slash of a folder's
    bool folder = false;  // "$uri/"
  };
  std::vector<Candidate> candidates;  // all but the last
  conf::Template otherwise;           // "/index.html?$args", "@named"; empty when `status`
  int status = 0;                     // "=404"
};
Result<TryFiles> read_try_files(const conf::Directive& directive, conf::VariableNames& names);

/// Where a candidate lies, and which path a request has that is answered with it. `alias`: so many
/// bytes of the path stand for the location's alias; 0: it has a root. `verbatim`: the name was
/// written without variables, so it is below the alias already.
struct TriedFile {
  std::string file, uri;
};
TriedFile place_candidate(std::string_view root, std::string_view name, std::string_view path,
                          std::size_t alias, bool verbatim);

/// ngx_http_try_files_module: takes the first candidate that is there as the request's path, in
/// this location; else goes where the last parameter says. Owned by the location.
class TryFilesStep final : public http::RequestStep {
 public:
  TryFilesStep(TryFiles tries, const FileSettings& settings, FileCache& cache);
  http::StepResult run(http::Exchange& exchange) const override;

 private:
  const TryFiles tries_;
  const FileSettings& settings_;
  const CacheUse use_;
  FileCache& cache_;
};

}  // namespace gatescope::files
