// Two whole gatescopes on a primary with a streaming standby: what one stores the other answers,
// and when the standby takes over, nothing that was answered is lost.

#include <signal.h>

#include "tests/unit/api/loss_fixture.h"
#include "tests/unit/api/pg_cluster.h"

namespace gatescope::api {
namespace {

struct PairOfClusters {
  OpenFolder clusters;
  PgCluster primary{clusters / "a"}, standby{clusters / "b"};
  PairOfClusters() {
    primary.init();
    primary.start();
    standby.init_as_standby_of(primary);
    standby.start();
    REQUIRE(primary.running());
    REQUIRE(standby.running());
  }
  std::string directive() const {
    return "database \"host=" + standby.socket_folder() + "," + primary.socket_folder() +
           " dbname=postgres user=postgres\";";
  }
};

TEST_CASE(
    "two gatescopes, a primary and a standby: a change reaches the other, a failover loses "
    "nothing") {
  PairOfClusters pair;
  LossFixture one(pair.directive()), two(pair.directive());
  for (unsigned n = kFirst; n <= kLast; ++n)
    CHECK(one.get_at_last(*one.handler, path_of(n)) == "200 " + answer_of(n));

  // Of a third one
  {
    GivenDatabase given("host=" + pair.primary.socket_folder() + " dbname=postgres user=postgres");
    PgLane lane(*one.loop, one.log, given, 1, nullptr);
    PgStore store(lane, one.log, "third");
    auto sequence = std::make_shared<Sequence>(
        Sequence{.id = SequenceId(kFirst), .name = "Number 41.", .shift = 1});
    sequence->terms.add("17");
    store.save(sequence);
    const std::string changed = R"(200 {"id":"A000041","name":"Number 41.","values":{"1":"17"}})"
                                "\n";
    CHECK(one.until([&] { return one.get(*one.handler, path_of(kFirst)) == changed; }));
    CHECK(two.until([&] { return two.get(*two.handler, path_of(kFirst)) == changed; }));
  }

  pair.primary.stop(SIGINT);
  one.check_memory();
  two.check_memory();
  for (LossFixture* f : {&one, &two}) {
    const auto asked = f->ask(kFirst + 1, kLast);
    f->check_in_order(asked, kFirst + 1);
  }
  pair.standby.promote();
  for (LossFixture* f : {&one, &two}) {
    f->check_known();
    for (unsigned n = kFirst + 1; n <= kLast + 1; ++n)
      CHECK(f->get_at_last(*f->handler, path_of(n)) == "200 " + answer_of(n));
    CHECK(f->counter("api_sequences_waiting") == 0);
  }
}

}  // namespace
}  // namespace gatescope::api
