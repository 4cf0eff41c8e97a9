#include "proxy/http/http2_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "proxy/base/spare.h"

namespace gatescope::http {
namespace {

constexpr std::size_t kLarge = 16384;

/// Its whole pages hold zeros now, and no RAM until they are written again.
void give_back_pages(void* memory, std::size_t size) {
  static const auto kPage = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<std::uintptr_t>(memory);
  const auto first = (begin + kPage - 1) / kPage * kPage, end = (begin + size) / kPage * kPage;
  if (first < end) (void)::madvise(reinterpret_cast<void*>(first), end - first, MADV_DONTNEED);
}

void* allocate(std::size_t size, void*) noexcept {
  if (size < kLarge) return Spare::allocate(size);
  void* const memory = std::malloc(size);
  if (memory != nullptr) give_back_pages(memory, size);
  return memory;
}

void release(void* memory, void*) noexcept {
  Spare::release(memory);
}

void* allocate_zeros(std::size_t count, std::size_t size, void*) noexcept {
  const std::size_t bytes = count * size;  // of structures: far from an overflow
  void* const memory = Spare::allocate(bytes);
  return memory == nullptr ? nullptr : std::memset(memory, 0, bytes);
}

void* resize(void* memory, std::size_t size, void*) noexcept {
  // How nghttp2 asks for its buffers
  return memory == nullptr ? allocate(size, nullptr) : Spare::resize(memory, size);
}

}  // namespace

nghttp2_mem* http2_memory() {
  static nghttp2_mem memory{nullptr, allocate, release, allocate_zeros, resize};
  return &memory;
}

}  // namespace gatescope::http
