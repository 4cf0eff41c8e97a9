#include "api/pg_library.h"

// GATESCOPE_LIBPQ(X): what libpqxx calls of libpq, as the build found it.
#include "api/libpq_symbols.h"

GATESCOPE_LAZY_LOADER_OF(libpq)
#define SLOT(name) GATESCOPE_LAZY_SYMBOL(libpq, name)
GATESCOPE_LIBPQ(SLOT)
#undef SLOT

namespace gatescope::api {

namespace {
#define ROW(name) {#name, &gatescope_slot_##name},
constexpr LazyLibrary::Symbol kSymbols[] = {GATESCOPE_LIBPQ(ROW){nullptr, nullptr}};
#undef ROW
}  // namespace

LazyLibrary& libpq() {
  static LazyLibrary library("libpq.so.5", kSymbols);
  return library;
}

}  // namespace gatescope::api

extern "C" void gatescope_load_libpq() noexcept {
  gatescope::api::libpq().load_or_abort();
}
