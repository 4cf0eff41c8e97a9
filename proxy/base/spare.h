#pragma once

// Memory that a thread keeps for its next use.

#include <cstddef>
#include <limits>
#include <memory>
#include <new>
#include <string>
#include <vector>

namespace gatescope {

/// A connection holds buffers only while it has something to do; between two requests the thread
/// has them. So an idle connection costs none, a busy one no search of the heap, and the heap is
/// not left full of holes between long-lived objects. malloc() does the same for seven pieces of a
/// size and for no piece above 1 KB; a turn of HTTP/2 has hundreds, and a TLS record 17 KB. Taken
/// and given back on any thread. Under AddressSanitizer nothing is kept: a use after the end must
/// show.
class Spare {
 public:
  static constexpr std::size_t kBlock = 4096;
  /// Bytes that each thread keeps at most; what is more is freed.
#if defined(__SANITIZE_ADDRESS__)
  static constexpr std::size_t kKept = 0;
#else
  static constexpr std::size_t kKept = 4 << 20;
#endif

  /// As malloc(): aligned for everything, not cleared; null when there is no memory.
  static void* allocate(std::size_t size) noexcept;
  /// What allocate(size) gave.
  static void release(void* memory, std::size_t size) noexcept;
  /// What allocate() or malloc() and its like gave: for C libraries.
  static void release(void* memory) noexcept;
  /// The same as realloc(), of what those gave; size > 0. A realloc() of the C library's would turn
  /// pieces of one size into pieces of another, until the thread has only what nobody asks for.
  static void* resize(void* memory, std::size_t size) noexcept;

  /// A base of classes of which each request makes one.
  class Object {
   public:
    static void* operator new(std::size_t size) { return Spare::checked(Spare::allocate(size)); }
    static void operator delete(void* memory, std::size_t size) { Spare::release(memory, size); }
  };

  /// For containers that each request fills.
  template <class T>
  struct Allocator {
    using value_type = T;
    Allocator() = default;
    template <class U>
    Allocator(const Allocator<U>&) noexcept {}
    T* allocate(std::size_t count) {
      static_assert(alignof(T) <= alignof(std::max_align_t));
      if (count > std::numeric_limits<std::size_t>::max() / sizeof(T)) throw std::bad_alloc();
      return static_cast<T*>(Spare::checked(Spare::allocate(count * sizeof(T))));
    }
    void deallocate(T* memory, std::size_t count) { Spare::release(memory, count * sizeof(T)); }
    bool operator==(const Allocator&) const = default;
  };

  template <class T>
  using Vector = std::vector<T, Allocator<T>>;

  struct GiveBack {
    std::size_t size = 0;
    void operator()(std::byte* memory) const { Spare::release(memory, size); }
  };
  using Block = std::unique_ptr<std::byte[], GiveBack>;
  static Block block(std::size_t size) {
    return Block(static_cast<std::byte*>(checked(allocate(size))), GiveBack{size});
  }

  /// An empty string; with a capacity of kBlock or more if the thread has one.
  static std::string text();
  static void give_back(std::string&& text);

 private:
  static void* checked(void* memory) {
    if (memory == nullptr) throw std::bad_alloc();
    return memory;
  }
};

}  // namespace gatescope
