#pragma once

// What Spare keeps of memory: lists of pieces by size.

#include <cstddef>
#include <cstdlib>
#include <iterator>
#include <new>
#include <utility>

namespace gatescope {

/// The pieces of one thread. Pieces are of so many bytes: those that glibc's chunks have room for
/// anyway, up to 1 KB each of them. Above it only those that come and go with requests and
/// handshakes: an Exchange, what OpenSSL derives keys in, a block, an SSL object, what OpenSSL
/// takes for a record and for a handshake message. What a connection keeps gets no more than it
/// asked for. When the bound is reached, what is given back last stays: pieces of other sizes make
/// room, each in turn, or a size that is given back and not asked for again would displace those
/// that are. Has no destructor, so that a thread's needs no look whether it was begun: close()
/// frees. Owned by Spare; a class of its own because under AddressSanitizer Spare keeps nothing,
/// and its rules are tested there too.
class SpareLists {
 public:
  static constexpr std::size_t kLeast = 24, kStep = 16, kSmall = 64;
  struct Size {
    std::size_t bytes, from;  // for `from` bytes and more
  };
  static constexpr Size kLarge[] = {{1544, 1033}, {3272, 3257},   {4104, 4096},
                                    {7608, 7593}, {18424, 16385}, {21848, 21840}};
  static constexpr std::size_t kSizes = kSmall + std::size(kLarge);
  // Of records, and of messages: two are in use at a time, but a burst of handshakes gives back
  // hundreds.
  static constexpr std::size_t kRecordSizes = 2, kMostRecords = 64;

  /// Keeps at most so many bytes.
  explicit constexpr SpareLists(std::size_t most) : most_(most) {}

  void* allocate(std::size_t size) noexcept {
    const std::size_t place = place_for(size);
    if (place == kSizes) return std::malloc(size);
    Free* const first = first_[place];
    if (first == nullptr) return std::malloc(bytes_of(place));
    first_[place] = first->next;
    kept_ -= bytes_of(place);
    if (is_record(place)) --records_of(place);
    return first;
  }
  /// What allocate(size) gave.
  void release(void* memory, std::size_t size) noexcept { keep(memory, place_for(size)); }
  /// What malloc() gave, with room for so many bytes.
  void release_chunk(void* memory, std::size_t room) noexcept { keep(memory, place_of(room)); }
  /// realloc() of what malloc() gave, with so much room; size > 0.
  void* resize(void* memory, std::size_t room, std::size_t size) noexcept;
  std::size_t kept() const { return kept_; }
  /// Frees all of it.
  void clear() noexcept;
  /// The same, and keeps nothing from now on.
  void close() noexcept;

 private:
  struct Free {
    Free* next;
  };
  static constexpr std::size_t bytes_of(std::size_t place) {
    return place < kSmall ? kLeast + place * kStep : kLarge[place - kSmall].bytes;
  }
  static constexpr std::size_t large_place_for(std::size_t size) {
    std::size_t place = kSizes;
    while (place-- > kSmall)  // records, which every request takes, are among the last
      if (size >= kLarge[place - kSmall].from) return size <= bytes_of(place) ? place : kSizes;
    return kSizes;
  }
  /// Of the smallest piece with that room; kSizes: there is none.
  static constexpr std::size_t place_for(std::size_t size) {
    if (size > bytes_of(kSmall - 1)) return large_place_for(size);
    return size <= kLeast ? 0 : (size - kLeast + kStep - 1) / kStep;
  }
  static constexpr bool is_record(std::size_t place) { return place + kRecordSizes >= kSizes; }
  std::size_t& records_of(std::size_t place) { return records_[place + kRecordSizes - kSizes]; }
  static std::size_t place_of(std::size_t room);
  void keep(void* memory, std::size_t place) noexcept;
  bool make_room(std::size_t place) noexcept;

  std::size_t most_;
  Free* first_[kSizes] = {};
  std::size_t kept_ = 0;                    // bytes in all of them
  std::size_t records_[kRecordSizes] = {};  // pieces of the largest sizes
  std::size_t turn_ = 0;                    // the size that made room last
};

/// Frees what the calling thread keeps in Spare: the pieces lie scattered, and each holds its page.
void free_spare() noexcept;

}  // namespace gatescope
