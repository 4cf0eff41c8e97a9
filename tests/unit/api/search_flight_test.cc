// Searches, as the service sees them.

#include "tests/unit/api/service_fixture.h"

namespace gatescope::api {
namespace {

struct FakeSearching final : Searching {
  struct Asked : Request {
    Asked(FakeSearching& s, std::string t, Done d)
        : searching(s), term(std::move(t)), done(std::move(d)) {
      searching.asked.push_back(this);
    }
    ~Asked() override { std::erase(searching.asked, this); }
    void answer(SearchAnswer with) {
      std::erase(searching.asked, this);
      const auto tell = std::move(done);
      tell(std::move(with));
    }
    FakeSearching& searching;
    const std::string term;
    Done done;
  };
  std::vector<Asked*> asked;
  int searches = 0;
  std::unique_ptr<Request> search(net::Loop&, std::string term, Done done) override {
    ++searches;
    return std::make_unique<Asked>(*this, std::move(term), std::move(done));
  }
};

struct SearchFixture : ServiceFixture {
  FakeSearching searching;
  explicit SearchFixture(SequenceServiceSettings settings = {}) : ServiceFixture(settings) {
    more.searching = &searching;
    use(true);
  }
  ~SearchFixture() {
    waiters.clear();
    loop.turn([&] { service.use({}); });
  }
  void found(SearchAnswer with) {
    REQUIRE_FALSE(searching.asked.empty());
    loop.turn([&] { searching.asked.front()->answer(std::move(with)); });
  }
};

const std::vector<FoundSequence> kFound{{SequenceId(40), "The prime numbers."}};

TEST_CASE("the same search is one search, and answered from memory for a while") {
  SearchFixture f;
  auto& first = f.ask(search("prime"));
  auto& second = f.ask(search("prime"));
  auto& other = f.ask(search("primes"));
  CHECK(f.searching.searches == 2);
  CHECK(f.searching.asked.front()->term == "prime");
  f.found(kFound);
  REQUIRE(f.told(second));
  CHECK(first.form() == second.form());
  CHECK(first.body() == R"({"results":[["A000040","The prime numbers."]],"term":"prime"})"
                        "\n");
  CHECK(first.complete());
  CHECK(other.told == 0);
  CHECK(f.find(search("prime")));
  CHECK(!f.find(search("Prime")));
  f.found(std::vector<FoundSequence>{});
  REQUIRE(f.told(other));
  CHECK(other.body() == R"({"results":[],"term":"primes"})"
                        "\n");
  f.world.run_for(std::chrono::minutes(6));
  CHECK(!f.find(search("prime")));
}

TEST_CASE("none for now is an answer that nobody keeps") {
  SearchFixture f;
  auto& waiter = f.ask(search("collatz"));
  f.found(NoneHere{});
  REQUIRE(f.told(waiter));
  CHECK(waiter.body() == R"({"results":[],"term":"collatz"})"
                         "\n");
  CHECK(!waiter.complete());
  CHECK(!f.find(search("collatz")));
}

TEST_CASE("after an import searches are made anew") {
  SearchFixture f;
  auto& first = f.ask(search("prime"));
  f.found(kFound);
  REQUIRE(f.told(first));
  f.loop.turn([&] { f.service.on_imported(); });
  CHECK(!f.find(search("prime")));
}

TEST_CASE("a search that cannot be made is 503, and never stored as having no results") {
  SearchFixture f;
  auto& waiter = f.ask(search("prime"));
  f.found(Unavailable{"OEIS is silent"});
  REQUIRE(f.told(waiter));
  CHECK(waiter.unavailable());
  CHECK(!f.find(search("prime")));
  CHECK(f.log.has("a search: OEIS is silent"));
  f.more.searching = nullptr;
  f.use(true);
  auto& without = f.ask(search("prime"));
  REQUIRE(f.told(without));
  CHECK(without.unavailable());
}

TEST_CASE("searches do not take the places of sequences, nor their clients'") {
  SearchFixture f({.max_flights = 2, .max_of_client = 1});
  const std::string client = "192.0.2.1";
  f.ask(search("a"), client);
  f.ask(search("b"), client);
  auto& third = f.ask(search("c"), client);
  REQUIRE(f.told(third));
  CHECK(third.unavailable());
  auto& sequence = f.ask(values(), client);
  f.stored(row("x", {"1"}));
  REQUIRE(f.told(sequence));
  CHECK(sequence.form());
}

TEST_CASE("searches fill an eighth of the cache at most") {
  SearchFixture f({.cache_bytes = 160'000});
  auto& sequence = f.ask();
  f.stored(row("The prime numbers.", {"2", "3"}));
  REQUIRE(f.told(sequence));
  const auto keep = [&](const std::string& term) {
    f.ask(search(term));
    f.found(kFound);
  };
  keep("first");
  REQUIRE(f.find(search("first")));
  for (int i = 0; i < 100; ++i)
    keep("term " + std::to_string(i));
  CHECK(!f.find(search("first")));
  CHECK(f.find());
}

}  // namespace
}  // namespace gatescope::api
