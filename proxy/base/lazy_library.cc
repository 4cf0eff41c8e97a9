#include "proxy/base/lazy_library.h"

#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace gatescope {

Result<void> LazyLibrary::load() {
  const std::lock_guard lock(mutex_);
  if (loaded_) return {};
  const auto fail = [this] {
    const char* why = dlerror();
    return make_error(ErrorKind::Unavailable, Origin::Internal,
                      std::string(file_) + " cannot be loaded: " + (why ? why : "unknown reason"));
  };
  // Never closed: its functions may be anywhere on a stack until the end.
  void* const library = dlopen(file_, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return fail();
  for (const Symbol* symbol = symbols_; symbol->name != nullptr; ++symbol) {
    void* const function = dlsym(library, symbol->name);
    if (function == nullptr) return fail();
    // Another thread may be on its way through the slot: it finds the old value or the new one.
    __atomic_store_n(symbol->slot, function, __ATOMIC_RELEASE);
  }
  loaded_ = true;
  return {};
}

void LazyLibrary::load_or_abort() noexcept {
  if (const auto loaded = load(); !loaded) {
    std::fprintf(stderr, "gatescope: %s\n", loaded.error().detail.c_str());
    std::abort();
  }
}

}  // namespace gatescope
