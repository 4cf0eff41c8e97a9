#include "proxy/base/spare.h"

#include <malloc.h>

#include <cstdlib>
#include <cstring>
#include <thread>
#include <utility>
#include <vector>

#include "proxy/base/spare_lists.h"
#include "tests/support/catch.h"

using gatescope::Spare;
using gatescope::SpareLists;

namespace {

/// As a thread's, also under AddressSanitizer, where those keep nothing.
struct Lists : SpareLists {
  explicit Lists(std::size_t most = 4 << 20) : SpareLists(most) {}
  ~Lists() { close(); }
};

}  // namespace

TEST_CASE("a piece that was given back is the next of its size") {
  Lists lists;
  for (const std::size_t size : {1u, 24u, 25u, 700u, 1032u, 1033u, 1500u, 4096u, 16700u}) {
    INFO(size);
    void* const first = lists.allocate(size);
    std::memset(first, 1, size);
    lists.release(first, size);
    CHECK(lists.kept() >= size);
    void* const second = lists.allocate(size);
    CHECK(first == second);
    CHECK(lists.kept() == 0);
    std::free(second);
  }
}

TEST_CASE("what a connection keeps is not lent more than it asked for") {
  Lists lists;
  for (const std::size_t size : {1545u, 3000u, 6200u, 16384u, 20'000u}) {
    INFO(size);
    lists.release(lists.allocate(size), size);
    CHECK(lists.kept() == 0);
  }
}

TEST_CASE(
    "memory of malloc's may be given back, whatever its size, and holds what it is lent for") {
  Lists lists;
  // All of them are lent at once, and written to their ends: what is too short, or lent twice,
  // shows as a piece that has changed.
  for (std::size_t size = 1; size < 20'000; size += 61)
    lists.release_chunk(std::malloc(size), size);
  CHECK(lists.kept() > 0);
  struct Lent {
    unsigned char* memory;
    std::size_t size;
    unsigned char mark;
  };
  std::vector<Lent> lent;
  for (std::size_t size = 1; size < 20'000; size += 37) {
    const auto mark = static_cast<unsigned char>(lent.size());
    lent.push_back({static_cast<unsigned char*>(lists.allocate(size)), size, mark});
    std::memset(lent.back().memory, mark, size);
  }
  for (const Lent& piece : lent) {
    std::size_t same = 0;
    while (same < piece.size && piece.memory[same] == piece.mark)
      ++same;
    CHECK(same == piece.size);
    lists.release(piece.memory, piece.size);
  }
}

TEST_CASE("no more is kept than the bound, and of pieces for TLS records a few") {
  Lists lists(100 * 4104);
  const auto give_back = [&](std::size_t size, int pieces) {
    std::vector<void*> taken;
    for (int i = 0; i < pieces; ++i)
      taken.push_back(lists.allocate(size));
    for (void* piece : taken)
      lists.release(piece, size);
    return lists.kept();
  };
  CHECK(give_back(4096, 500) == 100 * 4104);
  lists.close();
  Lists others;
  std::vector<void*> records;
  for (int i = 0; i < 1000; ++i)
    records.push_back(others.allocate(16'700));
  for (void* record : records)
    others.release(record, 16'700);
  CHECK(others.kept() == SpareLists::kMostRecords * 18424);
}

TEST_CASE("what is asked for again displaces what is not") {
  Lists lists(100 * 4104);
  std::vector<void*> blocks;
  for (int i = 0; i < 200; ++i)
    blocks.push_back(lists.allocate(4096));
  for (void* block : blocks)
    lists.release(block, 4096);
  for (const std::size_t size : {24u, 500u, 1500u, 16'700u}) {
    INFO(size);
    for (int i = 0; i < 200; ++i)
      lists.release(lists.allocate(size), size);
    CHECK(lists.kept() <= 100 * 4104);
    const std::size_t before = lists.kept();
    void* const again = lists.allocate(size);
    CHECK(lists.kept() + size <= before);  // it had been kept
    std::free(again);
  }
}

TEST_CASE("many records leave room for the messages of handshakes, and the other way round") {
  for (const auto& [many, other] : {std::pair{16'700u, 21'848u}, std::pair{21'848u, 16'700u}}) {
    INFO(many << " and " << other);
    Lists lists;
    std::vector<void*> taken;
    for (int i = 0; i < 100; ++i)
      taken.push_back(lists.allocate(many));
    for (void* piece : taken)
      lists.release(piece, many);
    const std::size_t before = lists.kept();
    lists.release(lists.allocate(other), other);
    CHECK(lists.kept() >= before + other);
  }
}

TEST_CASE("memory that grows and shrinks keeps what it holds, and its old pieces are kept") {
  Lists lists;
  auto* text = static_cast<unsigned char*>(std::malloc(20));
  for (std::size_t i = 0; i < 20; ++i)
    text[i] = static_cast<unsigned char>(i);
  for (const std::size_t next : {100u, 1000u, 1500u, 3000u, 17'000u, 50'000u, 300u, 200u, 20u}) {
    INFO(next);
    text = static_cast<unsigned char*>(lists.resize(text, ::malloc_usable_size(text), next));
    bool same = true;
    for (std::size_t i = 0; i < 20; ++i)
      same = same && text[i] == static_cast<unsigned char>(i);
    CHECK(same);
    CHECK(::malloc_usable_size(text) >= next);
  }
  CHECK(lists.kept() > 17'000);
  std::free(text);
}

TEST_CASE("what is cleared is free, and keeps what comes next") {
  Lists lists;
  lists.release(lists.allocate(100), 100);
  lists.release(lists.allocate(17000), 17000);
  REQUIRE(lists.kept() > 17000);
  lists.clear();
  CHECK(lists.kept() == 0);
  void* const piece = lists.allocate(17000);
  lists.release(piece, 17000);
  CHECK(lists.kept() > 17000);
  CHECK(lists.allocate(17000) == piece);
  lists.release(piece, 17000);
}

TEST_CASE("what is closed keeps nothing") {
  Lists lists;
  lists.release(lists.allocate(500), 500);
  lists.close();
  CHECK(lists.kept() == 0);
  lists.release(lists.allocate(500), 500);
  CHECK(lists.kept() == 0);
}

TEST_CASE("memory may be given back on another thread, whose end frees what it keeps") {
  void* const from_here = Spare::allocate(500);
  void* in_thread = nullptr;
  std::thread([&] {
    Spare::release(from_here, 500);
    in_thread = Spare::allocate(500);
    Spare::release(Spare::allocate(16'700));
  }).join();
  Spare::release(in_thread, 500);
}
