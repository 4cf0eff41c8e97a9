#include "static/autoindex.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <memory>

#include "proxy/base/text.h"

namespace gatescope::files {
namespace {

constexpr std::size_t kNameColumn = 50;
constexpr std::size_t kKeptOfLongName = 47;
constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

std::tm broken_down(std::int64_t time, bool local) {
  const auto at = static_cast<std::time_t>(time);
  std::tm tm{};
  local ? ::localtime_r(&at, &tm) : ::gmtime_r(&at, &tm);
  return tm;
}

/// A link relative to the folder: every byte that could mean something is escaped, the colon too
/// ("a:b" would be a scheme).
std::string escape_href(std::string_view name) {
  std::string out;
  for (const char c : name) {
    const bool plain = is_alpha(c) || is_digit(c) || c == '-' || c == '_' || c == '.' || c == '~';
    if (plain) {
      out += c;
    } else {
      fmt::format_to(std::back_inserter(out), "%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

/// How many bytes the first `count` characters have; a name that is no UTF-8 has bytes only.
std::size_t bytes_of(std::string_view name, std::size_t count, bool utf8) {
  if (!utf8) return std::min(count, name.size());
  std::size_t at = 0;
  for (std::size_t seen = 0; at < name.size(); ++at)
    if ((static_cast<unsigned char>(name[at]) & 0xC0) != 0x80 && seen++ == count) break;
  return at;
}

std::size_t length_of(std::string_view name, bool utf8) {
  if (!utf8) return name.size();
  return static_cast<std::size_t>(std::count_if(name.begin(), name.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

std::string short_size(std::uint64_t size) {
  constexpr std::uint64_t kKilo = 1024, kMega = kKilo * 1024, kGiga = kMega * 1024;
  const auto in = [&](std::uint64_t unit, char letter) {
    return fmt::format("{:6}{}", size / unit + (size % unit >= unit / 2 ? 1 : 0), letter);
  };
  if (size >= kGiga) return in(kGiga, 'G');
  if (size >= kMega) return in(kMega, 'M');
  if (size > 9999) return in(kKilo, 'K');
  return fmt::format(" {:6}", size);
}

void add_html(std::string& out, const ListedFile& file, const ListingOptions& options) {
  const std::string name = file.folder ? file.name + "/" : file.name;
  const bool utf8 = is_valid_utf8(name);
  const std::size_t length = length_of(name, utf8);
  const bool cut = length > kNameColumn;
  const auto shown = name.substr(0, cut ? bytes_of(name, kKeptOfLongName, utf8) : name.size());
  const auto tm = broken_down(file.mtime, options.local_time);
  std::string size = options.exact_size ? fmt::format("{:19}", file.size) : short_size(file.size);
  if (file.folder) size = fmt::format("{:>{}}", "-", options.exact_size ? 19 : 7);
  fmt::format_to(std::back_inserter(out),
                 "<a href=\"{}{}\">{}{}</a>{:{}}{:02}-{}-{} {:02}:{:02} {}\r\n",
                 escape_href(file.name), file.folder ? "/" : "", html_escape(shown),
                 cut ? "..&gt;" : "", "", cut ? 1 : kNameColumn + 1 - length, tm.tm_mday,
                 kMonths[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, size);
}

/// For formats that must be UTF-8: anything else becomes one replacement character a byte.
std::string repaired(std::string_view name) {
  if (is_valid_utf8(name)) return std::string(name);
  std::string out;
  for (std::size_t at = 0; at < name.size();) {
    std::size_t length = 1;
    while (length < 4 && at + length < name.size() && !is_valid_utf8(name.substr(at, length)))
      ++length;
    if (is_valid_utf8(name.substr(at, length))) {
      out += name.substr(at, length);
      at += length;
    } else {
      out += "\xEF\xBF\xBD";
      ++at;
    }
  }
  return out;
}

std::string json_escape(std::string_view name) {
  std::string out;
  for (const char c : repaired(name)) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 32) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return out;
}

void add_json(std::string& out, const ListedFile& file) {
  fmt::format_to(std::back_inserter(out), "{{ \"name\":\"{}\", \"type\":\"{}\", \"mtime\":\"{}\"",
                 json_escape(file.name), file.folder ? "directory" : "file", http_date(file.mtime));
  if (!file.folder) fmt::format_to(std::back_inserter(out), ", \"size\":{}", file.size);
  out += " }";
}

/// Controls cannot stand in XML at all.
std::string xml_escape(std::string_view name) {
  std::string out = html_escape(repaired(name));
  for (char& c : out)
    if (static_cast<unsigned char>(c) < 32) c = '?';
  return out;
}

void add_xml(std::string& out, const ListedFile& file) {
  const auto tm = broken_down(file.mtime, false);
  const std::string_view element = file.folder ? "directory" : "file";
  fmt::format_to(std::back_inserter(out), "<{} mtime=\"{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z\"",
                 element, tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
                 tm.tm_sec);
  if (!file.folder) fmt::format_to(std::back_inserter(out), " size=\"{}\"", file.size);
  fmt::format_to(std::back_inserter(out), ">{}</{}>\r\n", xml_escape(file.name), element);
}

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

}  // namespace

Listing read_folder(const std::string& path) {
  Listing listing;
  const std::unique_ptr<DIR, CloseFolder> folder(::opendir(path.c_str()));
  if (!folder) {
    listing.error = errno;
    return listing;
  }
  const int fd = ::dirfd(folder.get());
  while (true) {
    errno = 0;
    const dirent* entry = ::readdir(folder.get());
    if (!entry) {
      listing.error = errno;
      listing.call = "readdir()";
      break;
    }
    if (entry->d_name[0] == '.') continue;
    struct stat st;
    // A link that leads nowhere is listed as what it is.
    if (::fstatat(fd, entry->d_name, &st, 0) != 0 &&
        ::fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
      continue;  // gone meanwhile
    if (listing.files.size() == kMaxListed) {
      listing.error = E2BIG;
      listing.files.clear();
      return listing;
    }
    listing.files.push_back({entry->d_name, S_ISDIR(st.st_mode),
                             static_cast<std::uint64_t>(st.st_size), st.st_mtim.tv_sec});
  }
  std::sort(listing.files.begin(), listing.files.end(), [](const auto& a, const auto& b) {
    return a.folder != b.folder ? a.folder : a.name < b.name;
  });
  return listing;
}

std::string write_listing(const std::vector<ListedFile>& files, std::string_view uri,
                          const ListingOptions& options, std::string_view callback) {
  std::string out;
  switch (options.format) {
    case ListingFormat::Html:
      out = fmt::format(
          "<html>\r\n<head><title>Index of {0}</title></head>\r\n<body>\r\n<h1>Index of "
          "{0}</h1><hr><pre><a href=\"../\">../</a>\r\n",
          html_escape(uri));
      for (const auto& file : files)
        add_html(out, file, options);
      return out + "</pre><hr></body>\r\n</html>\r\n";
    case ListingFormat::Xml:
      out = "<?xml version=\"1.0\"?>\r\n<list>\r\n";
      for (const auto& file : files)
        add_xml(out, file);
      return out + "</list>\r\n";
    case ListingFormat::Json:
    case ListingFormat::Jsonp:
      break;
  }
  const bool called = options.format == ListingFormat::Jsonp && !callback.empty();
  // The comment keeps a callback's name from being the first bytes of the body, which some browser
  // plug-ins took for their own (the "Rosetta Flash" attack).
  if (called) out = fmt::format("/* callback */\r\n{}(", callback);
  out += "[";
  for (const auto& file : files) {
    out += &file == files.data() ? "\r\n" : ",\r\n";
    add_json(out, file);
  }
  out += "\r\n]";
  if (called) out += ");";
  return out;
}

bool is_valid_callback(std::string_view callback) {
  return std::all_of(callback.begin(), callback.end(), [](char c) {
    return is_alpha(c) || is_digit(c) ||
           std::string_view("$_.[]'").find(c) != std::string_view::npos;
  });
}

std::string_view listing_type(const ListingOptions& options, std::string_view callback) {
  switch (options.format) {
    case ListingFormat::Html:
      return "text/html";
    case ListingFormat::Xml:
      return "text/xml; charset=utf-8";
    case ListingFormat::Json:
      return "application/json";
    case ListingFormat::Jsonp:
      return callback.empty() ? "application/json" : "application/javascript";
  }
  return {};
}

}  // namespace gatescope::files
