#include "proxy/ops/precompress.h"

#include "tests/unit/ops/site_fixture.h"

namespace gatescope::ops {

TEST_CASE("what is worth it is compressed, on several threads, with its time of change") {
  Folder folder;
  Said said;
  std::vector<std::string> files;
  for (int i = 0; i < 20; ++i) {
    files.push_back("f" + std::to_string(i) + ".js");
    folder.write(files.back(), repeated("abc" + std::to_string(i), 1000));
  }
  std::string noise;
  for (unsigned i = 0, x = 1; i < 5000; ++i, x = x * 1103515245 + 12345)
    noise += static_cast<char>(x >> 24);
  folder.write("noise.svg", noise);
  folder.write("small.js", "x");
  folder.write("picture.png", repeated("a", 5000));
  for (const char* more : {"noise.svg", "small.js", "picture.png", "gone.js"})
    files.push_back(more);
  const auto totals = precompress(folder.path(), files, 4, said);
  REQUIRE(totals);
  CHECK(totals->files == 20);
  CHECK(totals->brotli < totals->plain / 10);
  for (const char* form : kForms) {
    CHECK(folder.has(std::string("f7.js") + form));
    CHECK_FALSE(folder.has(std::string("noise.svg") + form));
    CHECK_FALSE(folder.has(std::string("small.js") + form));
    CHECK_FALSE(folder.has(std::string("picture.png") + form));
  }
  CHECK(std::filesystem::last_write_time(folder.path("f7.js")) ==
        std::filesystem::last_write_time(folder.path("f7.js.gz")));
  CHECK(said.last_part.first == said.last_part.second);
}

TEST_CASE("nothing to compress is no error") {
  Folder folder;
  Said said;
  CHECK(precompress(folder.path(), {}, 8, said)->files == 0);
}

}  // namespace gatescope::ops
