// Who finds what, while the index is made, renewed or missing, and when OEIS is asked.

#include "api/search_service.h"

#include <algorithm>
#include <list>
#include <optional>
#include <set>

#include "tests/support/catch.h"
#include "tests/support/sim_loop.h"
#include "tests/support/sim_world.h"
#include "tests/unit/api/api_fixture.h"

namespace gatescope::api {
namespace {

using Found = std::vector<FoundSequence>;

class FakeSearchStore final : public SearchStore {
 public:
  explicit FakeSearchStore(net::Loop& loop) : loop_(loop) {}
  std::vector<std::pair<std::uint32_t, std::string>> entries;  // ascending
  std::map<std::string, Found> searches;
  std::optional<Error> fails;
  bool silent = false;  // nothing is answered
  int reads = 0, looks = 0;
  int jobs = 0;  // under way

  std::unique_ptr<Job> load_entries(std::uint32_t after, std::size_t most, Duration,
                                    EntriesLoaded done) override {
    ++reads;
    return answer(std::move(done), [this, after, most]() -> Result<SearchBatch> {
      if (fails) return *fails;
      SearchBatch batch;
      for (const auto& [number, name] : entries)
        if (number > after && batch.size() < most) batch.add({.number = number, .name = name});
      return batch;
    });
  }
  std::unique_ptr<Job> load_stamp(Duration, StampLoaded done) override {
    return answer(std::move(done), [this]() -> Result<std::string> {
      if (fails) return *fails;
      return std::to_string(entries.size());
    });
  }
  std::unique_ptr<Job> load_search(const std::string& term, Duration, SearchLoaded done) override {
    ++looks;
    return answer(std::move(done), [this, term]() -> Result<std::optional<Found>> {
      if (fails) return *fails;
      const auto place = searches.find(term);
      return place == searches.end() ? std::optional<Found>() : place->second;
    });
  }
  void save_search(std::string term, Found found) override {
    searches[std::move(term)] = std::move(found);
  }

 private:
  struct Asked : Job {
    explicit Asked(int& j) : jobs(j) { ++jobs; }
    ~Asked() override { --jobs; }
    int& jobs;
    std::shared_ptr<int> alive = std::make_shared<int>(0);
  };
  template <class Done, class Make>
  std::unique_ptr<Job> answer(Done done, Make make) {
    auto job = std::make_unique<Asked>(jobs);
    if (!silent) {
      loop_.post([done = std::move(done), make, held = std::weak_ptr(job->alive)] {
        if (!held.expired()) done(make());
      });
    }
    return job;
  }
  net::Loop& loop_;
};

struct SearchServiceFixture {
  test::SimWorld world{1};
  test::SimLoop loop{world}, other{world, "other"};
  MemoryLog log;
  Stats stats;
  FakeSearchStore store{loop};
  FakeOeis oeis;
  std::unique_ptr<SearchService> service;
  struct Waiter {
    std::unique_ptr<Searching::Request> request;
    std::optional<SearchAnswer> answer;
    int told = 0;
  };
  std::list<Waiter> waiters;

  explicit SearchServiceFixture(SearchServiceSettings settings = {})
      : service(std::make_unique<SearchService>(loop, log, settings, &stats)) {
    store.entries = {{40, "The prime numbers."}, {45, "Fibonacci numbers."}};
  }
  ~SearchServiceFixture() {
    loop.turn([&] {
      waiters.clear();
      service->use({});
    });
    world.run_for(Duration(100));
    loop.turn([&] { service.reset(); });
  }
  void use(SearchWhere where, bool with_oeis = true, std::string key = "a") {
    loop.turn([&] {
      service->use({.store = &store,
                    .oeis = with_oeis ? &oeis : nullptr,
                    .where = where,
                    .entries_of = std::move(key)});
    });
  }
  Waiter& search(std::string term, test::SimLoop* from = nullptr) {
    auto& waiter = waiters.emplace_back();
    auto& asker = from != nullptr ? *from : loop;
    asker.turn([&] {
      waiter.request = service->search(asker, std::move(term), [&waiter](SearchAnswer answer) {
        ++waiter.told;
        waiter.answer = std::move(answer);
      });
      CHECK(waiter.told == 0);
    });
    return waiter;
  }
  void leave(Waiter& waiter, test::SimLoop* from = nullptr) {
    (from != nullptr ? *from : loop).turn([&] { waiter.request.reset(); });
  }
  void run() { world.run_for(Duration(500)); }
  static std::string numbers(const Waiter& waiter) {
    REQUIRE(waiter.told == 1);
    if (const auto* no = std::get_if<Unavailable>(&*waiter.answer)) return "later: " + no->detail;
    if (std::holds_alternative<NoneHere>(*waiter.answer)) return "none here";
    std::string out;
    for (const auto& found : std::get<Found>(*waiter.answer))
      out += (out.empty() ? "" : " ") + found.id.text();
    return out.empty() ? "none" : out;
  }
  std::string find(std::string term) {
    auto& waiter = search(std::move(term));
    run();
    return numbers(waiter);
  }
  FakeOeis::Asked& asked() {
    REQUIRE(oeis.searches.size() == 1);
    return *oeis.searches[0];
  }
  void oeis_answers(OeisAnswer answer) {
    loop.turn([&] { asked().answer(std::move(answer)); });
    run();
  }
};

constexpr const char* kTwoRecords =
    R"([{"number": 6577, "name": "Steps."}, {"number": 8908, "name": "More steps."}])";

TEST_CASE("search service: who asks before the index is there waits for it, on any loop") {
  SearchServiceFixture f;
  f.use(SearchWhere::Local);
  auto& here = f.search("prime");
  auto& there = f.search("fibonacci", &f.other);
  CHECK(here.told == 0);
  f.run();
  CHECK(f.numbers(here) == "A000040");
  CHECK(f.numbers(there) == "A000045");
  CHECK(f.find("nothing such") == "none");
  CHECK(f.oeis.searches.empty());
  CHECK(f.log.has("2 entries are in memory"));
}

TEST_CASE("search service: an index that cannot be made is tried again, and nobody is told lies") {
  SearchServiceFixture f;
  f.store.fails = make_error(ErrorKind::Unavailable, Origin::Internal, "the database is away");
  f.use(SearchWhere::Local);
  auto& early = f.search("prime");
  f.world.run_for(Duration(5000));
  CHECK(f.numbers(early).starts_with("later: "));
  CHECK(f.log.has("the database is away"));
  auto& late = f.search("prime");
  f.store.fails.reset();
  f.world.run_for(Duration(4900));
  CHECK(f.numbers(late) == "A000040");
}

TEST_CASE("search service: an import renews the index, and the old one answers meanwhile") {
  struct : SearchEvents {
    int renewed = 0;
    void on_search_renewed() override { ++renewed; }
  } events;
  SearchServiceFixture f;
  f.service->set_events(&events);
  f.use(SearchWhere::Local);
  f.run();
  CHECK(events.renewed == 1);
  f.store.silent = true;
  f.store.entries.emplace_back(108, "Catalan numbers.");
  f.loop.turn([&] { f.service->renew(); });
  CHECK(f.find("prime") == "A000040");
  CHECK(f.find("catalan") == "none");
  f.store.silent = false;
  f.loop.turn([&] {
    f.service->renew();  // while one runs: once more afterwards
    f.service->renew();
  });
  f.use(SearchWhere::Local);  // the silent one is given up
  f.run();
  CHECK(f.find("catalan") == "A000108");
  CHECK(events.renewed == 2);
  const int reads = f.store.reads;
  f.loop.turn([&] {
    f.service->renew();
    f.service->renew();
    f.service->renew();
  });
  f.world.run_for(Duration(3000));
  CHECK(f.store.reads == reads + 2);
  CHECK(events.renewed == 4);
  f.service->set_events(nullptr);
}

TEST_CASE("search service: when changes were missed, the index is renewed if there were any") {
  SearchServiceFixture f;
  const auto missed = [&] {
    f.loop.turn([&] { f.service->renew_if_changed(); });
    f.run();
  };
  f.use(SearchWhere::Local);
  missed();  // at the start, as the database's listener connects
  CHECK(f.store.reads == 1);
  missed();
  CHECK(f.store.reads == 1);
  f.store.entries.emplace_back(108, "Catalan numbers.");
  missed();
  CHECK(f.store.reads == 2);
  CHECK(f.find("catalan") == "A000108");
  f.store.fails = make_error(ErrorKind::Unavailable, Origin::Internal, "away");
  missed();
  f.store.fails.reset();
  missed();
  CHECK(f.store.reads == 2);
}

TEST_CASE("search service: a configuration that changes nothing of it does not renew the index") {
  SearchServiceFixture f;
  f.use(SearchWhere::Local);
  f.run();
  const int reads = f.store.reads;
  f.loop.turn([&] { f.service->use({}); });
  CHECK(f.find("prime") == "A000040");  // meanwhile
  f.use(SearchWhere::LocalThenOeis);
  f.run();
  CHECK(f.store.reads == reads);
  f.use(SearchWhere::LocalThenOeis, true, "another database");
  f.run();
  CHECK(f.store.reads > reads);
}

TEST_CASE("search service: many entries are read piece by piece") {
  SearchServiceFixture f;
  f.store.entries.clear();
  for (std::uint32_t i = 1; i <= 40'000; ++i)
    f.store.entries.emplace_back(i, "x" + std::to_string(i));
  f.use(SearchWhere::Local);
  f.world.run_for(Duration(3000));
  CHECK(f.store.reads == 3);
  CHECK(f.service->index()->entries() == 40'000);
  CHECK(f.find("x39999") == "A039999");
}

TEST_CASE("search service: OEIS is asked only for what is not found here") {
  SearchServiceFixture f;
  f.use(SearchWhere::LocalThenOeis);
  f.run();
  CHECK(f.find("prime") == "A000040");
  CHECK(f.store.looks == 0);
  auto& first = f.search("collatz");
  f.run();
  f.oeis_answers(kTwoRecords);
  CHECK(f.numbers(first) == "A006577 A008908");
  CHECK(f.find("collatz") == "A006577 A008908");  // as it was stored
  CHECK(f.oeis.searches.empty());
  auto& there = f.search("bernstein", &f.other);
  f.run();
  f.oeis_answers(R"({"results": [{"number": 7, "name": "Seven."}], "count": 1})");
  CHECK(f.numbers(there) == "A000007");
}

TEST_CASE("search service: what is not found here, while OEIS does not answer, is none for now") {
  SearchServiceFixture f;
  f.use(SearchWhere::LocalThenOeis);
  f.run();
  auto& waiter = f.search("collatz");
  f.run();
  f.oeis_answers(OeisFailure{OeisFailure::Kind::Silent, "Error: x", "why not"});
  CHECK(f.numbers(waiter) == "none here");
  CHECK(f.store.searches.empty());
}

TEST_CASE("search service: none found, and failures, are not stored") {
  SearchServiceFixture f;
  f.use(SearchWhere::Oeis);
  auto& none = f.search("prime");
  f.run();
  f.oeis_answers("null");
  CHECK(f.numbers(none) == "none");
  using Kind = OeisFailure::Kind;
  for (const auto kind : {Kind::NotFound, Kind::Refused, Kind::Silent, Kind::Resting}) {
    auto& waiter = f.search("prime");
    f.run();
    f.oeis_answers(OeisFailure{kind, "Error: x", "why not", kind == Kind::Resting ? 77u : 0u});
    CHECK(f.numbers(waiter) == "later: why not");
    CHECK(std::get<Unavailable>(*waiter.answer).retry_after == (kind == Kind::Resting ? 77 : 5));
  }
  auto& garbage = f.search("prime");
  f.run();
  f.oeis_answers("<html>");
  CHECK(f.numbers(garbage).starts_with("later: "));
  CHECK(f.store.searches.empty());
  CHECK(!f.service->index());  // nobody looks into it
  CHECK(f.store.reads == 0);
}

TEST_CASE("search service: OEIS off, or a database that is down") {
  SearchServiceFixture f;
  f.use(SearchWhere::Oeis, false);
  f.store.searches["known"] = {{SequenceId(5), "Five."}};
  CHECK(f.find("known") == "A000005");
  CHECK(f.find("unknown") == "none");
  f.store.fails = make_error(ErrorKind::Unavailable, Origin::Internal, "down");
  CHECK(f.find("known") == "later: down");
  f.use(SearchWhere::Oeis, true);
  auto& waiter = f.search("collatz");
  f.run();
  f.oeis_answers(kTwoRecords);
  CHECK(f.numbers(waiter) == "A006577 A008908");
}

TEST_CASE("search service: who leaves is forgotten, wherever his search is") {
  SearchServiceFixture f;
  f.store.silent = true;
  f.use(SearchWhere::LocalThenOeis);
  auto& for_index = f.search("prime", &f.other);
  f.run();
  f.leave(for_index, &f.other);
  f.store.silent = false;
  f.use(SearchWhere::LocalThenOeis);
  f.run();
  auto& queued = f.search("prime");
  f.leave(queued);
  f.run();
  for (auto* from : {&f.loop, &f.other}) {
    auto& at_oeis = f.search("collatz", from);
    f.run();
    CHECK(f.oeis.searches.size() == 1);
    f.leave(at_oeis, from);
    f.run();
    CHECK(f.oeis.searches.empty());
    CHECK(at_oeis.told == 0);
  }
  CHECK(for_index.told == 0);
  CHECK(queued.told == 0);
  CHECK(f.store.jobs == 0);
}

TEST_CASE("search service: everything has an end and a bound") {
  SearchServiceFixture f({.max_queue = 2, .max_waiting = 2, .max_oeis = 1});
  f.store.silent = true;
  f.use(SearchWhere::LocalThenOeis);
  f.search("a");
  f.search("b");
  auto& third = f.search("c");
  f.run();
  CHECK(f.numbers(third) == "later: too many wait for the search index");
  f.world.run_for(Duration(5000));
  CHECK(f.numbers(f.waiters.front()).starts_with("later: the search took too long"));
  f.store.silent = false;
  f.use(SearchWhere::LocalThenOeis);
  f.run();
  int busy = 0;
  for (int i = 0; i < 10; ++i)
    f.search("prime");
  f.run();
  for (auto waiter = std::next(f.waiters.begin(), 3); waiter != f.waiters.end(); ++waiter)
    busy += f.numbers(*waiter).starts_with("later: the queue") ? 1 : 0;
  CHECK(busy >= 6);
  CHECK(busy <= 8);
  auto& at_oeis = f.search("collatz");
  f.run();
  CHECK(f.find("other") == "later: too many searches wait for OEIS");
  f.use(SearchWhere::Local);  // a new configuration: come again
  f.run();
  CHECK(f.numbers(at_oeis) == "later: the configuration has changed");
  CHECK(f.oeis.searches.empty());
  CHECK(f.stats.counter("searches_refused", "", "").value() == 5 + busy);
}

}  // namespace
}  // namespace gatescope::api
