// The examples of doc/api.md are what the sample answers.

#include <stdlib.h>

#include <fstream>
#include <iterator>

#include "api/sample/write_sample.h"
#include "tests/unit/api/module_fixture.h"

namespace gatescope::api {
namespace {

struct Example {
  std::string path, output;
};

/// `    $ curl https://localhost:8443/api/...` and the indented lines behind it.
std::vector<Example> examples() {
  std::ifstream file(GATESCOPE_SOURCE_DIR "/doc/api.md");
  std::vector<Example> found;
  bool inside = false;
  const std::string command = "    $ curl https://localhost:8443";
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(command)) {
      found.push_back({line.substr(command.size()), ""});
      inside = true;
    } else if (inside && line.starts_with("    ")) {
      found.back().output += line.substr(4) + "\n";
    } else {
      inside = false;
    }
  }
  return found;
}

TEST_CASE("the examples of doc/api.md are what the sample answers") {
  ModuleFixture f;
  std::filesystem::remove_all(f.folder / "data");
  REQUIRE(write_sample(f.folder / "data", {}));
  ::setenv("GIT_REVISION_HASH", "7e5c68f", 1);
  f.module = f.make_module();
  ::unsetenv("GIT_REVISION_HASH");
  const auto handler = f.start();
  const auto all = examples();
  CHECK(all.size() >= 3);
  for (const auto& example : all) {
    INFO(example.path);
    CHECK(f.get_at_last(*handler, example.path) == "200 " + example.output);
  }
}

}  // namespace
}  // namespace gatescope::api
