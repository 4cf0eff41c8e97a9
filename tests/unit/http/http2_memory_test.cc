#include "proxy/http/http2_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <vector>

#include "tests/support/catch.h"

namespace gatescope::http {

TEST_CASE("the buffer of an HTTP/2 session has no whole page in memory, whoever had it before") {
  constexpr std::size_t kSize = 16394;  // as nghttp2 asks for
  auto* const memory = http2_memory();
  // What was used and freed is what malloc() gives next.
  std::vector<void*> used;
  for (int i = 0; i < 8; ++i) {
    used.push_back(std::malloc(kSize));
    std::memset(used.back(), 1, kSize);
  }
  for (void* one : used)
    std::free(one);
  void* const given = memory->realloc(nullptr, kSize, nullptr);
  REQUIRE(given != nullptr);
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<std::uintptr_t>(given);
  const auto first = (begin + page - 1) / page * page, end = (begin + kSize) / page * page;
  std::vector<unsigned char> resident((end - first) / page);
  REQUIRE(resident.size() >= 3);
  REQUIRE(::mincore(reinterpret_cast<void*>(first), end - first, resident.data()) == 0);
  for (const auto page_state : resident)
    CHECK((page_state & 1) == 0);
  std::memset(given, 2, kSize);  // and it is all there
  memory->free(given, nullptr);
}

TEST_CASE("what is small is malloc's") {
  auto* const memory = http2_memory();
  auto* text = static_cast<char*>(memory->calloc(4, 4, nullptr));
  CHECK(text[15] == 0);
  std::strcpy(text, "four");
  text = static_cast<char*>(memory->realloc(text, 40000, nullptr));
  CHECK(std::string(text) == "four");
  memory->free(text, nullptr);
}

}  // namespace gatescope::http
