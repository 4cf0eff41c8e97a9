#pragma once

// What Spare keeps of memory: lists of pieces by size.

#include <cstddef>
#include <cstdlib>
#include <iterator>
#include <new>
#include <utility>

namespace gatescope {

/// The pieces of one thread. Pieces are of so many bytes: those that glibc's chunks have room for
/// anyway, up to 1 KB each of them. Above it only those that come and go with requests: an
/// Exchange, a block, and what OpenSSL takes for a record. What a connection keeps gets no more
/// than it asked for. Has no destructor, so that a thread's needs no look whether it was begun:
/// close() frees. Owned by Spare; a class of its own because under AddressSanitizer Spare keeps
/// nothing, and its rules are tested there too.
class SpareLists {
 public:
  static constexpr std::size_t kLeast = 24, kStep = 16, kSmall = 64;
  struct Size {
    std::size_t bytes, from;  // for `from` bytes and more
  };
  static constexpr Size kLarge[] = {{1544, 1033}, {4104, 4096}, {18424, 16385}};
  static constexpr std::size_t kSizes = kSmall + std::size(kLarge);
  // Of records: two are in use at a time, but a burst of handshakes gives back hundreds.
  static constexpr std::size_t kMostRecords = 32;

  /// Keeps at most so many bytes.
  explicit constexpr SpareLists(std::size_t most) : most_(most) {}

  void* allocate(std::size_t size) noexcept {
    const std::size_t place = place_for(size);
    if (place == kSizes) return std::malloc(size);
    Free* const first = first_[place];
    if (first == nullptr) return std::malloc(bytes_of(place));
    first_[place] = first->next;
    kept_ -= bytes_of(place);
    records_ -= place + 1 == kSizes;
    return first;
  }
  /// What allocate(size) gave.
  void release(void* memory, std::size_t size) noexcept { keep(memory, place_for(size)); }
  /// What malloc() gave, with room for so many bytes.
  void release_chunk(void* memory, std::size_t room) noexcept { keep(memory, place_of(room)); }
  std::size_t kept() const { return kept_; }
  /// Frees all of it and keeps nothing from now on.
  void close() noexcept;

 private:
  struct Free {
    Free* next;
  };
  static constexpr std::size_t bytes_of(std::size_t place) {
    return place < kSmall ? kLeast + place * kStep : kLarge[place - kSmall].bytes;
  }
  /// Of the smallest piece with that room; kSizes: there is none.
  static constexpr std::size_t place_for(std::size_t size) {
    if (size > bytes_of(kSmall - 1)) return large_place_for(size);
    return size <= kLeast ? 0 : (size - kLeast + kStep - 1) / kStep;
  }
  static std::size_t large_place_for(std::size_t size);
  static std::size_t place_of(std::size_t room);
  void keep(void* memory, std::size_t place) noexcept;

  std::size_t most_;
  Free* first_[kSizes] = {};
  std::size_t kept_ = 0;     // bytes in all of them
  std::size_t records_ = 0;  // pieces of the largest size
};

}  // namespace gatescope
