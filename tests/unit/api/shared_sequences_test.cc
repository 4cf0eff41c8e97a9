// Questions about sequences from loops that are not the service's.

#include "api/shared_sequences.h"

#include "tests/support/catch.h"
#include "tests/support/sim_loop.h"
#include "tests/unit/api/api_fixture.h"

namespace gatescope::api {
namespace {

const Question kPrimesAsked{.key = {Topic::Values, SequenceId(40), {}}};

struct Waiter final : AnswerWaiter {
  std::optional<Answer> answer;
  std::unique_ptr<Sequences::Request> request;
  void on_answer(const Answer& a) override { answer = a; }
};

struct SharedSequencesFixture {
  test::SimWorld world{1};
  test::SimLoop home{world, "home"}, far{world, "far"};
  NullLog log;
  FakeStore store;
  std::unique_ptr<SequenceService> service =
      std::make_unique<SequenceService>(home, log, SequenceServiceSettings{}, nullptr);
  std::unique_ptr<SharedSequences> shared = std::make_unique<SharedSequences>(home, *service);

  SharedSequencesFixture() {
    store.loop = &home;
    const auto lane = home.make_lane({.name = "sequences"});
    home.turn([&] { service->use({.store = &store, .lane = lane}); });
  }
  ~SharedSequencesFixture() {
    home.turn([&] { service->use({}); });
    run();
    shared.reset();
    service.reset();
  }
  void run() { world.run_for(Duration(1000)); }
  void ask(Waiter& waiter) {
    far.turn([&] { waiter.request = shared->on(far).ask(kPrimesAsked, "192.0.2.7", waiter); });
  }
  void leave(Waiter& waiter) {
    far.turn([&] { waiter.request.reset(); });
  }
  void store_has() {
    StoredSequence primes{.name = "The prime numbers.", .shift = 1};
    primes.terms.emplace();
    for (const char* term : {"2", "3", "5"})
      primes.terms->add(term);
    home.turn([&] {
      while (!store.asked.empty())
        store.asked.front()->answer(primes);
    });
  }
};

}  // namespace

TEST_CASE("loop 0 has the service itself, every other loop one that posts") {
  SharedSequencesFixture f;
  CHECK(&f.shared->on(f.home) == f.service.get());
  CHECK(&f.shared->on(f.far) != f.service.get());
  CHECK(&f.shared->on(f.far) == &f.shared->on(f.far));
}

TEST_CASE("an answer comes back to the loop that asked, and is found there at once afterwards") {
  SharedSequencesFixture f;
  Waiter waiter;
  f.ask(waiter);
  f.run();
  CHECK(f.shared->questions() == 1);
  CHECK_FALSE(waiter.answer);
  f.store_has();
  f.run();
  REQUIRE(waiter.answer);
  CHECK(std::holds_alternative<std::shared_ptr<const AnswerForm>>(*waiter.answer));
  CHECK(f.shared->questions() == 0);
  f.leave(waiter);
  f.far.turn([&] { CHECK(f.shared->on(f.far).find(kPrimesAsked)); });
}

TEST_CASE("who leaves takes his question along, whenever he does") {
  SharedSequencesFixture f;
  Waiter early, late;
  f.ask(early);
  f.leave(early);  // perhaps before the question has arrived
  f.ask(late);
  f.run();
  f.leave(late);
  f.run();
  f.store_has();
  f.run();
  CHECK(f.shared->questions() == 0);
  CHECK_FALSE(early.answer);
  CHECK_FALSE(late.answer);
}

TEST_CASE("who leaves while the answer is on its way is not told") {
  SharedSequencesFixture f;
  Waiter waiter;
  f.ask(waiter);
  f.run();
  f.store_has();
  f.world.run_until([&] { return f.shared->questions() == 0; }, Duration(1000));
  f.leave(waiter);
  f.run();
  CHECK_FALSE(waiter.answer);
}

}  // namespace gatescope::api
