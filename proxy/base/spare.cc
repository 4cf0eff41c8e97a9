#include "proxy/base/spare.h"

#include <malloc.h>

#include <cstdlib>
#include <utility>
#include <vector>

#include "proxy/base/spare_lists.h"

namespace gatescope {

namespace {

// A string that once carried a large answer is not worth keeping.
constexpr std::size_t kLargestText = 32 * 1024;
constexpr std::size_t kTexts = 64;

SpareLists& of_this_thread() {
  // Without a constructor or a destructor asking for it is an instruction.
  static constinit thread_local SpareLists lists(Spare::kKept);
  return lists;
}

struct Closing {
  ~Closing() { of_this_thread().close(); }
};

/// Before something is kept.
SpareLists& keeping_lists() {
  SpareLists& lists = of_this_thread();
  if (lists.kept() == 0) {
    static thread_local const Closing at_end;
    (void)at_end;
  }
  return lists;
}

std::vector<std::string>& texts() {
  thread_local std::vector<std::string> of_this_thread;
  return of_this_thread;
}

}  // namespace

void free_spare() noexcept {
  of_this_thread().clear();
  std::vector<std::string>().swap(texts());
}

void* Spare::allocate(std::size_t size) noexcept {
  // What nothing is kept of is as large as it was asked for: a byte too far shows.
  return kKept == 0 ? std::malloc(size) : of_this_thread().allocate(size);
}

void Spare::release(void* memory) noexcept {
  if (kKept == 0) return std::free(memory);
  if (memory != nullptr) keeping_lists().release_chunk(memory, ::malloc_usable_size(memory));
}

void Spare::release(void* memory, std::size_t size) noexcept {
  if (kKept == 0) return std::free(memory);
  if (memory != nullptr) keeping_lists().release(memory, size);
}

void* Spare::resize(void* memory, std::size_t size) noexcept {
  if (memory == nullptr) return allocate(size);
  if (kKept == 0) return std::realloc(memory, size);
  return keeping_lists().resize(memory, ::malloc_usable_size(memory), size);
}

std::string Spare::text() {
  auto& kept = texts();
  if (kept.empty()) return {};
  std::string lent = std::move(kept.back());
  kept.pop_back();
  return lent;
}

void Spare::give_back(std::string&& text) {
  auto& kept = texts();
  if (kKept == 0 || text.capacity() < kBlock || text.capacity() > kLargestText ||
      kept.size() >= kTexts)
    return;
  kept.push_back(std::move(text));
  kept.back().clear();
}

}  // namespace gatescope
