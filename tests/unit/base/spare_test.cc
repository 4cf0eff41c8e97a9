#include "proxy/base/spare.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <set>
#include <thread>
#include <vector>

#include "tests/support/catch.h"

using gatescope::Spare;

namespace {

// Under AddressSanitizer memory that was given back shall not come again at once.
constexpr bool kKeeps = Spare::kKept > 0;

}  // namespace

TEST_CASE("a piece that was given back is the next of its size") {
  for (const std::size_t size : {1u, 24u, 25u, 700u, 1032u, 1033u, 1500u, 4096u, 16700u}) {
    INFO(size);
    void* const first = Spare::allocate(size);
    std::memset(first, 1, size);
    Spare::release(first, size);
    void* const second = Spare::allocate(size);
    CHECK((first == second) == kKeeps);
    Spare::release(second);
  }
}

TEST_CASE(
    "memory of malloc's may be given back, whatever its size, and holds what it is lent for") {
  // All of them are lent at once, and written to their ends: what is too short, or lent twice,
  // shows as a piece that has changed.
  for (std::size_t size = 1; size < 20'000; size += 61)
    Spare::release(std::malloc(size));
  struct Lent {
    unsigned char* memory;
    std::size_t size;
    unsigned char mark;
  };
  std::vector<Lent> lent;
  for (std::size_t size = 1; size < 20'000; size += 37) {
    const auto mark = static_cast<unsigned char>(lent.size());
    lent.push_back({static_cast<unsigned char*>(Spare::allocate(size)), size, mark});
    std::memset(lent.back().memory, mark, size);
  }
  for (const Lent& piece : lent) {
    std::size_t same = 0;
    while (same < piece.size && piece.memory[same] == piece.mark)
      ++same;
    CHECK(same == piece.size);
    Spare::release(piece.memory);
  }
}

TEST_CASE("a thread keeps no more than its bound") {
  constexpr std::size_t kSize = Spare::kBlock, kMany = Spare::kKept / kSize + 100;
  std::vector<void*> pieces;
  for (std::size_t i = 0; i < kMany; ++i)
    pieces.push_back(Spare::allocate(kSize));
  const std::set<void*> given(pieces.begin(), pieces.end());
  for (void* piece : pieces)
    Spare::release(piece, kSize);
  // What came back last was freed, since the bound was reached before: it is not lent again first.
  void* const next = Spare::allocate(kSize);
  CHECK(next != pieces.back());
  CHECK(given.count(next) == (kKeeps ? 1 : 0));
  Spare::release(next, kSize);
}

TEST_CASE("of pieces for TLS records a thread keeps a few") {
  constexpr std::size_t kSize = 16'700, kMany = 1000;
  std::vector<void*> pieces;
  for (std::size_t i = 0; i < kMany; ++i)
    pieces.push_back(Spare::allocate(kSize));
  for (void* piece : pieces)
    Spare::release(piece, kSize);
  // The first ones that came back are lent in turn; behind them it is malloc() again.
  std::size_t again = 0;
  for (std::size_t i = 0; i < kMany; ++i) {
    void* const piece = Spare::allocate(kSize);
    if (i < 40 && piece == pieces[31 - std::min<std::size_t>(i, 31)]) ++again;
    pieces.push_back(piece);
  }
  CHECK(again == (kKeeps ? 32 : 0));
  for (std::size_t i = kMany; i < pieces.size(); ++i)
    Spare::release(pieces[i]);
}

TEST_CASE("what a thread keeps ends with it, and may come from another one") {
  void* const from_here = Spare::allocate(500);
  void* in_thread = nullptr;
  std::thread([&] {
    Spare::release(from_here, 500);
    void* const lent = Spare::allocate(500);
    CHECK((lent == from_here) == kKeeps);
    in_thread = lent;
  }).join();
  Spare::release(in_thread, 500);
}
