#include "proxy/base/lazy_library.h"

#include "tests/support/catch.h"

using gatescope::LazyLibrary;

namespace {
// What a program that was not linked with zlib knows of it.
void* slot = nullptr;
constexpr LazyLibrary::Symbol kGood[] = {{"zlibVersion", &slot}, {nullptr, nullptr}};
constexpr LazyLibrary::Symbol kBad[] = {{"zlibAversion", &slot}, {nullptr, nullptr}};
}  // namespace

TEST_CASE("a library is loaded once, and its functions can be called") {
  LazyLibrary library("libz.so.1", kGood);
  REQUIRE(library.load());
  REQUIRE(slot != nullptr);
  CHECK(reinterpret_cast<const char* (*)()>(slot)()[0] == '1');
  CHECK(library.load());
}

TEST_CASE("a library that is not there is named") {
  LazyLibrary library("libnot-there.so.7", kGood);
  const auto loaded = library.load();
  REQUIRE_FALSE(loaded);
  CHECK(loaded.error().kind == gatescope::ErrorKind::Unavailable);
  CHECK(loaded.error().detail.find("libnot-there.so.7") != std::string::npos);
}

TEST_CASE("a function that a library has not is named") {
  LazyLibrary library("libz.so.1", kBad);
  const auto loaded = library.load();
  REQUIRE_FALSE(loaded);
  CHECK(loaded.error().detail.find("zlibAversion") != std::string::npos);
}
