#include "proxy/net/lazy_libcurl.h"

// What https_client.cc calls; a new one is added here, or the linker does not find it. No curl.h:
// it wraps curl_easy_setopt in a macro.
#define GATESCOPE_LIBCURL(X)  \
  X(curl_easy_cleanup)        \
  X(curl_easy_getinfo)        \
  X(curl_easy_init)           \
  X(curl_easy_setopt)         \
  X(curl_easy_strerror)       \
  X(curl_global_init)         \
  X(curl_multi_add_handle)    \
  X(curl_multi_cleanup)       \
  X(curl_multi_info_read)     \
  X(curl_multi_init)          \
  X(curl_multi_remove_handle) \
  X(curl_multi_setopt)        \
  X(curl_multi_socket_action) \
  X(curl_slist_append)        \
  X(curl_slist_free_all)

GATESCOPE_LAZY_LOADER_OF(libcurl)
#define SLOT(name) GATESCOPE_LAZY_SYMBOL(libcurl, name)
GATESCOPE_LIBCURL(SLOT)
#undef SLOT

namespace gatescope::net {

namespace {
#define ROW(name) {#name, &gatescope_slot_##name},
constexpr LazyLibrary::Symbol kSymbols[] = {GATESCOPE_LIBCURL(ROW){nullptr, nullptr}};
#undef ROW
}  // namespace

LazyLibrary& libcurl() {
  static LazyLibrary library("libcurl.so.4", kSymbols);
  return library;
}

}  // namespace gatescope::net

extern "C" void gatescope_load_libcurl() noexcept {
  gatescope::net::libcurl().load_or_abort();
}
