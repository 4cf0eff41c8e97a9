#include "proxy/ops/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <vector>

#include "proxy/base/text.h"
#include "proxy/ops/file_steps.h"
#include "proxy/ops/lazy_libarchive.h"

namespace gatescope::ops {

namespace {

Error refuse(std::string_view archive, std::string_view name, std::string_view why) {
  return make_error(ErrorKind::Forbidden, Origin::Internal,
                    fmt::format("\"{}\" in {} {}", name, archive, why));
}

class Unpacking {
 public:
  Unpacking(std::string archive, std::string folder, const TreeLimits& limits)
      : archive_(std::move(archive)), folder_(std::move(folder)), limits_(limits) {}

  Result<void> run() {
    if (auto loaded = libarchive().load(); !loaded) {
      return make_error(ErrorKind::Unavailable, Origin::Internal,
                        loaded.error().detail +
                            "; archives need Debian's package libarchive13, or "
                            "unpack it and deploy the folder");
    }
    reader_.reset(::archive_read_new());
    ::archive_read_support_filter_gzip(reader_.get());
    ::archive_read_support_filter_zstd(reader_.get());
    ::archive_read_support_filter_xz(reader_.get());
    ::archive_read_support_filter_bzip2(reader_.get());
    ::archive_read_support_format_tar(reader_.get());
    ::archive_read_support_format_zip(reader_.get());
    if (::archive_read_open_filename(reader_.get(), archive_.c_str(), 64 * 1024) != ARCHIVE_OK)
      return broken();
    while (true) {
      archive_entry* entry = nullptr;
      const int code = ::archive_read_next_header(reader_.get(), &entry);
      if (code == ARCHIVE_EOF) break;
      if (code < ARCHIVE_WARN) return broken();
      if (auto taken = take(entry); !taken) return taken;
    }
    if (entries_ == 0)
      return make_error(ErrorKind::Invalid, Origin::Internal,
                        fmt::format("\"{}\" is empty", archive_));
    return make_links();
  }

 private:
  struct Link {
    std::string name, target;  // of a symbolic one as it is written
    bool hard = false;
  };
  struct Free {
    void operator()(archive* reader) const { ::archive_read_free(reader); }
  };

  Error broken() const {
    const char* const why = ::archive_error_string(reader_.get());
    return make_error(
        ErrorKind::Invalid, Origin::Internal,
        fmt::format("\"{}\" cannot be unpacked: {} (wanted is .tar.gz, .tar.zst, .tar.xz or .zip)",
                    archive_, why ? why : "it is damaged"));
  }

  Result<void> take(archive_entry* entry) {
    const char* raw = ::archive_entry_pathname_utf8(entry);
    if (raw == nullptr) raw = ::archive_entry_pathname(entry);
    const std::string name = raw ? raw : "";
    if (++entries_ > limits_.entries)
      return refuse(archive_, name,
                    fmt::format("is beyond the {} entries that a site may have", limits_.entries));
    const auto path = path_below(name);
    if (!path) return refuse(archive_, name, path.error().detail);
    const auto type = ::archive_entry_filetype(entry);
    if (const char* target = ::archive_entry_hardlink(entry)) {
      const auto below = path_below(target);
      if (!below)
        return refuse(archive_, name,
                      "links to \"" + std::string(target) + "\", which " + below.error().detail);
      links_.push_back({*path, *below, true});
      return {};
    }
    if (type == AE_IFLNK) {
      const char* target = ::archive_entry_symlink(entry);
      const std::string text = target ? target : "";
      const auto slash = path->rfind('/');
      const auto below = path_below(text, slash == std::string::npos ? "" : path->substr(0, slash));
      if (!below)
        return refuse(archive_, name,
                      fmt::format("links to \"{}\", which {}", text, below.error().detail));
      links_.push_back({*path, text, false});
      return {};
    }
    if (type == AE_IFDIR) return path->empty() ? Result<void>() : folder(*path);
    if (type != AE_IFREG)
      return refuse(archive_, name, "is neither a file nor a folder; a site has nothing else");
    if (path->empty()) return refuse(archive_, name, "has no name");
    return file(entry, name, *path);
  }

  /// And those above it.
  Result<void> folder(const std::string& path) {
    for (std::size_t end = 0; end != std::string::npos;) {
      end = path.find('/', end + 1);
      auto made = make_folder(folder_ + "/" + path.substr(0, end), 0755);
      if (!made) return made;
    }
    return {};
  }

  Result<void> file(archive_entry* entry, const std::string& name, const std::string& path) {
    if (const auto slash = path.rfind('/'); slash != std::string::npos)
      if (auto made = folder(path.substr(0, slash)); !made) return made;
    const std::string to = folder_ + "/" + path;
    const UniqueFd fd(
        ::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
    if (!fd && errno == EEXIST) return refuse(archive_, name, "is in it twice");
    if (!fd) return file_error(errno, "open()", to);
    std::uint64_t size = 0;
    const auto too_much = [&](std::uint64_t end) { return end > limits_.bytes - bytes_; };
    const auto bomb = [&] {
      return refuse(archive_, name,
                    fmt::format("goes beyond the {} bytes that a site may have", limits_.bytes));
    };
    while (true) {
      const void* data = nullptr;
      std::size_t length = 0;
      la_int64_t offset = 0;
      const int code = ::archive_read_data_block(reader_.get(), &data, &length, &offset);
      if (code == ARCHIVE_EOF) break;
      if (code < ARCHIVE_WARN) return broken();
      if (offset < 0 || too_much(static_cast<std::uint64_t>(offset)) ||
          too_much(static_cast<std::uint64_t>(offset) + length))
        return bomb();
      size = std::max(size, static_cast<std::uint64_t>(offset) + length);
      for (const char* at = static_cast<const char*>(data); length > 0;) {
        const auto n = ::pwrite(fd.get(), at, length, offset);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return file_error(errno, "write()", to);
        at += n;
        offset += n;
        length -= static_cast<std::size_t>(n);
      }
    }
    if (::archive_entry_size_is_set(entry) != 0) {  // a hole at its end
      const auto whole = static_cast<std::uint64_t>(::archive_entry_size(entry));
      if (too_much(whole)) return bomb();
      if (whole > size && ::ftruncate(fd.get(), static_cast<off_t>(whole)) != 0)
        return file_error(errno, "ftruncate()", to);
      size = std::max(size, whole);
    }
    bytes_ += size;
    if (::archive_entry_mtime_is_set(entry) != 0) {
      const timespec time{::archive_entry_mtime(entry), 0};
      const timespec times[2] = {time, time};
      ::futimens(fd.get(), times);
    }
    return {};
  }

  Result<void> make_links() {
    for (const Link& link : links_) {
      const std::string to = folder_ + "/" + link.name;
      if (link.name.empty() || exists(to)) return refuse(archive_, link.name, "is in it twice");
      if (const auto slash = link.name.rfind('/'); slash != std::string::npos)
        if (auto made = folder(link.name.substr(0, slash)); !made) return made;
      if (!link.hard) {
        if (::symlink(link.target.c_str(), to.c_str()) != 0)
          return file_error(errno, "symlink()", to);
        continue;
      }
      const std::string from = folder_ + "/" + link.target;
      struct stat facts {};
      if (::lstat(from.c_str(), &facts) != 0 || !S_ISREG(facts.st_mode))
        return refuse(archive_, link.name,
                      fmt::format("links to \"{}\", which is no file before it", link.target));
      if (::link(from.c_str(), to.c_str()) != 0) return file_error(errno, "link()", to);
    }
    return {};
  }

  const std::string archive_, folder_;
  const TreeLimits limits_;
  std::unique_ptr<archive, Free> reader_;
  std::vector<Link> links_;
  std::uint64_t bytes_ = 0;
  std::size_t entries_ = 0;
};

}  // namespace

Result<std::string> path_below(std::string_view name, std::string_view folder_of_it) {
  const auto wrong = [](std::string_view why) {
    return make_error(ErrorKind::Forbidden, Origin::Internal, std::string(why));
  };
  if (name.empty()) return wrong("has no name");
  if (name.front() == '/') return wrong("is an absolute path");
  if (std::ranges::any_of(name, [](char c) { return static_cast<unsigned char>(c) < ' '; }))
    return wrong("has control characters in its name");
  std::vector<std::string_view> parts;
  if (!folder_of_it.empty()) parts = split(folder_of_it, '/');
  const bool is_link = !folder_of_it.empty();
  for (const auto part : split(name, '/')) {
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      parts.push_back(part);
    } else if (parts.empty() || !is_link) {
      return wrong("leads out of the site by \"..\"");
    } else {
      parts.pop_back();
    }
  }
  return fmt::format("{}", fmt::join(parts, "/"));
}

Result<void> unpack(const std::string& archive, const std::string& folder,
                    const TreeLimits& limits) {
  return Unpacking(archive, folder, limits).run();
}

}  // namespace gatescope::ops
