#include "proxy/http/lazy_libzstd.h"

// What zstd_whole.cc calls; a new one is added here, or the linker does not find it.
#define GATESCOPE_LIBZSTD(X) \
  X(ZSTD_CCtx_setParameter)  \
  X(ZSTD_compress2)          \
  X(ZSTD_compressBound)      \
  X(ZSTD_createCCtx)         \
  X(ZSTD_freeCCtx)           \
  X(ZSTD_getErrorName)       \
  X(ZSTD_isError)

GATESCOPE_LAZY_LOADER_OF(libzstd)
#define SLOT(name) GATESCOPE_LAZY_SYMBOL(libzstd, name)
GATESCOPE_LIBZSTD(SLOT)
#undef SLOT

namespace gatescope::http {

namespace {
#define ROW(name) {#name, &gatescope_slot_##name},
constexpr LazyLibrary::Symbol kZstdSymbols[] = {GATESCOPE_LIBZSTD(ROW){nullptr, nullptr}};
#undef ROW
}  // namespace

LazyLibrary& libzstd() {
  static LazyLibrary library("libzstd.so.1", kZstdSymbols);
  return library;
}

}  // namespace gatescope::http

extern "C" void gatescope_load_libzstd() noexcept {
  gatescope::http::libzstd().load_or_abort();
}
