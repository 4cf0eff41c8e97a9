#include "tests/unit/api/module_fixture.h"

namespace gatescope::api {
namespace {

constexpr const char* kPrimesAnswer =
    "200 {\"id\":\"A000040\",\"name\":\"The prime numbers.\",\"values\":{\"1\":\"2\",\"2\":\"3\","
    "\"3\":\"5\"}}\n";

TEST_CASE("the whole of the API without OEIS: started, reloaded, stopped") {
  ModuleFixture f;
  const auto handler = f.start();
  CHECK(f.get_at_last(*handler, "/api/get_oeis_name_and_values/A000040") == kPrimesAnswer);
  CHECK(f.get(*handler, "/api/get_oeis_values/A000041/1").starts_with("200 Error: Values for ID"));

  // The same again changes nothing; another one is used from then on.
  const Loaded same(*f.module, f.with_data());
  REQUIRE(f.module->apply(same.main, f.shared_log()));
  const Loaded without(*f.module, f.configuration(""));
  REQUIRE(f.module->apply(without.main, f.shared_log()));
  CHECK(f.get(*handler, "/api/get_oeis_name_and_values/A000040") ==
        kPrimesAnswer);  // still in memory
  CHECK(f.counter("embedded_postgres_starts") == 1);
  const Loaded elsewhere(*f.module, f.configuration("database host=/nonexistent dbname=x;"));
  REQUIRE(f.module->apply(elsewhere.main, f.shared_log()));
  CHECK(f.get(*handler, "/api/get_oeis_values/A000041/1").starts_with("503 "));
  f.stop();
  CHECK(!std::filesystem::exists(f.folder / "state/postgres/data/postmaster.pid"));
}

TEST_CASE("after a restart without the tree the same answer comes out of PostgreSQL") {
  ModuleFixture f;
  auto handler = f.start();
  CHECK(f.get_at_last(*handler, "/api/get_oeis_values/A000040/128") == kPrimesAnswer);
  CHECK(f.counter("api_entries_stored") == 1);
  f.stop();
  handler.reset();
  std::filesystem::remove_all(f.folder / "data");
  f.module = f.make_module();  // with nothing in memory
  handler = f.start();
  const Asked asked(*f.loop, *handler, "/api/get_oeis_values/A000040/128");
  REQUIRE(f.until([&] { return asked.writer.ended; }));
  CHECK(asked.writer.status_code == 200);
  CHECK("200 " + asked.writer.body == kPrimesAnswer);
  CHECK(asked.writer.header("X-Sequence-Source") == "oeisdata");
  CHECK(asked.writer.header("Cache-Control") == "no-store");
  CHECK(f.counter("api_entries_stored") == 1);
  CHECK(f.counter("embedded_postgres_starts") == 2);
}

/// "stderr" is a file too.
class ConsoleInFolder final : public LogOpener {
 public:
  explicit ConsoleInFolder(std::string console) : console_(std::move(console)) {}
  Result<UniqueFd> open_log(const std::string& path) override {
    return own_.open_log(path == "stderr" ? console_ : path);
  }
  Result<UniqueFd> rotate_log(const std::string& path, unsigned keep) override {
    return own_.rotate_log(path, keep);
  }

 private:
  const std::string console_;
  OwnLogOpener own_;
};

TEST_CASE("api.log is opened with a configuration, another one with the next, and it is rotated") {
  ModuleFixture f;
  ConsoleInFolder opener(f.folder / "console");
  LogFiles files(opener);
  f.module = std::make_unique<ApiModule>(*f.loop, f.stats, files, f.clock);
  const std::string database = "database host=/nonexistent dbname=x; ";
  const auto apply = [&](const std::string& log) {
    const Loaded loaded(*f.module, f.configuration(database + log));
    if (const auto opened = f.module->prepare(loaded.main); !opened) return opened.error().detail;
    REQUIRE(f.module->apply(loaded.main, f.shared_log()));
    return std::string();
  };
  const auto lines = [&](const std::string& name) {
    std::ifstream in(f.folder / name);
    return std::count(std::istreambuf_iterator<char>(in), {}, '\n');
  };
  CHECK(apply("api_log " + (f.folder / "no/such/folder") + ";").find("no/such/folder") !=
        std::string::npos);
  CHECK(apply("api_log " + (f.folder / "one") + " size=4k keep=2;").empty());
  CHECK(lines("one") == 1);
  CHECK(apply("api_log " + (f.folder / "two") + ";").empty());
  CHECK(apply("api_log off;").empty());
  CHECK(lines("one") == 1);
  CHECK(lines("two") == 1);
  CHECK(lines("console") == 0);
  ::setenv("APP_ENVIRONMENT", "development", 1);
  CHECK(apply("api_log off;").empty());
  ::unsetenv("APP_ENVIRONMENT");
  CHECK(lines("console") == 1);
  for (int i = 0; i < 100; ++i)
    CHECK(apply("api_log " + (f.folder / "one") + " size=4k keep=2;").empty());
  CHECK(std::filesystem::exists(f.folder / "one.2"));
  CHECK(!std::filesystem::exists(f.folder / "one.3"));
  CHECK(std::filesystem::file_size(f.folder / "one.1") <= 4096);
  f.stop();
}

TEST_CASE("what make() refuses") {
  ModuleFixture f;
  const Loaded none(*f.module, "");
  CHECK(f.module->make(none.scope()).error().detail.find("needs a block \"numberscope { }\"") !=
        std::string::npos);
  const Loaded env(*f.module, f.configuration("database env; env_file " + (f.folder / "no") + ";"));
  CHECK(f.module->make(env.scope()).error().detail.find("open()") != std::string::npos);
  REQUIRE(f.module->prepare(none.main));
  REQUIRE(f.module->apply(none.main, f.shared_log()));  // nothing to do, and nothing to stop
  f.stop();
}

}  // namespace
}  // namespace gatescope::api
