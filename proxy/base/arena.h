#pragma once

// Memory that lives as long as one exchange: bump allocation, freed all at once, reused by the
// next.

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <string_view>
#include <vector>

#include "proxy/base/spare.h"

namespace gatescope {

/// Owned by an Exchange (or whoever needs short-lived text). Not thread-safe. Nothing is destroyed
/// in it: put only bytes and trivially destructible things there.
class Arena {
 public:
  static constexpr std::size_t kBlock =
      Spare::kBlock;  // fits a usual head and its variables; larger needs get their own block

  void* allocate(std::size_t bytes, std::size_t alignment = alignof(std::max_align_t));
  std::string_view copy(std::string_view text);
  std::string_view join(std::initializer_list<std::string_view> parts);
  /// Writable text of n bytes.
  char* text(std::size_t n) { return static_cast<char*>(allocate(n, 1)); }
  /// Forgets everything, keeps the first block for the next use.
  void reset();
  /// Forgets everything and holds nothing.
  void release();
  /// Bytes held from the heap.
  std::size_t capacity() const;

 private:
  struct Block {
    Spare::Block memory;
    std::size_t size = 0;
  };
  Spare::Vector<Block> blocks_;
  std::size_t used_ = 0;  // within blocks_.back()
};

}  // namespace gatescope
