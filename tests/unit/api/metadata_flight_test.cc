// Name, cross references, and who mentions a sequence.

#include "tests/unit/api/service_fixture.h"

namespace gatescope::api {
namespace {

const std::string kPlaceholder =
    R"({"backrefs":[],"id":"A000040","name":"A000040 [name not yet loaded]","xrefs":""})"
    "\n";

TEST_CASE("metadata from the import is complete, and answered from memory then") {
  ServiceFixture f;
  f.store.metadata[kPrimes] = {.name = "The prime numbers.",
                               .xrefs = "Cf. A000720.",
                               .backrefs = {SequenceId(10), SequenceId(720)},
                               .imported = true};
  auto& waiter = f.ask(metadata());
  REQUIRE(f.told(waiter));
  CHECK(waiter.body() ==
        R"({"backrefs":["A000010","A000720"],"id":"A000040","name":"The prime numbers.",)"
        R"("xrefs":"Cf. A000720."})"
        "\n");
  CHECK(waiter.complete());
  CHECK(f.find(metadata()));
  CHECK(f.store.entry_loads == 0);
  CHECK(f.oeis.records.empty());
}

TEST_CASE(
    "an old row's references are all that are known, an import that nobody mentions has none") {
  ServiceFixture f;
  SECTION("old") {
    f.store.metadata[kPrimes] = {.name = "x", .xrefs = "Cf.", .backrefs = {SequenceId(10)}};
  }
  SECTION("not mentioned") {
    f.store.metadata[kPrimes] = {.name = "x", .xrefs = "", .imported = true};
  }
  auto& waiter = f.ask(metadata());
  REQUIRE(f.told(waiter));
  CHECK(waiter.complete());
}

TEST_CASE("with nothing imported and OEIS off there is a placeholder, which nobody keeps") {
  ServiceFixture f;
  f.use(false);
  auto& waiter = f.ask(metadata());
  REQUIRE(f.told(waiter));
  CHECK(waiter.body() == kPlaceholder);
  CHECK(waiter.header("Cache-Control") == "no-store");
  CHECK(f.find(metadata()));  // for a while
  f.world.run_for(std::chrono::minutes(2));
  CHECK(!f.find(metadata()));
}

TEST_CASE("an entry of the tree has name and references, but not who mentions it") {
  ServiceFixture f;
  f.local("%I A000040\n%S A000040 2,3\n%N A000040 The prime numbers.\n%Y A000040 Cf. A000720.\n");
  f.use(true, true);
  auto& waiter = f.ask(metadata());
  REQUIRE(f.told(waiter));
  CHECK(waiter.body() ==
        R"({"backrefs":[],"id":"A000040","name":"The prime numbers.","xrefs":"Cf. A000720."})"
        "\n");
  CHECK(!waiter.complete());
  CHECK(f.oeis.records.empty());
}

TEST_CASE("without an entry OEIS's record tells") {
  ServiceFixture f;
  auto& waiter = f.ask(metadata());
  SECTION("what it says") {
    f.record(R"([{"number":40,"name":"The prime numbers.","xref":["Cf. A1.","Cf. A2."]}])");
    REQUIRE(f.told(waiter));
    CHECK(waiter.body() ==
          R"({"backrefs":[],"id":"A000040","name":"The prime numbers.","xrefs":"Cf. A1.\nCf. A2."})"
          "\n");
    CHECK(!waiter.complete());
    CHECK(f.store.saved_names == std::vector<std::string>{"The prime numbers."});
  }
  SECTION("that there is no such sequence: for a day, for all endpoints") {
    f.record("null");
    REQUIRE(f.told(waiter));
    CHECK(waiter.refusal() == "Error: B-file for ID 'A000040' not found in OEIS.");
    CHECK(std::get<Refusal>(*f.find(metadata())).text == waiter.refusal());
    CHECK(std::get<Refusal>(*f.find(values())).text == waiter.refusal());
  }
  SECTION("nothing: the placeholder") {
    f.record(kSilent);
    REQUIRE(f.told(waiter));
    CHECK(waiter.body() == kPlaceholder);
  }
}

TEST_CASE("with the database down metadata is 503, and from memory once it was known") {
  ServiceFixture f;
  f.store.metadata_fails = make_error(ErrorKind::Unavailable, Origin::Internal, "refused");
  auto& first = f.ask(metadata());
  REQUIRE(f.told(first));
  CHECK(first.unavailable());
  CHECK(f.log.has("A000040: refused"));
  f.store.metadata_fails.reset();
  f.store.metadata[kPrimes] = {.name = "x", .imported = true};
  auto& second = f.ask(metadata());
  REQUIRE(f.told(second));
  f.store.metadata_fails = make_error(ErrorKind::Unavailable, Origin::Internal, "refused");
  f.loop.turn([&] { f.service.on_changes_missed(); });
  CHECK(!f.find(metadata()));
  auto& third = f.ask(metadata());
  REQUIRE(f.told(third));
  CHECK(third.body() == second.body());
}

TEST_CASE("many references are encoded and compressed off the loop, once for all") {
  ServiceFixture f;
  Metadata many{.name = "x", .imported = true};
  for (unsigned i = 0; i < 5000; ++i)
    many.backrefs.emplace_back(i);
  f.store.metadata[kPrimes] = many;
  Question question = metadata();
  question.coding = http::Coding::Brotli;
  std::vector<ServiceWaiter*> waiters;
  for (int i = 0; i < 20; ++i)
    waiters.push_back(&f.ask(question));
  REQUIRE(f.until([&] { return f.waiters.back().told == 1; }));
  for (const auto* waiter : waiters) {
    REQUIRE(waiter->told == 1);
    CHECK(waiter->form() == waiters.front()->form());
    CHECK(waiter->header("Content-Encoding") == "br");
  }
  CHECK(f.store.metadata_loads == 1);
  CHECK(f.find(question));
  question.coding = http::Coding::Gzip;
  CHECK(!f.find(question));  // another form is to be made
  auto& gzip = f.ask(question);
  REQUIRE(f.told(gzip));
  CHECK(gzip.header("Content-Encoding") == "gzip");
  CHECK(f.store.metadata_loads == 1);
}

}  // namespace
}  // namespace gatescope::api
