#pragma once

// Memory that lives as long as one exchange: bump allocation, freed all at once, reused by the
// next.

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string_view>

#include "proxy/base/spare.h"

namespace gatescope {

/// Owned by an Exchange (or whoever needs short-lived text). Not thread-safe. Nothing is destroyed
/// in it: put only bytes and trivially destructible things there.
class Arena {
  struct Block {
    Block* before;
    std::size_t size;  // of what follows
  };

 public:
  /// Of a usual block: fits a usual head and its variables; larger needs get their own.
  static constexpr std::size_t kBlock = Spare::kBlock - sizeof(Block);

  Arena() = default;
  ~Arena() { release(); }
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  void* allocate(std::size_t bytes, std::size_t alignment = alignof(std::max_align_t)) {
    const std::uintptr_t start = (next_ + alignment - 1) & ~(alignment - 1);
    if (start >= end_ || bytes > end_ - start) return allocate_elsewhere(bytes, alignment);
    next_ = start + bytes;
    return reinterpret_cast<void*>(start);
  }
  std::string_view copy(std::string_view text);
  std::string_view join(std::initializer_list<std::string_view> parts);
  /// Writable text of n bytes.
  char* text(std::size_t n) { return static_cast<char*>(allocate(n, 1)); }
  /// Forgets everything, keeps the first block for the next use.
  void reset();
  /// Forgets everything and holds nothing.
  void release();
  /// Bytes that it has of the heap for use.
  std::size_t capacity() const;

 private:
  void* allocate_elsewhere(std::size_t bytes, std::size_t alignment);
  static Block* make_block(std::size_t size, Block* before);
  static void free_all(Block* last);
  void use(Block* block);

  Block* last_ = nullptr;              // it is filled; null: there is none
  std::uintptr_t next_ = 0, end_ = 0;  // of what is free in it; both zero without one
};

}  // namespace gatescope
