#include <atomic>
#include <thread>

#include "static/file_cache.h"
#include "tests/support/catch.h"
#include "tests/unit/files/fake_world.h"

namespace gatescope::files {
namespace {

TEST_CASE("two loops read while files are replaced: every answer is one version, whole") {
  const Folder folder;
  const FakeClock wall;
  Stats stats;
  FileCache cache(wall, stats, {.bytes = 30000, .file_bytes = 10000, .shards = 2});
  const auto version = [](int n) {
    return std::string(static_cast<std::size_t>(100 + n * 37 % 5000),
                       static_cast<char>('a' + n % 26));
  };
  for (const auto* name : {"/0", "/1", "/2", "/3", "/4", "/5"})
    folder.write(name, version(0));
  std::atomic<bool> stop{false};
  std::atomic<int> torn{0}, read{0};
  const auto loop = [&](int seed) {
    MonoTime now{std::chrono::seconds(1000)};
    for (int i = seed; !stop; ++i) {
      now += Duration(400);
      const auto found = cache.open(folder.at("/" + std::to_string(i % 6)), {}, {}, now);
      if (!found.file || !found.file->in_memory) continue;
      const auto text = found.file->content.text();
      const bool whole = text.size() == found.file->facts.size &&
                         text.find_first_not_of(text.front()) == std::string_view::npos;
      torn += whole ? 0 : 1;
      ++read;
    }
  };
  std::thread first(loop, 0), second(loop, 3);
  for (int i = 1; i < 400 || read < 1000; ++i)
    folder.replace("/" + std::to_string(i % 6), version(i));
  stop = true;
  first.join();
  second.join();
  CHECK(torn == 0);
  CHECK(cache.bytes() <= 30000 + 2 * 6000);
}

}  // namespace
}  // namespace gatescope::files
