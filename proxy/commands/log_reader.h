#pragma once

#include <string>
#include <vector>

#include "proxy/base/result.h"
#include "proxy/base/unique_fd.h"

namespace gatescope::commands {

/// Reads a log from its end on, and goes on in the new file when another one is in its place.
/// Blocking; for commands.
class LogReader {
 public:
  explicit LogReader(std::string path) : path_(std::move(path)) {}
  const std::string& path() const { return path_; }
  /// The last so many whole lines; what is written later comes by more(). Error NotFound: the file
  /// is not there (yet).
  Result<std::string> last_lines(std::size_t lines);
  /// Whole lines that were written since; empty: none. Of a file that was renamed what is left,
  /// then from the beginning of the one in its place; of one that was emptied from its beginning.
  std::string more();

 private:
  std::string read_on();
  bool open();
  std::string path_;
  UniqueFd file_;  // none: it is not there
  std::size_t at_ = 0;
  std::string part_;  // of a line whose end has not come
};

/// Prints what comes until the program is ended; 0.
int follow_logs(std::vector<LogReader>& readers);

}  // namespace gatescope::commands
