#include "tests/unit/api/completion_fixture.h"

namespace gatescope::api::completion_test {

TEST_CASE("what the other endpoints need of a sequence is obtained once, after a first request") {
  Fixture f;
  f.knows(40);
  SECTION("its terms are stored: name, references, factors") {
    f.row(40).terms = "23";
    f.wish(40);
    f.minutes(1);
    CHECK(f.all.asked == std::vector<std::string>{"r40"});
    REQUIRE(f.all.factored.size() == 1);
    CHECK(f.all.factored[0].terms->size() == 2);
    CHECK(f.all.factored[0].stored == nullptr);
  }
  SECTION("nothing is stored: its terms too") {
    f.wish(40);
    f.minutes(1);
    CHECK(f.all.asked == std::vector<std::string>{"b40", "r40"});
    CHECK(f.row(40).terms == "23");
    CHECK(f.all.factored.size() == 1);
  }
  CHECK(f.row(40).name == "Name.");
  CHECK(f.row(40).xrefs == "Cf. A000001.");
  CHECK(f.completed(40));
  CHECK(f.all.changed == std::vector<SequenceId>{SequenceId(40)});
  CHECK(f.all.claimed.empty());
  const auto asked = f.all.asked.size();
  const int notes = f.all.notes;
  f.wish(40);
  f.minutes(1);
  CHECK(f.all.asked.size() == asked);
  CHECK(f.all.notes == notes);  // it is known, without the database
}

TEST_CASE("what is imported is not asked for, and what is factored not again") {
  Fixture f;
  f.row(40) = {.name = "The primes.", .terms = "23"};
  f.all.imported[SequenceId(40)] = {.name = "The primes.", .imported = true};
  SECTION("factors are complete") {
    f.row(40).factors = World::listed("ab");
    f.wish(40);
    f.minutes(1);
    CHECK(f.all.factored.empty());
  }
  SECTION("some are missing") {
    f.row(40).factors = World::listed("a");
    f.wish(40);
    f.minutes(1);
    REQUIRE(f.all.factored.size() == 1);
    CHECK(*f.all.factored[0].stored == World::listed("a"));
  }
  SECTION("one was too hard so far") {
    f.row(40).factors = World::listed("a");
    f.row(40).factors->add("no_fac_yet");
    f.wish(40);
    f.minutes(1);
    CHECK(f.all.factored.size() == 1);
  }
  CHECK(f.all.asked.empty());
  CHECK(f.completed(40));
  CHECK(f.all.changed.empty());
}

TEST_CASE("one after the other, the newest first, without holding up whoever asked") {
  Fixture f({.max_waiting = 3});
  for (unsigned i = 1; i <= 5; ++i) {
    f.knows(i);
    f.row(i).terms = "2";
    f.wish(i);
  }
  CHECK(f.completion->waiting() == 3);
  f.wish(4);  // the newest again
  CHECK(f.all.asked.empty());
  f.world.run_for(Duration(2999));
  CHECK(f.all.asked.empty());
  f.minutes(1);
  // The two that had no room waited in the database.
  CHECK(f.all.asked == std::vector<std::string>{"r4", "r5", "r3", "r2", "r1"});
  for (std::size_t i = 1; i < f.all.asked_at.size(); ++i)
    CHECK(f.all.asked_at[i] - f.all.asked_at[i - 1] >= Duration(1250));
  CHECK(f.completion->waiting() == 0);
}

TEST_CASE("what was not completed goes on after a restart") {
  Fixture f;
  f.knows(1);
  f.knows(2);
  f.wish(1);
  f.wish(2);
  f.world.run_for(Duration(3500));  // in the middle of the second
  CHECK(f.all.asked == std::vector<std::string>{"b2"});
  f.loop.turn([&] { f.completion.reset(); });
  CHECK(f.all.claimed.empty());
  f.start();
  f.minutes(1);
  CHECK(f.completed(1));
  CHECK(f.completed(2));
  CHECK(f.all.asked.size() == 5);
}

TEST_CASE("what another gatescope works on is left to it, and looked after later") {
  Fixture f;
  f.knows(1);
  f.all.claimed.insert(SequenceId(1));
  f.wish(1);
  f.minutes(5);
  CHECK(f.all.asked.empty());
  SECTION("it has done it") {
    f.all.completed.insert(SequenceId(1));
    f.minutes(10);
    CHECK(f.all.asked.empty());
  }
  SECTION("it has died") {
    f.all.claimed.clear();
    f.minutes(10);
    CHECK(f.completed(1));
    CHECK(f.all.asked.size() == 2);
  }
  CHECK(f.completion->waiting() == 0);
}

TEST_CASE("while OEIS is to be left alone nothing is asked of it, then all goes on") {
  Fixture f;
  f.knows(1);
  f.knows(2);
  f.all.bfiles[SequenceId(2)] = OeisFailure{Kind::Resting, "", "", 600};
  f.wish(1);
  f.wish(2);
  f.minutes(9);
  CHECK(f.all.asked == std::vector<std::string>{"b2"});
  f.all.bfiles[SequenceId(2)] = "1 1\n";
  f.wish(3);  // nor for others
  f.minutes(1);
  f.minutes(1);
  CHECK(f.completed(1));
  CHECK(f.completed(2));
}

TEST_CASE("a failure of OEIS is tried again, five times at most until the next start") {
  Fixture f;
  f.knows(1);
  const OeisAnswer good = f.all.bfiles[SequenceId(1)];
  f.all.bfiles[SequenceId(1)] = OeisFailure{Kind::Silent, "", ""};
  f.wish(1);
  f.minutes(4);
  CHECK(f.all.asked.size() == 1);
  f.minutes(2);
  CHECK(f.all.asked.size() == 2);
  f.minutes(600);
  CHECK(f.all.asked.size() == 5);
  CHECK(!f.completed(1));
  f.wish(1);
  f.minutes(600);
  CHECK(f.all.asked.size() == 5);
  f.all.bfiles[SequenceId(1)] = good;
  f.loop.turn([&] { f.completion->use(f.sources()); });
  f.minutes(1);
  CHECK(f.completed(1));
}

TEST_CASE("a number that OEIS does not know, or that has no terms, is done with") {
  Fixture f;
  f.all.bfiles[SequenceId(2)] = "# A000002 (b-file synthesized from sequence entry)\n";
  f.all.records[SequenceId(2)] = "null";
  f.wish(1);
  f.wish(2);
  f.minutes(1);
  CHECK(f.completed(1));
  CHECK(f.completed(2));
  CHECK(f.all.rows.empty());
  CHECK(f.all.changed.empty());
  CHECK(f.all.asked == std::vector<std::string>{"b2", "r2", "b1"});
}

TEST_CASE("an answer of OEIS that cannot be read completes nothing") {
  Fixture f;
  f.row(1).terms = "2";
  f.all.records[SequenceId(1)] = "<html>";
  f.wish(1);
  f.minutes(1);
  CHECK(!f.completed(1));
  f.all.records[SequenceId(1)] = record(1, "");
  f.minutes(10);
  CHECK(f.completed(1));
  CHECK(f.row(1).name == "Name.");
}

TEST_CASE("without the database it waits, without OEIS it does what it can") {
  Fixture f;
  f.knows(1);
  SECTION("the database is away") {
    f.all.down = true;
    f.wish(1);
    f.minutes(60);
    CHECK(f.all.asked.empty());
    CHECK(f.all.notes <= 125);
    f.all.down = false;
    f.minutes(1);
    CHECK(f.completed(1));
  }
  SECTION("OEIS is off") {
    auto sources = f.sources();
    sources.oeis = nullptr;
    f.loop.turn([&] { f.completion->use(sources); });
    f.row(1).terms = "2";
    f.wish(1);
    f.minutes(1);
    CHECK(f.all.factored.size() == 1);
    CHECK(!f.completed(1));  // OEIS may be asked some day
    f.loop.turn([&] { f.completion->use(f.sources()); });
    f.minutes(1);
    CHECK(f.completed(1));
  }
  SECTION("there is no database at all") {
    f.loop.turn([&] { f.completion->use({}); });
    f.wish(1);
    f.minutes(1);
    CHECK(f.all.notes == 0);
  }
}

}  // namespace gatescope::api::completion_test
