#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "conf/schema.h"
#include "conf/template.h"
#include "static/autoindex.h"
#include "static/file_cache.h"

namespace gatescope::files {

/// gzip_static and its kin.
enum class TwinRule { Off, On, Always };

/// `spa_fallback /index.html [hashed=/assets/]`.
struct SpaSettings {
  std::string index;   // the path of the page that the application is
  std::string hashed;  // below it names carry content hashes; empty: nowhere
};

/// `disable_symlinks`.
struct SymlinkSettings {
  Symlinks rule = Symlinks::Follow;
  conf::Template trusted;  // from=; empty: the whole path is looked at
};

/// What the directives of files_directives.cc say at one level.
struct FileSettings final : conf::Settings {
  conf::Inherited<std::vector<conf::Template>> index{{conf::Template::literal("index.html")}};
  conf::Inherited<bool> etag{true}, sendfile{true};
  conf::Inherited<bool> autoindex{false}, autoindex_exact_size{true}, autoindex_localtime{false};
  conf::Inherited<ListingFormat> autoindex_format{ListingFormat::Html};
  conf::Inherited<SymlinkSettings> symlinks;
  conf::Inherited<bool> dotfiles{false};
  conf::Inherited<TwinRule> gzip_static{TwinRule::Off}, zstd_static{TwinRule::Off},
      brotli_static{TwinRule::Off};

  // open_file_cache and its family. Only max=, inactive= and `off` come from the first.
  struct CacheSize {
    bool enabled = true;
    std::size_t max = 0;
    Duration inactive{60000};
  };
  conf::Inherited<CacheSize> cache_size;
  conf::Inherited<std::size_t> cache_bytes{CacheLimits().bytes};  // http level only
  conf::Inherited<Duration> cache_valid{CacheUse().valid};
  conf::Inherited<std::uint64_t> cache_min_uses{1};
  conf::Inherited<bool> cache_errors{false};

  // Never inherited, as in nginx: they say what one location is.
  const conf::Directive* try_files = nullptr;
  std::optional<SpaSettings> spa;

  CacheUse cache_use() const;
  ListingOptions listing() const {
    return {autoindex_format.get(), autoindex_exact_size.get(), autoindex_localtime.get()};
  }
  void inherit(const Settings& outer) override;
};

}  // namespace gatescope::files
