#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace gatescope::bench {

struct Entry {
  std::uint32_t number = 0;
  std::string name, terms;
  std::uint32_t refs = 0;  // names that mention it
  bool core = false, nice = false;
};

/// Of OEIS's names.gz and stripped.gz; `seq`: a folder of .seq files for their keywords, or empty.
std::vector<Entry> read_entries(const std::string& names, const std::string& stripped,
                                const std::string& seq);
/// Makes up more like them until there are `count`.
void enlarge(std::vector<Entry>& entries, std::size_t count);

}  // namespace gatescope::bench
