#pragma once

// Memory that a thread keeps for its next use.

#include <cstddef>
#include <memory>
#include <string>

namespace gatescope {

/// A connection holds buffers only while it has something to do; between two requests the thread
/// has them. So an idle connection costs none, a busy one no allocation, and the heap is not left
/// full of holes between long-lived objects. Lent and given back on any thread; each keeps up to
/// kKept of a kind, what is more is freed. Under AddressSanitizer nothing is kept: a use after the
/// end must show.
class Spare {
 public:
  static constexpr std::size_t kBlock = 4096;
#if defined(__SANITIZE_ADDRESS__)
  static constexpr std::size_t kKept = 0;
#else
  static constexpr std::size_t kKept = 64;
#endif

  struct GiveBack {
    std::size_t size = 0;  // of the memory; one of kBlock goes to the thread
    void operator()(std::byte* memory) const;
  };
  using Block = std::unique_ptr<std::byte[], GiveBack>;
  /// Not cleared.
  static Block block(std::size_t size);

  /// A base of classes of which each request makes one, which malloc has no quick place for.
  class Object {
   public:
    static void* operator new(std::size_t size);
    static void operator delete(void* memory, std::size_t size);
  };

  /// An empty string; with a capacity of kBlock or more if the thread has one.
  static std::string text();
  static void give_back(std::string&& text);
};

}  // namespace gatescope
