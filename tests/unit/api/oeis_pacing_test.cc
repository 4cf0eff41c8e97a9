// When OEIS is asked: users first, the background slowly, nobody while it refuses.

#include "tests/unit/api/oeis_client_fixture.h"

namespace gatescope::api::oeis_test {

TEST_CASE("users wait four seconds, their place in the queue included") {
  Fixture f({.max_at_once = 2, .max_users = 3});
  for (int i = 1; i <= 4; ++i)
    f.ask(static_cast<unsigned>(i));
  CHECK(f.https.requests.size() == 2);
  CHECK(f.ask(5).fetch);
  const Asked& sixth = f.ask(6);  // two are asked, three wait
  f.world.run_for(Duration(0));
  CHECK(sixth.failure().kind == Kind::Resting);
  CHECK(sixth.failure().retry_after == 1);
  f.world.run_for(Duration(3000));
  f.answer(good("1 1\n"));
  REQUIRE(f.https.requests.size() == 3);
  CHECK(f.last().url == "https://oeis.org/A000003/b000003.txt");
  CHECK(f.last().timeout == Duration(1000));
  f.world.run_for(Duration(1001));
  auto fourth = std::next(f.all.begin(), 3);
  CHECK(fourth->failure().text.starts_with("Error: Timeout for url: "));
  CHECK(fourth->failure().kind == Kind::Silent);
  CHECK(f.https.requests.size() == 3);
}

TEST_CASE("background questions come one at a time, ten seconds apart, after users'") {
  Fixture f;
  auto& first = f.ask_background(1);
  auto& second = f.ask_background(2);
  CHECK(f.https.requests.size() == 1);
  CHECK(f.last().timeout == Duration(60'000));
  f.answer(good("1 1\n"));
  CHECK(first.ok());
  f.world.run_for(Duration(9999));
  CHECK(f.https.requests.size() == 1);
  SECTION("then the next") {
    f.world.run_for(Duration(1));
    REQUIRE(f.https.requests.size() == 2);
    CHECK(f.last().url == "https://oeis.org/A000002/b000002.txt");
  }
  SECTION("unless a user asks") {
    auto& user = f.ask(3);
    CHECK(f.https.requests.size() == 2);  // at once
    f.world.run_for(Duration(3000));
    CHECK(f.https.requests.size() == 2);
    f.answer(good("1 1\n"));
    CHECK(user.ok());
    REQUIRE(f.https.requests.size() == 3);
    f.answer(good("1 1\n"));
    CHECK(second.ok());
  }
  SECTION("but only while somebody wants it") {
    second.fetch.reset();
    f.world.run_for(Duration(60'000));
    CHECK(f.https.requests.size() == 1);
  }
}

TEST_CASE("a background question gives way to a user's, and comes again") {
  Fixture f;
  auto& background = f.ask_background(1);
  auto& user = f.ask(2);
  REQUIRE(f.https.requests.size() == 2);
  CHECK(f.https.alive.size() == 1);
  CHECK(f.last().url == "https://oeis.org/A000002/b000002.txt");
  f.answer(good("1 1\n"));
  CHECK(user.ok());
  CHECK(!background.answer);
  f.world.run_for(Duration(9990));
  CHECK(f.https.requests.size() == 2);
  f.world.run_for(Duration(20));
  REQUIRE(f.https.requests.size() == 3);
  f.answer(good("1 1\n"));
  CHECK(background.ok());
}

TEST_CASE("not too many wait in the background, and none for ever") {
  Fixture f({.max_background = 2});
  auto& asked = f.ask_background(1);
  auto& waiting = f.ask_background(2);
  f.ask_background(3);
  auto& refused = f.ask_background(4);
  f.world.run_for(Duration(0));
  CHECK(refused.failure().kind == Kind::Resting);
  CHECK(refused.failure().retry_after == 60);
  f.world.run_for(std::chrono::hours(1) + Duration(1));  // the transfer has its own deadline
  CHECK(!asked.answer);
  CHECK(waiting.failure().kind == Kind::Silent);
}

TEST_CASE("when OEIS refuses, nobody asks it for a while, then one") {
  Fixture f;
  auto& first = f.ask(1);
  auto& beside = f.ask(2);
  auto& background = f.ask_background(3);
  REQUIRE(f.https.requests.size() == 2);
  f.answer(with_status(503));
  CHECK(first.failure().kind == Kind::Refused);
  CHECK(first.failure().retry_after == 120);
  f.world.run_for(Duration(0));
  CHECK(background.failure().kind == Kind::Resting);
  f.answer(with_status(503));
  CHECK(beside.failure().retry_after == 120);
  CHECK(f.logged(R"("event":"OEIS is left alone")"));

  f.world.run_for(Duration(60'000));
  auto& later = f.ask(4);
  f.world.run_for(Duration(0));
  CHECK(later.failure().kind == Kind::Resting);
  CHECK(later.failure().retry_after == 60);
  CHECK(later.failure().text ==
        "Error: 503 Server Error: Service Unavailable for url: "
        "https://oeis.org/A000004/b000004.txt");
  CHECK(f.https.requests.size() == 2);

  f.world.run_for(Duration(60'000));
  auto& probe = f.ask(5);
  auto& behind = f.ask(6);
  CHECK(f.https.requests.size() == 3);
  SECTION("it answers again: everybody may") {
    f.answer(good("1 1\n"));
    CHECK(probe.ok());
    CHECK(f.https.requests.size() == 4);
    f.ask(7);
    CHECK(f.https.requests.size() == 5);
    CHECK(f.log.has("OEIS answers again"));
  }
  SECTION("it knows no such sequence: that is an answer") {
    f.answer(with_status(404));
    CHECK(f.https.requests.size() == 4);
  }
  SECTION("it refuses again: twice as long") {
    f.answer(with_status(429));
    CHECK(probe.failure().retry_after == 240);
    f.world.run_for(Duration(0));
    CHECK(behind.failure().kind == Kind::Resting);
    CHECK(behind.failure().text.starts_with("Error: 429 Client Error: Too Many Requests"));
    CHECK(f.https.requests.size() == 3);
  }
  SECTION("it does not answer: the next one tries") {
    f.fail(ErrorKind::Timeout);
    CHECK(probe.failure().kind == Kind::Silent);
    CHECK(f.https.requests.size() == 4);
    CHECK(f.https.alive.size() == 1);
  }
}

TEST_CASE("Retry-After is obeyed, in seconds and as a date") {
  Fixture f;
  auto& asked = f.ask();
  SECTION("seconds") {
    f.answer(with_status(429, "30"));
  }
  SECTION("a date") {
    const auto now = std::chrono::floor<std::chrono::seconds>(f.loop.clock().wall());
    f.answer(with_status(503, http_date(now.time_since_epoch().count() + 30)));
  }
  CHECK(asked.failure().retry_after == 30);
  f.world.run_for(Duration(29'900));
  CHECK(f.ask(1).fetch);
  CHECK(f.https.requests.size() == 1);
  f.world.run_for(Duration(200));
  f.ask(2);
  CHECK(f.https.requests.size() == 2);
}

}  // namespace gatescope::api::oeis_test
