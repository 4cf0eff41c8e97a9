#include "proxy/base/arena.h"

#include <cstdint>
#include <cstring>

#include "tests/support/catch.h"

using gatescope::Arena;

TEST_CASE("Arena gives aligned memory that does not overlap") {
  Arena arena;
  std::vector<std::pair<char*, std::size_t>> given;
  for (std::size_t i = 1; i < 400; ++i) {
    const std::size_t alignment = std::size_t{1} << (i % 8);
    char* const p = static_cast<char*>(arena.allocate(i, alignment));
    CHECK(reinterpret_cast<std::uintptr_t>(p) % alignment == 0);
    std::memset(p, static_cast<int>(i % 251), i);
    given.emplace_back(p, i);
  }
  for (const auto& [p, n] : given) {
    CHECK(static_cast<unsigned char>(p[0]) == n % 251);
    CHECK(static_cast<unsigned char>(p[n - 1]) == n % 251);
  }
}

TEST_CASE("Arena copies and joins text") {
  Arena arena;
  std::string original = "text";
  const auto copy = arena.copy(original);
  original = "gone";
  CHECK(copy == "text");
  CHECK(arena.join({"a", "", "bc", std::string_view()}) == "abc");
  CHECK(arena.join({}).empty());
  CHECK(arena.copy({}).data() != nullptr);
}

TEST_CASE("Arena keeps filling its block after a large piece") {
  Arena arena;
  char* const before = arena.text(8);
  arena.text(100'000);
  char* const after = arena.text(8);
  CHECK(after == before + 8);
  CHECK(arena.capacity() == Arena::kBlock + 100'000);
}

TEST_CASE("Arena reset keeps one usual block and gives the rest back") {
  Arena arena;
  char* first = nullptr;
  for (int i = 0; i < 20; ++i)
    first = arena.text(1000);
  arena.text(50'000);
  arena.reset();
  CHECK(arena.capacity() == Arena::kBlock);
  first = arena.text(10);
  arena.reset();
  CHECK(arena.text(10) == first);

  Arena only_large;
  only_large.text(50'000);
  only_large.reset();
  CHECK(only_large.capacity() == 0);
}
