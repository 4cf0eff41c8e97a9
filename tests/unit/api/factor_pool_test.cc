// What goes wrong with workers, in virtual time.

#include "api/factor_pool.h"

#include <algorithm>

#include "tests/unit/api/factor_world.h"

using namespace gatescope;
using namespace gatescope::api;

namespace {

std::size_t times_given(const FactorWorld& f, const std::string& number) {
  return static_cast<std::size_t>(
      std::count(f.workers.given.begin(), f.workers.given.end(), number));
}

}  // namespace

TEST_CASE("a worker that dies is replaced, and nothing is lost") {
  FactorWorld f;
  f.workers.kills["5"] = 1;
  const auto& waiter = f.ask(1, {"2", "3", "5", "7"});
  REQUIRE(f.told(waiter));
  CHECK(shown(*waiter.factors) == "[2, 1] | [3, 1] | [5, 1] | [7, 1]");
  CHECK(f.counter("api_factor_workers_died") == 1);
  CHECK(waiter.at < Duration(1000));
}

TEST_CASE("a number that ends two workers is left alone, and takes no other with it") {
  FactorWorld f;
  f.workers.kills["5"] = 1000;
  const auto& waiter = f.ask(1, {"2", "3", "5", "7", "11"});
  REQUIRE(f.told(waiter));
  CHECK(shown(*waiter.factors) == "[2, 1] | [3, 1] | no_fac_yet | [7, 1] | [11, 1]");
  CHECK(times_given(f, "5") == 2);
  CHECK(f.log.has("ended two factor workers"));
  // Nobody else's sequence tries it again.
  const auto& other = f.ask(2, {"5", "13"});
  REQUIRE(f.told(other));
  CHECK(shown(*other.factors) == "no_fac_yet | [13, 1]");
  CHECK(times_given(f, "5") == 2);
}

TEST_CASE("a number that a worker refuses is tried once more") {
  FactorWorld f;
  f.workers.refuses["5"] = 1;
  f.workers.refuses["6"] = 2;
  const auto& waiter = f.ask(1, {"5", "6", "7"});
  REQUIRE(f.told(waiter));
  CHECK(shown(*waiter.factors) == "[5, 1] | no_fac_yet | [7, 1]");
  CHECK(f.counter("api_factor_workers_started") == 1);
}

TEST_CASE("a worker that talks nonsense is killed") {
  FactorWorld f;
  f.workers.nonsense = true;
  const auto& waiter = f.ask(1, {"5"});
  REQUIRE(f.told(waiter));
  CHECK((*waiter.factors)[0] == kNoFactorsYet);
  CHECK(f.log.has("it said what makes no sense"));
  f.workers.nonsense = false;
  const auto& other = f.ask(2, {"6"});
  REQUIRE(f.told(other));
  CHECK((*other.factors)[0] == "[6, 1]");
}

TEST_CASE("a worker that hangs is ended, and its number put off") {
  FactorWorld f;
  f.workers.deaf = true;
  const auto& waiter = f.ask(1, {long_number(50)});
  REQUIRE(f.told(waiter));
  CHECK(waiter.at == Duration(10'000));
  f.workers.deaf = false;
  REQUIRE(f.idle(Duration(2'000'000)));
  CHECK((*f.events.back().factors)[0] != kNoFactorsYet);
}

TEST_CASE("workers that do not start are tried again after growing pauses") {
  FactorWorld f;
  f.workers.dies_at_start = true;
  f.background(1, {"2"});
  f.world.run_for(Duration(60'000));
  const auto started = f.counter("api_factor_workers_started");
  CHECK(started >= 6);
  CHECK(started <= 11);
  CHECK(f.log.has("a factor worker does not start: it exited with 1"));
  // Who asks meanwhile is not held up.
  const auto& waiter = f.ask(2, {"3"});
  REQUIRE(f.told(waiter, Duration(10)));
  f.workers.dies_at_start = false;
  REQUIRE(f.world.run_until([&] { return f.service->sequences() == 0; }, Duration(70'000)));
  CHECK((*f.events.back().factors)[0] != kNoFactorsYet);
  const auto& later = f.ask(3, {"5"});
  REQUIRE(f.told(later));
  CHECK((*later.factors)[0] == "[5, 1]");
}

TEST_CASE("a worker that says nothing at its start is not waited for") {
  FactorWorld f;
  f.workers.speaks = false;
  f.background(1, {"2"});
  f.world.run_for(Duration(15'000));
  CHECK(f.log.has("it did not speak"));
  f.workers.speaks = true;
  REQUIRE(f.idle());
}

TEST_CASE("the same complaint is written once") {
  FactorWorld f({}, 1, false);
  f.background(1, {"2"});
  f.world.run_for(Duration(300'000));
  const std::string text = f.log.text();
  const auto first = text.find("cannot be started");
  REQUIRE(first != std::string::npos);
  CHECK(text.find("cannot be started", first + 1) == std::string::npos);
}

TEST_CASE("workers without work go after a minute and come again") {
  FactorWorld f;
  REQUIRE(f.told(f.ask(1, {"2"})));
  CHECK(f.world.live().children == 1);
  f.world.run_for(Duration(61'000));
  CHECK(f.world.live().children == 0);
  REQUIRE(f.told(f.ask(2, {"3"})));
}

TEST_CASE("batches are cut by how long their numbers may take") {
  FactorWorld f;
  std::vector<std::string> numbers;
  for (unsigned i = 1; i <= 300; ++i)
    numbers.push_back(std::to_string(i + 1000));
  for (unsigned i = 1; i <= 10; ++i)
    numbers.push_back(long_number(38, i));
  REQUIRE(f.told(f.ask(1, numbers)));
  REQUIRE(f.workers.batches.size() > 3);
  CHECK(f.workers.batches[0] == 128);
  CHECK(f.workers.batches[1] == 128);
  CHECK(f.workers.batches.back() == 1);
}

TEST_CASE(
    "whatever the order of events: all is factored, nothing twice at a time, nothing is left") {
  const auto seed = GENERATE(range(1, 25));
  test::SimFaults faults;
  faults.fragment = 0.5;
  faults.bytewise = 0.1;
  faults.busy = 0.2;
  faults.post_after = {test::Micros(0), test::Micros(3000)};
  faults.latency = {test::Micros(10), test::Micros(5000)};
  FactorWorld f({}, static_cast<unsigned>(seed % 3 + 1), true, static_cast<std::uint64_t>(seed));
  f.world.set_faults(faults);
  auto& random = f.world.random();
  for (unsigned id = 1; id <= 12; ++id) {
    std::vector<std::string> numbers;
    for (unsigned i = 0; i < 40; ++i) {
      const auto kind = random.between(0, 9);
      const auto which = static_cast<unsigned>(random.between(1, 60));
      numbers.push_back(kind < 6   ? std::to_string(which)
                        : kind < 9 ? long_number(30, which)
                                   : long_number(50, which));
      if (kind == 9) f.workers.takes[numbers.back()] = Duration(random.between(1, 4000));
      if (random.chance(0.01)) f.workers.kills[numbers.back()] = 1;
    }
    if (random.chance(0.5)) {
      f.background(id, numbers);
    } else {
      auto& waiter = f.ask(id, numbers, random.between(1, 40), Duration(random.between(0, 10'000)));
      if (random.chance(0.2)) f.loop.turn([&] { waiter.request.reset(); });
    }
    f.world.run_for(Duration(random.between(0, 1500)));
  }
  REQUIRE(f.idle(Duration(10'000'000)));
  std::map<SequenceId, std::shared_ptr<const Terms>> last;
  for (const auto& event : f.events)
    last[event.id] = event.factors;
  CHECK(last.size() == 12);
  std::size_t open = 0;
  for (const auto& [id, factors] : last)
    for (std::size_t i = 0; i < factors->size(); ++i)
      open += (*factors)[i] == kNoFactorsYet;
  // Only what was in the way of two deaths; each takes a batch's numbers along at most once.
  CHECK(open <= 12);
}

TEST_CASE("one worker that ends at its start tells nobody that there are none") {
  FactorWorld f;
  f.workers.dies_at_start = true;
  const auto& waiter = f.ask(1, {"2", "3"});
  REQUIRE(f.world.run_until([&] { return f.counter("api_factor_workers_started") == 1; },
                            Duration(100)));
  f.world.run_for(Duration(50));
  CHECK(waiter.told == 0);
  f.workers.dies_at_start = false;
  REQUIRE(f.told(waiter));
  CHECK(shown(*waiter.factors) == "[2, 1] | [3, 1]");
}

TEST_CASE("how workers are confined is said once, and what the kernel lacks is a warning") {
  {
    FactorWorld f;
    REQUIRE(f.told(f.ask(1, {"5"})));
    CHECK(
        f.log.has("factor workers are confined: system calls of computing only (seccomp), no "
                  "files (Landlock)"));
  }
  {
    FactorWorld f;
    f.workers.confinement = "filter";
    REQUIRE(f.told(f.ask(1, {"5"})));
    CHECK(
        f.log.has("warn: factor workers are confined less than they could be, the kernel has "
                  "no Landlock; what holds: system calls of computing only (seccomp), no new"));
  }
  {
    FactorWorld f;
    f.workers.confinement = "none";
    REQUIRE(f.told(f.ask(1, {"5"})));
    CHECK(f.log.has("the kernel has no seccomp filters and no Landlock; what holds: no new"));
  }
}
