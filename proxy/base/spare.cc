#include "proxy/base/spare.h"

#include <malloc.h>

#include <cstdlib>
#include <iterator>
#include <new>
#include <utility>
#include <vector>

namespace gatescope {

namespace {

// A string that once carried a large answer is not worth keeping.
constexpr std::size_t kLargestText = 32 * 1024;
constexpr std::size_t kTexts = 64;

// Pieces are of so many bytes: those that glibc's chunks have room for anyway, up to 1 KB each of
// them. Above it only those that come and go with requests: an Exchange, a block, and what OpenSSL
// takes for a record. What a connection keeps gets no more than it asked for.
constexpr std::size_t kLeast = 24, kStep = 16, kSmall = 64;
struct Size {
  std::size_t bytes, from;  // for `from` bytes and more
};
constexpr Size kLarge[] = {{1544, 1033}, {4104, Spare::kBlock}, {18424, 16385}};
// Of records: two are in use at a time, but a burst of handshakes gives back hundreds.
constexpr std::size_t kMostRecords = 32;
constexpr std::size_t kSizes = kSmall + std::size(kLarge);

constexpr std::size_t bytes_of(std::size_t place) {
  return place < kSmall ? kLeast + place * kStep : kLarge[place - kSmall].bytes;
}

/// Of the piece for so many; kSizes: there is none.
std::size_t place_for(std::size_t size) {
  if (size <= bytes_of(kSmall - 1)) return size <= kLeast ? 0 : (size - kLeast + kStep - 1) / kStep;
  std::size_t place = kSmall;
  while (place < kSizes && bytes_of(place) < size)
    ++place;
  return place < kSizes && size >= kLarge[place - kSmall].from ? place : kSizes;
}

/// Of the piece that a chunk of malloc()'s can be; kSizes: of none. malloc() rounds up by a step.
std::size_t place_of(std::size_t room) {
  if (room < kLeast) return kSizes;
  if (room < bytes_of(kSmall - 1) + kStep) return (room - kLeast) / kStep;
  std::size_t place = kSmall;
  while (place < kSizes && bytes_of(place) + kStep < room)
    ++place;
  return place < kSizes && bytes_of(place) <= room ? place : kSizes;
}

struct Free {
  Free* next;
};

struct Lists {
  Free* first[kSizes];
  std::size_t kept;     // bytes in all of them
  std::size_t records;  // pieces of the largest size
  bool closed;          // the thread ends: nothing more is kept
};

Lists& of_this_thread() {
  // Without a constructor or a destructor asking for it is an instruction.
  static constinit thread_local Lists lists{};
  return lists;
}

struct Closing {
  ~Closing() {
    Lists& lists = of_this_thread();
    lists.closed = true;
    for (Free*& first : lists.first)
      while (first != nullptr)
        std::free(std::exchange(first, first->next));
    lists.kept = lists.records = 0;
  }
};

void keep(void* memory, std::size_t place) {
  Lists& lists = of_this_thread();
  const bool is_record = place + 1 == kSizes;
  if (place == kSizes || lists.closed || lists.kept + bytes_of(place) > Spare::kKept ||
      (is_record && lists.records == kMostRecords))
    return std::free(memory);
  if (lists.kept == 0) {
    static thread_local const Closing at_end;
    (void)at_end;
  }
  lists.kept += bytes_of(place);
  lists.records += is_record;
  lists.first[place] = new (memory) Free{lists.first[place]};
}

std::vector<std::string>& texts() {
  thread_local std::vector<std::string> of_this_thread;
  return of_this_thread;
}

}  // namespace

void* Spare::allocate(std::size_t size) noexcept {
  const std::size_t place = place_for(size);
  if (place == kSizes) return std::malloc(size);
  Lists& lists = of_this_thread();
  Free* const first = lists.first[place];
  if (first == nullptr) return std::malloc(kKept == 0 ? size : bytes_of(place));
  lists.first[place] = first->next;
  lists.kept -= bytes_of(place);
  lists.records -= place + 1 == kSizes;
  return first;
}

void Spare::release(void* memory) noexcept {
  if (memory != nullptr) keep(memory, place_of(::malloc_usable_size(memory)));
}

void Spare::release(void* memory, std::size_t size) noexcept {
  if (memory != nullptr) keep(memory, place_for(size));
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
