#include "static/files_settings.h"

namespace gatescope::files {

CacheUse FileSettings::cache_use() const {
  CacheUse use;
  use.enabled = cache_size->enabled;
  use.max = cache_size->max;
  use.inactive = cache_size->inactive;
  use.valid = cache_valid.get();
  use.min_uses = static_cast<unsigned>(cache_min_uses.get());
  use.errors = cache_errors.get();
  return use;
}

void FileSettings::inherit(const Settings& outer) {
  const auto& from = as<FileSettings>(outer);
  index.inherit(from.index);
  etag.inherit(from.etag);
  sendfile.inherit(from.sendfile);
  autoindex.inherit(from.autoindex);
  autoindex_exact_size.inherit(from.autoindex_exact_size);
  autoindex_localtime.inherit(from.autoindex_localtime);
  autoindex_format.inherit(from.autoindex_format);
  symlinks.inherit(from.symlinks);
  dotfiles.inherit(from.dotfiles);
  gzip_static.inherit(from.gzip_static);
  zstd_static.inherit(from.zstd_static);
  brotli_static.inherit(from.brotli_static);
  cache_size.inherit(from.cache_size);
  cache_bytes.inherit(from.cache_bytes);
  cache_valid.inherit(from.cache_valid);
  cache_min_uses.inherit(from.cache_min_uses);
  cache_errors.inherit(from.cache_errors);
}

}  // namespace gatescope::files
