#include "proxy/base/spare_lists.h"

#include <algorithm>
#include <cstring>

namespace gatescope {

/// Of the piece that a chunk of malloc()'s can be; kSizes: of none. malloc() rounds up by a step.
std::size_t SpareLists::place_of(std::size_t room) {
  if (room < kLeast) return kSizes;
  if (room < bytes_of(kSmall - 1) + kStep) return (room - kLeast) / kStep;
  std::size_t place = kSizes;
  while (place-- > kSmall)
    if (room >= bytes_of(place)) return room <= bytes_of(place) + kStep ? place : kSizes;
  return kSizes;
}

void* SpareLists::resize(void* memory, std::size_t room, std::size_t size) noexcept {
  if (place_of(room) == kSizes && place_for(size) == kSizes) return std::realloc(memory, size);
  if (size <= room && size > room / 2) return memory;
  void* const made = allocate(size);
  if (made == nullptr) return nullptr;
  std::memcpy(made, memory, std::min(room, size));
  release_chunk(memory, room);
  return made;
}

void SpareLists::keep(void* memory, std::size_t place) noexcept {
  if (place == kSizes || (is_record(place) && records_of(place) == kMostRecords) ||
      (kept_ + bytes_of(place) > most_ && !make_room(place)))
    return std::free(memory);
  kept_ += bytes_of(place);
  if (is_record(place)) ++records_of(place);
  first_[place] = new (memory) Free{first_[place]};
}

/// For one piece, by freeing others: at most one of each size, which bounds what it costs. For a
/// large piece among small ones several calls may be needed until one has room.
bool SpareLists::make_room(std::size_t place) noexcept {
  for (std::size_t looked = 0; looked < kSizes; ++looked) {
    turn_ = (turn_ + 1) % kSizes;
    Free*& first = first_[turn_];
    if (turn_ == place || first == nullptr) continue;
    std::free(std::exchange(first, first->next));
    kept_ -= bytes_of(turn_);
    if (is_record(turn_)) --records_of(turn_);
    if (kept_ + bytes_of(place) <= most_) return true;
  }
  return false;
}

void SpareLists::close() noexcept {
  most_ = 0;
  clear();
}

void SpareLists::clear() noexcept {
  for (Free*& first : first_)
    while (first != nullptr)
      std::free(std::exchange(first, first->next));
  kept_ = 0;
  std::fill(std::begin(records_), std::end(records_), 0);
}

}  // namespace gatescope
