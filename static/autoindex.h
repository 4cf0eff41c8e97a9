#pragma once

// Listings of folders (nginx's autoindex module).

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/result.h"

namespace gatescope::files {

enum class ListingFormat { Html, Xml, Json, Jsonp };

struct ListingOptions {
  ListingFormat format = ListingFormat::Html;
  bool exact_size = true;   // autoindex_exact_size; HTML only, as the next
  bool local_time = false;  // autoindex_localtime
};

struct ListedFile {
  std::string name;
  bool folder = false;
  std::uint64_t size = 0;
  std::int64_t mtime = 0;  // seconds since 1970
};

/// A folder may have so many entries; of more nothing is listed. About 20 MB while it is made.
inline constexpr std::size_t kMaxListed = 100'000;

struct Listing {
  std::vector<ListedFile> files;
  int error = 0;                        // errno; E2BIG: more than kMaxListed
  std::string_view call = "opendir()";  // what failed
};
/// What lies in a folder but for names that begin with a dot; folders first, each in the order of
/// their bytes. May wait for the disk.
Listing read_folder(const std::string& path);

/// The body. `uri`: the folder's path as the client knows it. `callback`: of Jsonp; empty: plain
/// JSON.
std::string write_listing(const std::vector<ListedFile>& files, std::string_view uri,
                          const ListingOptions& options, std::string_view callback);
/// `callback` is the argument's value as sent; only names, dots and brackets may be in it.
bool is_valid_callback(std::string_view callback);
std::string_view listing_type(const ListingOptions& options, std::string_view callback);

}  // namespace gatescope::files
