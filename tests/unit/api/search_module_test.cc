// A search from the request to the answer: a tree that was not imported, an import, a restart.

#include "tests/unit/api/module_fixture.h"

namespace gatescope::api {
namespace {

const std::string kPrimesFound = R"({"results":[["A000040","The prime numbers."]],"term":"prim"})"
                                 "\n";

TEST_CASE("a small tree is searched without having been imported, and an import renews that") {
  ModuleFixture f;
  f.write_entry(45, "0,1,1,2,3,5,8", "Fibonacci numbers.");
  const auto handler = f.start();
  CHECK(f.get_at_last(*handler, "/api/search_oeis/prim") == "200 " + kPrimesFound);
  CHECK(f.get_at_last(*handler, "/api/search_oeis/1,2,3") ==
        R"(200 {"results":[["A000045","Fibonacci numbers."]],"term":"1,2,3"})"
        "\n");
  CHECK(f.get_at_last(*handler, "/api/search_oeis/catalan") ==
        R"(200 {"results":[],"term":"catalan"})"
        "\n");
  CHECK(f.counter("search_entries") == 2);

  // Another program imports, and says so.
  EmbeddedPostgres second(*f.loop, f.log, {.state_dir = f.folder / "state"}, nullptr);
  second.start();
  REQUIRE(f.until([&] { return second.ready(); }));
  GivenDatabase database(second.connection_string());
  {
    PgLane lane(*f.loop, f.log, database, 1, nullptr);
    bool done = false;
    const auto job = lane.run(
        [](PgSession& session) -> Result<void> {
          pqxx::work t(session.connection());
          t.exec(
              "INSERT INTO gatescope.entry (number, name, first_index, terms, xrefs, file_mtime, "
              "file_size, tree) VALUES (108, 'Catalan numbers.', 0, '1,1,2,5', '', 0, 0, 1)");
          t.exec("NOTIFY gatescope, 'somebody *'");
          t.commit();
          return {};
        },
        Duration(20'000),
        [&](Result<void> result) {
          CHECK(result);
          done = true;
        });
    REQUIRE(f.until([&] { return done; }));
  }
  CHECK(f.until([&] {
    return f.get_at_last(*handler, "/api/search_oeis/catalan") ==
           R"(200 {"results":[["A000108","Catalan numbers."]],"term":"catalan"})"
           "\n";
  }));
  CHECK(f.get_at_last(*handler, "/api/search_oeis/prim") == "200 " + kPrimesFound);
  bool stopped = false;
  second.stop([&] { stopped = true; });
  CHECK(f.until([&] { return stopped; }));
}

}  // namespace
}  // namespace gatescope::api
