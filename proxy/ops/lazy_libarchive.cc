#include "proxy/ops/lazy_libarchive.h"

// What unpack.cc calls; a new one is added here, or the linker does not find it.
#define GATESCOPE_LIBARCHIVE(X)        \
  X(archive_entry_filetype)            \
  X(archive_entry_hardlink)            \
  X(archive_entry_mtime)               \
  X(archive_entry_mtime_is_set)        \
  X(archive_entry_pathname)            \
  X(archive_entry_pathname_utf8)       \
  X(archive_entry_size)                \
  X(archive_entry_size_is_set)         \
  X(archive_entry_symlink)             \
  X(archive_error_string)              \
  X(archive_read_data_block)           \
  X(archive_read_free)                 \
  X(archive_read_new)                  \
  X(archive_read_next_header)          \
  X(archive_read_open_filename)        \
  X(archive_read_support_filter_bzip2) \
  X(archive_read_support_filter_gzip)  \
  X(archive_read_support_filter_xz)    \
  X(archive_read_support_filter_zstd)  \
  X(archive_read_support_format_tar)   \
  X(archive_read_support_format_zip)

GATESCOPE_LAZY_LOADER_OF(libarchive)
#define SLOT(name) GATESCOPE_LAZY_SYMBOL(libarchive, name)
GATESCOPE_LIBARCHIVE(SLOT)
#undef SLOT

namespace gatescope::ops {

namespace {
#define ROW(name) {#name, &gatescope_slot_##name},
constexpr LazyLibrary::Symbol kArchiveSymbols[] = {GATESCOPE_LIBARCHIVE(ROW){nullptr, nullptr}};
#undef ROW
}  // namespace

LazyLibrary& libarchive() {
  static LazyLibrary library("libarchive.so.13", kArchiveSymbols);
  return library;
}

}  // namespace gatescope::ops

extern "C" void gatescope_load_libarchive() noexcept {
  gatescope::ops::libarchive().load_or_abort();
}
