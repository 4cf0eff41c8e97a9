#include "api/claimed_factoring.h"

#include <list>
#include <optional>

#include "tests/support/catch.h"
#include "tests/support/sim_loop.h"
#include "tests/unit/api/api_fixture.h"
#include "tests/unit/api/fake_claims.h"
#include "tests/unit/api/fake_factoring.h"

namespace gatescope::api {
namespace {

struct ClaimedFixture {
  struct Waiter {
    std::shared_ptr<const Terms> factors;
    int told = 0;
    MonoTime at{};
    std::unique_ptr<Factoring::Request> request;
  };
  test::SimWorld world{1};
  test::SimLoop loop{world};
  FakeStore store;
  FakeClaims claims;
  FakeFactoring local;
  ClaimedFactoring factoring{loop, local};
  std::list<Waiter> waiters;
  const MonoTime began = loop.clock().now();
  const std::shared_ptr<const Terms> terms =
      std::make_shared<const Terms>(FakeFactoring::listed({"2", "4", "91"}));

  ClaimedFixture() {
    store.loop = &loop;
    loop.turn([&] { factoring.use({&claims, &store}); });
  }
  ~ClaimedFixture() {
    loop.turn([&] {
      waiters.clear();
      factoring.use({});
    });
    world.run_for(Duration(2000));
    CHECK(claims.held == 0);
    CHECK(world.complaints().empty());
  }
  Factoring::Job job() const { return {.id = SequenceId(40), .terms = terms, .stored = nullptr}; }
  Waiter& ask(std::size_t count = 3) {
    Waiter& waiter = waiters.emplace_back();
    loop.turn([&] {
      waiter.request = factoring.factor(job(), count, Duration(10'000),
                                        [this, &waiter](std::shared_ptr<const Terms> factors) {
                                          ++waiter.told;
                                          waiter.at = loop.clock().now();
                                          waiter.factors = std::move(factors);
                                          waiter.request.reset();
                                        });
    });
    return waiter;
  }
  void answer_claim(Result<std::unique_ptr<Claim>> with) {
    REQUIRE(world.run_until([&] { return !claims.asked.empty(); }, Duration(3000)));
    CHECK(claims.asked.front()->kind == Claims::Kind::Factors);
    loop.turn([&] { claims.asked.front()->answer(std::move(with)); });
  }
  void granted() {
    answer_claim(std::unique_ptr<Claim>(std::make_unique<FakeClaims::Held>(claims.held)));
  }
  void denied() { answer_claim(std::unique_ptr<Claim>()); }
  void stored(std::initializer_list<const char*> factors) {
    REQUIRE(world.run_until([&] { return !store.asked.empty(); }, Duration(3000)));
    loop.turn([&] {
      store.asked.front()->answer(
          StoredSequence{.name = "x", .terms = *terms, .factors = FakeFactoring::listed(factors)});
    });
  }
  static std::string shown(const Waiter& waiter) {
    std::string all;
    for (std::size_t i = 0; waiter.factors && i < waiter.factors->size(); ++i)
      all += std::string(i == 0 ? "" : " ") + std::string((*waiter.factors)[i]);
    return all;
  }
};

TEST_CASE("factoring is claimed once, however many ask, and given back when it has ended") {
  ClaimedFixture f;
  auto& first = f.ask();
  auto& second = f.ask(1);
  CHECK(f.local.asked.empty());
  f.granted();
  REQUIRE(f.local.asked.size() == 2);
  auto& third = f.ask(2);  // at once
  REQUIRE(f.local.asked.size() == 3);
  CHECK(f.claims.asked.empty());
  f.loop.turn([&] {
    while (!f.local.asked.empty())
      f.local.asked.front()->answer({"[2,1]", "[2,2]", "[7,1;13,1]"});
  });
  for (const auto* waiter : {&first, &second, &third}) {
    CHECK(waiter->told == 1);
    CHECK(f.shown(*waiter) == "[2,1] [2,2] [7,1;13,1]");
  }
  f.world.run_for(Duration(5000));
  CHECK(f.claims.held == 1);  // it may be storing still
  f.local.works = false;
  f.world.run_for(Duration(1100));
  CHECK(f.claims.held == 0);
  CHECK(f.factoring.claimed() == 0);
}

TEST_CASE("what another gatescope factors is read once a second, by those who have waited enough") {
  ClaimedFixture f;
  auto& two = f.ask(2);
  auto& three = f.ask(3);
  f.denied();
  f.stored({"[2,1]", "no_fac_yet"});
  f.denied();
  CHECK(two.told == 0);
  f.stored({"[2,1]", "[2,2]"});
  CHECK(two.told == 1);
  CHECK(f.shown(two) == "[2,1] [2,2] no_fac_yet");
  f.denied();
  f.stored({"[2,1]", "[2,2]", "[7,1;13,1]"});
  CHECK(three.told == 1);
  CHECK(f.shown(three) == "[2,1] [2,2] [7,1;13,1]");
  CHECK(f.local.requests == 0);
  CHECK(f.loop.clock().now() - f.began <= Duration(3100));
  f.denied();
  f.world.run_for(Duration(1100));
  CHECK(f.factoring.claimed() == 0);  // and nobody reads any more
  CHECK(f.store.loads == 3);
}

TEST_CASE("at his deadline he who waits for another gatescope has what that one stored") {
  ClaimedFixture f;
  auto& waiter = f.ask();
  f.denied();
  f.stored({"[2,1]"});
  while (waiter.told == 0)
    if (!f.claims.asked.empty())
      f.denied();
    else
      f.world.run_for(Duration(100));
  CHECK(waiter.at - f.began == Duration(10'000));
  CHECK(f.shown(waiter) == "[2,1] no_fac_yet no_fac_yet");
}

TEST_CASE("the work of a gatescope that died is taken over, with what it had stored") {
  ClaimedFixture f;
  f.ask();
  f.denied();
  f.stored({"[2,1]", "no_fac_yet"});
  f.granted();
  REQUIRE(f.local.asked.size() == 1);
  REQUIRE(f.local.asked.front()->job.stored);
  CHECK((*f.local.asked.front()->job.stored)[0] == "[2,1]");
  CHECK(f.local.asked.front()->within < Duration(10'000));
}

TEST_CASE("without a database that grants claims factoring goes on") {
  ClaimedFixture f;
  f.ask();
  f.answer_claim(make_error(ErrorKind::Unavailable, Origin::Internal, "away"));
  CHECK(f.local.asked.size() == 1);
}

TEST_CASE("in the background what another gatescope does is not done, nor waited for") {
  ClaimedFixture f;
  f.loop.turn([&] { f.factoring.factor_in_background(f.job()); });
  f.denied();
  f.world.run_for(Duration(3000));
  CHECK(f.local.background == 0);
  CHECK(f.factoring.claimed() == 0);
  f.loop.turn([&] { f.factoring.factor_in_background(f.job()); });
  f.granted();
  CHECK(f.local.background == 1);
}

TEST_CASE("who waits for a claim goes on without when there are no more") {
  ClaimedFixture f;
  f.ask();
  f.loop.turn([&] { f.factoring.use({}); });
  CHECK(f.local.asked.size() == 1);
  f.ask();
  CHECK(f.local.asked.size() == 2);  // at once
}

}  // namespace
}  // namespace gatescope::api
