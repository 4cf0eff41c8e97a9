#include "proxy/base/arena.h"

#include <cstring>
#include <new>

namespace gatescope {

Arena::Block* Arena::make_block(std::size_t size, Block* before) {
  void* const memory = Spare::allocate(sizeof(Block) + size);
  if (memory == nullptr) throw std::bad_alloc();
  return new (memory) Block{before, size};
}

void Arena::free_all(Block* last) {
  while (last != nullptr) {
    Block* const before = last->before;
    Spare::release(last, sizeof(Block) + last->size);
    last = before;
  }
}

void Arena::use(Block* block) {
  last_ = block;
  next_ = block == nullptr ? 0 : reinterpret_cast<std::uintptr_t>(block + 1);
  end_ = block == nullptr ? 0 : next_ + block->size;
}

void* Arena::allocate_elsewhere(std::size_t bytes, std::size_t alignment) {
  // Slack for alignments beyond what Spare gives.
  const std::size_t slack = alignment > alignof(std::max_align_t) ? alignment : 0;
  const std::size_t needed = bytes + slack;
  if (needed > kBlock / 4 && last_ != nullptr) {
    // Goes below the current block, whose rest stays usable.
    last_->before = make_block(needed, last_->before);
    const auto base = reinterpret_cast<std::uintptr_t>(last_->before + 1);
    return reinterpret_cast<void*>((base + alignment - 1) & ~(alignment - 1));
  }
  use(make_block(needed > kBlock / 4 ? needed : kBlock, last_));
  return allocate(bytes, alignment);
}

std::string_view Arena::copy(std::string_view text_in) {
  if (text_in.empty()) return "";
  char* to = text(text_in.size());
  std::memcpy(to, text_in.data(), text_in.size());
  return {to, text_in.size()};
}

std::string_view Arena::join(std::initializer_list<std::string_view> parts) {
  std::size_t total = 0;
  for (std::string_view part : parts)
    total += part.size();
  if (total == 0) return "";
  char* const result = text(total);
  char* to = result;
  for (std::string_view part : parts) {
    if (part.empty()) continue;  // its data() may be null
    std::memcpy(to, part.data(), part.size());
    to += part.size();
  }
  return {result, total};
}

void Arena::reset() {
  if (last_ == nullptr) return;
  free_all(last_->before);
  last_->before = nullptr;
  // One block of the usual size is kept; a large one is not: one large request would cost for ever.
  if (last_->size != kBlock) return release();
  use(last_);
}

void Arena::release() {
  free_all(last_);
  use(nullptr);
}

std::size_t Arena::capacity() const {
  std::size_t total = 0;
  for (const Block* block = last_; block != nullptr; block = block->before)
    total += block->size;
  return total;
}

}  // namespace gatescope
