#include "proxy/base/spare.h"

#include <array>
#include <new>
#include <vector>

namespace gatescope {

namespace {

// A string that once carried a large answer is not worth keeping.
constexpr std::size_t kLargestText = 32 * 1024;

// Objects are given as much as the next of these; larger ones come from the heap.
constexpr std::size_t kSizes[] = {512, 1536, Spare::kBlock};

struct Kept {
  std::array<std::vector<std::unique_ptr<std::byte[]>>, std::size(kSizes)> objects;
  std::vector<std::unique_ptr<std::byte[]>>& blocks = objects.back();
  std::vector<std::string> texts;
};

Kept& kept() {
  thread_local Kept of_this_thread;
  return of_this_thread;
}

}  // namespace

void Spare::GiveBack::operator()(std::byte* memory) const {
  std::unique_ptr<std::byte[]> owned(memory);
  auto& blocks = kept().blocks;
  if (size == kBlock && blocks.size() < kKept) blocks.push_back(std::move(owned));
}

Spare::Block Spare::block(std::size_t size) {
  if (auto& blocks = kept().blocks; size == kBlock && !blocks.empty()) {
    Block lent(blocks.back().release(), GiveBack{size});
    blocks.pop_back();
    return lent;
  }
  return Block(new std::byte[size == 0 ? 1 : size], GiveBack{size});
}

void* Spare::Object::operator new(std::size_t size) {
  for (std::size_t i = 0; i < std::size(kSizes); ++i) {
    if (size > kSizes[i]) continue;
    auto& spare = kept().objects[i];
    if (spare.empty()) return new std::byte[kSizes[i]];
    auto* const memory = spare.back().release();
    spare.pop_back();
    return memory;
  }
  return ::operator new(size);
}

void Spare::Object::operator delete(void* memory, std::size_t size) {
  for (std::size_t i = 0; i < std::size(kSizes); ++i) {
    if (size > kSizes[i]) continue;
    std::unique_ptr<std::byte[]> owned(static_cast<std::byte*>(memory));
    if (auto& spare = kept().objects[i]; spare.size() < kKept) spare.push_back(std::move(owned));
    return;
  }
  ::operator delete(memory);
}

std::string Spare::text() {
  auto& texts = kept().texts;
  if (texts.empty()) return {};
  std::string lent = std::move(texts.back());
  texts.pop_back();
  return lent;
}

void Spare::give_back(std::string&& text) {
  auto& texts = kept().texts;
  if (text.capacity() < kBlock || text.capacity() > kLargestText || texts.size() >= kKept) return;
  texts.push_back(std::move(text));
  texts.back().clear();
}

}  // namespace gatescope
