// Factors through the whole of the API, by the real gatescope-factor beside this test.

#include "api/factor_program.h"
#include "tests/unit/api/module_fixture.h"

using namespace gatescope;
using namespace gatescope::api;

namespace {

std::string with_workers(const ModuleFixture& f, const std::string& number) {
  return f.configuration("oeisdata " + (f.folder / "data") + "; factor_workers " + number + ";");
}

}  // namespace

TEST_CASE("the program is found beside the one that runs") {
  CHECK(find_factor_program().ends_with("/gatescope-factor"));
  CHECK(may_run(find_factor_program()));
  CHECK(!may_run("/nowhere/gatescope-factor"));
}

TEST_CASE("factors are answered by workers, other workers come with a reload, none with a stop") {
  ModuleFixture f;
  f.write_entry(45, "0,1,-12,4294967297,360", "Some numbers.");
  f.write_entry(46, "6,10,15", "Others.");
  const auto handler = f.start();
  CHECK(f.get_at_last(*handler, "/api/get_oeis_factors/A000045/0") ==
        "200 {\"factors\":{\"1\":\"[0, 1]\",\"2\":\"[]\",\"3\":\"[2,2;3,1;-1,1]\","
        "\"4\":\"[641, 1; 6700417, 1]\",\"5\":\"[2,3;3,2;5,1]\"},\"id\":\"A000045\","
        "\"name\":\"Some numbers.\"}\n");
  const Loaded more(*f.module, with_workers(f, "2"));
  REQUIRE(f.module->apply(more.main, f.shared_log()));
  CHECK(f.get(*handler, "/api/get_oeis_factors/A000046/2").find("[2,1;3,1]") != std::string::npos);
  const Loaded none(*f.module, with_workers(f, "0"));
  REQUIRE(f.module->apply(none.main, f.shared_log()));
  f.write_entry(47, "77", "One more.");
  CHECK(f.get(*handler, "/api/get_oeis_factors/A000047/1").find("no_fac_yet") != std::string::npos);
  CHECK(!f.log.has("nothing is factored"));
}
