#include "certs/openssl_memory.h"

#include <openssl/crypto.h>

#include <cstddef>

#include "proxy/base/spare.h"

namespace gatescope::tls {
namespace {

void* allocate(std::size_t size, const char*, int) noexcept {
  return size == 0 ? nullptr : Spare::allocate(size);
}

void* resize(void* memory, std::size_t size, const char*, int) noexcept {
  if (size > 0) return Spare::resize(memory, size);
  Spare::release(memory);
  return nullptr;
}

void release(void* memory, const char*, int) noexcept {
  Spare::release(memory);
}

}  // namespace

void keep_openssl_memory() {
  (void)CRYPTO_set_mem_functions(allocate, resize, release);
}

}  // namespace gatescope::tls
