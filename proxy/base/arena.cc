#include "proxy/base/arena.h"

#include <cstdint>
#include <cstring>

namespace gatescope {

void* Arena::allocate(std::size_t bytes, std::size_t alignment) {
  if (!blocks_.empty()) {
    Block& block = blocks_.back();
    const auto base = reinterpret_cast<std::uintptr_t>(block.memory.get());
    const std::size_t start = ((base + used_ + alignment - 1) & ~(alignment - 1)) - base;
    if (start <= block.size && bytes <= block.size - start) {
      used_ = start + bytes;
      return block.memory.get() + start;
    }
  }
  // Slack for alignments beyond what operator new gives.
  const std::size_t slack = alignment > alignof(std::max_align_t) ? alignment : 0;
  const std::size_t needed = bytes + slack;
  const bool large = needed > kBlock / 4;
  const std::size_t size = large ? needed : kBlock;
  Block made{Spare::block(size), size};
  const auto base = reinterpret_cast<std::uintptr_t>(made.memory.get());
  const std::size_t start = ((base + alignment - 1) & ~(alignment - 1)) - base;
  std::byte* result = made.memory.get() + start;
  if (large && !blocks_.empty()) {
    // Goes below the current block, whose rest stays usable.
    blocks_.insert(blocks_.end() - 1, std::move(made));
  } else {
    blocks_.push_back(std::move(made));
    used_ = start + bytes;
  }
  return result;
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
  used_ = 0;
  if (blocks_.empty()) return;
  // One block of the usual size is kept; a large one is not: one large request would cost for ever.
  Block kept = std::move(blocks_.back());
  blocks_.clear();
  if (kept.size == kBlock) blocks_.push_back(std::move(kept));
}

void Arena::release() {
  used_ = 0;
  decltype(blocks_)().swap(blocks_);
}

std::size_t Arena::capacity() const {
  std::size_t total = 0;
  for (const Block& block : blocks_)
    total += block.size;
  return total;
}

}  // namespace gatescope
