#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "api/seq_file.h"
#include "proxy/base/result.h"

namespace gatescope::api {

/// A file of a tree of entries: folders[folder]/A000040.seq.
struct TreeFile {
  SequenceId id;
  std::uint32_t folder = 0;
  FileStamp stamp;
};

/// A clone of oeis/oeisdata, looked through but not read. A value.
struct OeisTree {
  std::string path;  // real: it tells this tree from others
  std::vector<std::string> folders;
  std::vector<TreeFile> files;        // ascending, each id once
  std::vector<std::string> problems;  // what could not be looked at, or was left out
  bool whole = true;                  // every folder could be read

  std::string path_of(const TreeFile& file) const {
    return folders[file.folder] + "/" + file.id.text() + ".seq";
  }
};

/// What is at a path, by what `gatescope oeis import` accepts: a clone of oeis/oeisdata or its
/// folder `seq`, a names.gz or stripped.gz (or one that is unpacked), a folder with some of them.
struct OeisSources {
  std::string tree;                // the folder that holds A000, A001 ...; empty: none
  std::vector<std::string> lists;  // files of names or terms
};
/// Error Invalid when there is nothing of the kind.
Result<OeisSources> find_oeis_sources(const std::string& path);

/// Looks through all folders Annn of `folder`, and itself, on that many threads. Blocking; `tick`
/// is called now and then on this thread with folders done and in all. Error Cancelled when `stop`
/// became true.
Result<OeisTree> list_oeis_tree(const std::string& folder, unsigned threads,
                                const std::atomic<bool>& stop,
                                const std::function<void(std::size_t, std::size_t)>& tick);

}  // namespace gatescope::api
