#include "proxy/base/spare_lists.h"

namespace gatescope {

std::size_t SpareLists::large_place_for(std::size_t size) {
  std::size_t place = kSmall;
  while (place < kSizes && bytes_of(place) < size)
    ++place;
  return place < kSizes && size >= kLarge[place - kSmall].from ? place : kSizes;
}

/// Of the piece that a chunk of malloc()'s can be; kSizes: of none. malloc() rounds up by a step.
std::size_t SpareLists::place_of(std::size_t room) {
  if (room < kLeast) return kSizes;
  if (room < bytes_of(kSmall - 1) + kStep) return (room - kLeast) / kStep;
  std::size_t place = kSmall;
  while (place < kSizes && bytes_of(place) + kStep < room)
    ++place;
  return place < kSizes && bytes_of(place) <= room ? place : kSizes;
}

void SpareLists::keep(void* memory, std::size_t place) noexcept {
  const bool is_record = place + 1 == kSizes;
  if (place == kSizes || kept_ + bytes_of(place) > most_ || (is_record && records_ == kMostRecords))
    return std::free(memory);
  kept_ += bytes_of(place);
  records_ += is_record;
  first_[place] = new (memory) Free{first_[place]};
}

void SpareLists::close() noexcept {
  most_ = 0;
  for (Free*& first : first_)
    while (first != nullptr)
      std::free(std::exchange(first, first->next));
  kept_ = records_ = 0;
}

}  // namespace gatescope
