#include "api/factor_service.h"

#include <algorithm>

#include "tests/unit/api/factor_world.h"

using namespace gatescope;
using namespace gatescope::api;

TEST_CASE("numbers are factored in batches, told once, and stored at the end") {
  FactorWorld f;
  const auto& waiter = f.ask(45, {"1", "2", "3", "-4", "5"});
  REQUIRE(f.told(waiter));
  CHECK(shown(*waiter.factors) == "[1, 1] | [2, 1] | [3, 1] | [-4, 1] | [5, 1]");
  CHECK(f.workers.batches == std::vector<std::size_t>{5});
  REQUIRE(f.idle());
  REQUIRE(f.events.size() == 1);
  CHECK(f.events[0].id == SequenceId(45));
  CHECK(shown(*f.events[0].factors) == shown(*waiter.factors));
}

TEST_CASE("72 identical requests give the workers each number once, and get one object") {
  FactorWorld f;
  std::vector<std::string> numbers;
  for (int i = 1; i <= 300; ++i)
    numbers.push_back(std::to_string(i * 7919));
  for (int i = 0; i < 72; ++i)
    f.ask(40, numbers, i % 2 == 0 ? 300 : 100'000);
  REQUIRE(f.world.run_until(
      [&] {
        return std::all_of(f.waiters.begin(), f.waiters.end(),
                           [](const auto& w) { return w.told == 1; });
      },
      Duration(10'000)));
  CHECK(f.workers.given.size() == 300);
  CHECK(f.counter("api_numbers_given") == 300);
  for (const auto& waiter : f.waiters)
    CHECK(waiter.factors == f.waiters.front().factors);  // not even a copy
}

TEST_CASE("a number is computed once, however many sequences and terms have it") {
  FactorWorld f;
  const std::string hard = long_number(50);
  f.workers.takes[hard] = Duration(500);
  const auto& first = f.ask(1, {"6", hard, "6", "+6", "006"});
  f.world.run_for(Duration(200));
  const auto& second = f.ask(2, {hard, "6", "7"});
  REQUIRE(f.told(first));
  REQUIRE(f.told(second));
  CHECK(shown(*second.factors) == "[" + hard + ", 1] | [6, 1] | [7, 1]");
  CHECK(f.workers.given == std::vector<std::string>{"6", hard, "7"});
  // ... and what was found lately is not computed again.
  const auto& third = f.ask(3, {"7", hard});
  REQUIRE(f.told(third));
  CHECK(f.workers.given.size() == 3);
}

TEST_CASE("at the deadline there is what is done, the rest goes on and is stored") {
  FactorWorld f;
  const std::string hard = long_number(60);
  f.workers.takes[hard] = Duration(25'000);
  const auto& waiter = f.ask(45, {"2", hard, "3", long_number(45)});
  REQUIRE(f.told(waiter));
  CHECK(waiter.at == Duration(10'000));
  CHECK(shown(*waiter.factors) == "[2, 1] | no_fac_yet | [3, 1] | [" + long_number(45) + ", 1]");
  REQUIRE(f.idle());
  REQUIRE(f.events.size() == 2);
  CHECK(f.events[0].at <= Duration(1100));  // of what was quick
  CHECK(shown(*f.events[1].factors).find("no_fac_yet") == std::string::npos);
  CHECK(f.workers.lowered_ones > 0);  // from the deadline on nobody waited
}

TEST_CASE("a request for the first terms does not wait for the others") {
  FactorWorld f;
  f.workers.takes[long_number(60)] = Duration(5000);
  const auto& waiter = f.ask(45, {"2", "3", long_number(60), "5"}, 2);
  REQUIRE(f.told(waiter));
  CHECK(waiter.at < Duration(100));
  CHECK(waiter.factors->size() == 4);
  REQUIRE(f.idle());
  CHECK(shown(*f.events.back().factors).find("no_fac_yet") == std::string::npos);
}

TEST_CASE("a very hard number hides neither shorter nor longer ones") {
  FactorWorld f;
  f.workers.takes[long_number(50)] = Duration(100'000'000);  // for ever
  std::vector<std::string> numbers{long_number(50)};
  for (unsigned i = 1; i <= 5; ++i)
    numbers.push_back(long_number(100, i));
  numbers.push_back("12");
  const auto& waiter = f.ask(45, numbers);
  REQUIRE(f.told(waiter));
  CHECK((*waiter.factors)[0] == kNoFactorsYet);
  for (std::size_t i = 1; i < numbers.size(); ++i)
    CHECK((*waiter.factors)[i] == "[" + numbers[i] + ", 1]");
}

TEST_CASE("a sequence has its budget once, and then rests for a day") {
  FactorServiceSettings settings;
  settings.budget = Duration(100'000);
  FactorWorld f(settings);
  const std::string hard = long_number(80);
  f.workers.takes[hard] = Duration(1'000'000'000);
  const auto& waiter = f.ask(45, {"2", hard});
  REQUIRE(f.told(waiter));
  REQUIRE(f.idle(Duration(1'000'000)));
  CHECK(f.now() >= Duration(100'000));
  CHECK(f.now() < Duration(140'000));
  CHECK(f.counter("api_factor_sequences") == 0);
  const std::size_t given = f.workers.given.size();
  // Whoever asks now has it at once.
  const auto& again = f.ask(45, {"2", hard}, 2, Duration(10'000), shared_terms({"[2, 1]"}));
  const Duration asked = f.now();
  REQUIRE(f.told(again));
  CHECK(again.at == asked);
  CHECK(shown(*again.factors) == "[2, 1] | no_fac_yet");
  f.background(45, {"2", hard});
  f.world.run_for(Duration(3600'000));
  CHECK(f.workers.given.size() == given);
  // Other terms are another matter, and so is another day.
  const auto& other = f.ask(45, {"2", hard, "3"});
  REQUIRE(f.told(other));
  CHECK(f.workers.given.size() > given);
  REQUIRE(f.idle(Duration(1'000'000)));
  f.world.run_for(Duration(25 * 3600'000));
  const std::size_t before = f.workers.given.size();
  f.background(45, {"2", hard, "3"});
  f.world.run_for(Duration(1000));
  CHECK(f.workers.given.size() > before);
}

TEST_CASE("events about a sequence are a second apart, and the last one has all") {
  FactorWorld f;
  std::vector<std::string> numbers;
  for (unsigned i = 1; i <= 30; ++i) {
    numbers.push_back(long_number(50, i));
    f.workers.takes[numbers.back()] = Duration(170);
  }
  f.background(45, numbers);
  REQUIRE(f.idle());
  REQUIRE(f.events.size() >= 5);
  REQUIRE(f.events.size() <= 7);
  for (std::size_t i = 1; i + 1 < f.events.size(); ++i)
    CHECK(f.events[i].at - f.events[i - 1].at >= Duration(1000));
  CHECK(shown(*f.events.back().factors).find("no_fac_yet") == std::string::npos);
}

TEST_CASE("the newest sequences of the background are kept, and what is known of the others told") {
  FactorServiceSettings settings;
  settings.max_background = 4;
  FactorWorld f(settings);
  for (unsigned i = 1; i <= 6; ++i) {
    f.workers.takes[long_number(60, i)] = Duration(2000);
    f.background(i, {std::to_string(i + 10), long_number(60, i)});
    f.world.run_for(Duration(10));
  }
  CHECK(f.service->sequences() == 4);
  REQUIRE(f.idle());
  for (unsigned i = 1; i <= 6; ++i) {
    const auto last = std::find_if(f.events.rbegin(), f.events.rend(),
                                   [i](const auto& e) { return e.id == SequenceId(i); });
    REQUIRE(last != f.events.rend());
    CHECK((shown(*last->factors).find("no_fac_yet") == std::string::npos) == (i > 2));
  }
}

TEST_CASE("a user's numbers go before the background's, which is stopped and not lost") {
  FactorWorld f;
  const std::string slow = long_number(70), quick = long_number(45);
  f.workers.takes[slow] = Duration(2900);
  f.workers.takes[quick] = Duration(1000);
  f.background(1, {slow});
  f.world.run_for(Duration(500));
  const auto& waiter = f.ask(2, {"12", quick});
  REQUIRE(f.told(waiter));
  CHECK(waiter.at < Duration(1600));
  REQUIRE(f.idle());
  // It took no longer than both, so it went on where it was.
  CHECK(f.now() < Duration(4000));
  CHECK(std::count(f.workers.given.begin(), f.workers.given.end(), slow) == 1);
  CHECK(f.workers.most_computing == 1);
}

TEST_CASE("a user's easy numbers do not wait for another user's hard one") {
  FactorWorld f;
  f.workers.takes[long_number(70)] = Duration(9000);
  const auto& hard = f.ask(1, {long_number(70)});
  f.world.run_for(Duration(1000));
  const auto& easy = f.ask(2, {"1", "2", "3"});
  REQUIRE(f.told(easy));
  CHECK(easy.at < Duration(1100));
  CHECK(hard.told == 0);
}

TEST_CASE(
    "with all places taken by the background, a user's hard number displaces what ran least") {
  FactorWorld f;
  for (unsigned i = 1; i <= 3; ++i)
    f.workers.takes[long_number(60, i)] = Duration(2900);
  f.ask(1, {long_number(60, 1)}, 1, Duration(100));
  f.world.run_for(Duration(500));
  f.ask(2, {long_number(60, 2)}, 1, Duration(100));
  f.world.run_for(Duration(500));  // both belong to the background now
  const auto& user = f.ask(3, {long_number(60, 3)});
  REQUIRE(f.told(user));
  CHECK(user.at < Duration(4000));
  REQUIRE(f.idle());
  for (unsigned i = 1; i <= 3; ++i)
    CHECK((*std::find_if(f.events.rbegin(), f.events.rend(), [i](const auto& e) {
              return e.id == SequenceId(i);
            })->factors)[0] != kNoFactorsYet);
  CHECK(f.workers.most_computing == 1);
}

TEST_CASE("workers compute at the same time, but no more than there are") {
  FactorWorld f({}, 3);
  std::vector<std::string> numbers;
  for (unsigned i = 1; i <= 9; ++i) {
    numbers.push_back(long_number(60, i));
    f.workers.takes[numbers.back()] = Duration(1000);
  }
  const auto& waiter = f.ask(1, numbers);
  REQUIRE(f.told(waiter));
  CHECK(f.workers.most_computing == 3);
  CHECK(waiter.at < Duration(3500));
}

TEST_CASE("who leaves is not told, and what nobody wants any more is not computed for ever") {
  FactorWorld f;
  f.workers.takes[long_number(60)] = Duration(2000);
  auto& waiter = f.ask(1, {long_number(60)});
  f.world.run_for(Duration(100));
  f.loop.turn([&] { waiter.request.reset(); });
  REQUIRE(f.idle());  // it went on: others will ask
  CHECK(waiter.told == 0);
  CHECK(f.events.size() == 1);
}

TEST_CASE("other terms take a sequence's place, and whoever waited for the old ones is told") {
  FactorWorld f;
  f.workers.takes[long_number(60)] = Duration(2000);
  const auto& old = f.ask(1, {"2", long_number(60)});
  f.world.run_for(Duration(100));
  const auto& fresh = f.ask(1, {"3", "5"});
  REQUIRE(f.told(fresh));
  CHECK(old.told == 1);
  CHECK(shown(*old.factors) == "[2, 1] | no_fac_yet");
  CHECK(shown(*fresh.factors) == "[3, 1] | [5, 1]");
  REQUIRE(f.idle());
  CHECK(f.workers.computing == 0);  // the long one was broken off
}

TEST_CASE("without workers, or without the program, all is told at once and nothing is lost") {
  const bool program = GENERATE(true, false);
  FactorWorld f({}, program ? 0 : 1, program);
  const auto& waiter = f.ask(1, {"2", "3", "1" + std::string(kLargestFactored)}, 3,
                             Duration(10'000), shared_terms({"[2,1]"}));
  REQUIRE(f.told(waiter));
  CHECK(waiter.at < Duration(10));
  CHECK(shown(*waiter.factors) == "[2,1] | no_fac_yet | no_fac");
  CHECK(f.log.has("a factor worker cannot be started") == !program);
}

TEST_CASE("the number of workers may change while they compute") {
  FactorWorld f;
  std::vector<std::string> numbers;
  for (unsigned i = 1; i <= 6; ++i) {
    numbers.push_back(long_number(60, i));
    f.workers.takes[numbers.back()] = Duration(1000);
  }
  const auto& waiter = f.ask(1, numbers);
  f.world.run_for(Duration(500));
  f.loop.turn([&] { f.service->use({FactorWorld::kProgram, 2}); });
  f.world.run_for(Duration(1500));
  f.loop.turn([&] { f.service->use({FactorWorld::kProgram, 3}); });
  REQUIRE(f.told(waiter));
  CHECK(shown(*waiter.factors).find("no_fac_yet") == std::string::npos);
  CHECK(f.workers.most_computing <= 3);
}

TEST_CASE("a stop tells what is known, and ends the processes") {
  FactorWorld f;
  f.workers.takes[long_number(60)] = Duration(2000);
  f.background(1, {"2", long_number(60)});
  f.world.run_for(Duration(100));
  CHECK(f.events.empty());
  f.loop.turn([&] { f.service->stop(); });
  REQUIRE(f.events.size() == 1);
  CHECK(shown(*f.events[0].factors) == "[2, 1] | no_fac_yet");
  f.world.run_for(Duration(100));
  CHECK(f.world.live().children == 0);
}

TEST_CASE("a long sequence of few numbers takes many short turns") {
  FactorWorld f;
  std::vector<std::string> numbers;
  for (int i = 0; i < 30'000; ++i)
    numbers.push_back(std::to_string(i % 50 + 2));
  const auto& waiter = f.ask(5, numbers);
  REQUIRE(f.told(waiter));
  CHECK(f.workers.given.size() == 50);
  CHECK(shown(*waiter.factors).find("no_fac_yet") == std::string::npos);
}
