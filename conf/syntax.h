#pragma once

// The configuration as written: a tree of directives, no meaning yet. Grammar: nginx's (tokens,
// quotes, escapes, comments, blocks, include).

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "conf/source.h"

namespace gatescope::conf {

/// One argument. `quoted` matters to a few directives (an empty "" is an argument; "{" in quotes
/// opens no block).
struct Argument {
  std::string text;
  Place place;
  bool quoted = false;
};

struct Directive {
  std::string name;
  std::vector<Argument> arguments;
  Place place;
  bool has_block = false;
  std::vector<Directive> block;  // when has_block
  Place block_end;

  std::string_view arg(std::size_t i) const { return arguments[i].text; }
  std::size_t count() const { return arguments.size(); }
};

/// Everything that was read: the tree, and each file's text in the order of reading (-T prints
/// them).
struct Document {
  std::vector<Directive> directives;
  struct File {
    std::string path, text;
  };
  std::deque<File> files;  // a deque: Place::file points at the paths
};

struct ParseOptions {
  std::string
      conf_prefix;    // absolute folder of the main file: where relative includes are looked for
  std::string extra;  // the text of -g, read first as file "command line"
  unsigned max_include_depth = 16;
  std::size_t max_file_bytes = 16 << 20;
};

/// Reads `path` and what it includes. Errors are one line: `<what> in FILE:LINE:COL` with the mend
/// where there is one, e.g. `unexpected end of file, expecting "}" for "server" opened at
/// a.conf:3:5 in a.conf:9:1`.
Result<std::unique_ptr<Document>> parse_file(const std::string& path, const ParseOptions& options,
                                             FileReader& reader);

}  // namespace gatescope::conf
