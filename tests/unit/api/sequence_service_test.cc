#include "api/sequence_service.h"

#include <filesystem>
#include <fstream>
#include <list>
#include <optional>

#include "tests/support/catch.h"
#include "tests/support/sim_loop.h"
#include "tests/unit/api/api_fixture.h"

namespace gatescope::api {
namespace {

constexpr const char* kFile = "# A000040\n1 2\n2 3\n3 5\n";
const SequenceId kPrimes(40);

struct Waiter final : SequenceWaiter {
  std::optional<SequenceAnswer> answer;
  int told = 0;
  std::unique_ptr<Sequences::Request> request;
  bool leave_when_told = false;
  void on_sequence(const SequenceAnswer& a) override {
    ++told;
    answer = a;
    if (leave_when_told) request.reset();
  }
  const EncodedSequence* encoded() const {
    if (!answer) return nullptr;
    const auto* held = std::get_if<std::shared_ptr<const EncodedSequence>>(&*answer);
    return held == nullptr ? nullptr : held->get();
  }
  std::string refusal() const {
    const auto* held = answer ? std::get_if<Refusal>(&*answer) : nullptr;
    return held == nullptr ? "" : held->text;
  }
  bool unavailable() const { return answer && std::holds_alternative<Unavailable>(*answer); }
};

struct Fixture {
  test::SimWorld world{1};
  test::SimLoop loop{world};
  MemoryLog log;
  Stats stats;
  FakeStore store;
  FakeOeis oeis;
  OpenFolder folder;
  SequenceService service;
  std::list<Waiter> waiters;

  explicit Fixture(SequenceServiceSettings settings = {}) : service(loop, log, settings, &stats) {
    store.loop = &loop;
    use(true);
  }
  ~Fixture() {
    waiters.clear();
    service.use({});
    world.run_for(Duration(100));
    CHECK(world.complaints().empty());
  }
  void use(bool with_oeis, bool with_oeisdata = false) {
    const auto lane = loop.make_lane({.name = "work"});
    loop.turn([&] {
      service.use({.store = &store,
                   .oeis = with_oeis ? &oeis : nullptr,
                   .oeisdata = with_oeisdata ? folder.path() : "",
                   .lane = lane});
    });
  }
  Waiter& ask(Need need = Need::Terms, SequenceId id = kPrimes, const std::string& client = "") {
    waiters.emplace_back();
    loop.turn([&] { waiters.back().request = service.ask(id, need, client, waiters.back()); });
    CHECK(waiters.back().told == 0);
    return waiters.back();
  }
  bool until(const std::function<bool()>& holds) { return world.run_until(holds, Duration(2000)); }
  void stored(Result<StoredSequence> with) {
    REQUIRE(until([&] { return !store.asked.empty(); }));
    loop.turn([&] { store.asked.front()->answer(std::move(with)); });
  }
  void bfile(OeisAnswer with) {
    REQUIRE(until([&] { return !oeis.bfiles.empty(); }));
    loop.turn([&] { oeis.bfiles.front()->answer(std::move(with)); });
  }
  void record(OeisAnswer with) {
    REQUIRE(until([&] { return !oeis.records.empty(); }));
    loop.turn([&] { oeis.records.front()->answer(std::move(with)); });
  }
  void local(const std::string& text) {
    std::filesystem::create_directories(folder / "seq/A000");
    std::ofstream(folder / "seq/A000/A000040.seq") << text;
  }
  std::optional<SequenceAnswer> find(Need need = Need::Terms) {
    return service.find(kPrimes, need);
  }
};

StoredSequence row(std::optional<std::string> name, std::initializer_list<const char*> terms) {
  StoredSequence stored{.name = std::move(name), .shift = 1};
  stored.terms.emplace();
  for (const char* term : terms)
    stored.terms->add(term);
  return stored;
}

const OeisFailure kSilent{OeisFailure::Kind::Silent, "Error: Timeout for url: x", "timeout"};
const OeisFailure kMissing{OeisFailure::Kind::NotFound,
                           "Error: B-file for ID 'A000040' not found in OEIS.", "404"};
constexpr const char* kRecord = R"([{"number":40,"name":"The prime numbers."}])";

TEST_CASE("what is stored is answered without OEIS, and then from memory") {
  Fixture f;
  CHECK(!f.find());
  auto& waiter = f.ask(Need::TermsAndName);
  f.stored(row("The prime numbers.", {"2", "3"}));
  REQUIRE(f.until([&] { return waiter.told == 1; }));
  REQUIRE(waiter.encoded());
  CHECK(waiter.encoded()->complete());
  CHECK(f.find(Need::TermsAndName));
  CHECK(f.oeis.fetches == 0);
  CHECK(f.store.saved.empty());
  CHECK(f.until([&] { return f.service.flights() == 0; }));
}

TEST_CASE("72 who ask at the same time are one fetch") {
  Fixture f;
  for (int i = 0; i < 72; ++i)
    f.ask(i % 2 ? Need::Terms : Need::TermsAndName).leave_when_told = i % 3 == 0;
  f.stored(StoredSequence{});
  CHECK(f.store.loads == 1);
  f.waiters.pop_back();  // one leaves
  f.bfile(kFile);
  f.record(kRecord);
  REQUIRE(f.until([&] { return f.service.flights() == 0; }));
  CHECK(f.oeis.fetches == 1);
  CHECK(f.store.loads == 1);
  REQUIRE(f.store.saved.size() == 1);
  CHECK(f.store.saved[0]->terms.size() == 3);
  CHECK(f.store.saved_names == std::vector<std::string>{"The prime numbers."});
  for (const auto& waiter : f.waiters) {
    CHECK(waiter.told == 1);
    CHECK(waiter.encoded());
  }
}

TEST_CASE(
    "terms are answered with a placeholder, the name follows; it is never handed out as one") {
  Fixture f;
  auto& terms = f.ask(Need::Terms);
  auto& name = f.ask(Need::TermsAndName);
  f.stored(StoredSequence{});
  f.bfile(kFile);
  REQUIRE(f.until([&] { return terms.told == 1; }));
  CHECK(!terms.encoded()->complete());
  CHECK(name.told == 0);
  CHECK(f.find(Need::Terms));
  CHECK(!f.find(Need::TermsAndName));
  f.record(kRecord);
  REQUIRE(f.until([&] { return name.told == 1; }));
  CHECK(name.encoded()->complete());
  CHECK(f.find(Need::TermsAndName));
}

TEST_CASE("a name that OEIS does not tell is a refusal for those who need it") {
  Fixture f;
  auto& name = f.ask(Need::TermsAndName);
  f.stored(row(std::nullopt, {"2"}));
  SECTION("it fails") {
    f.record(kSilent);
    REQUIRE(f.until([&] { return name.told == 1; }));
    CHECK(name.refusal() == kSilent.text);
  }
  SECTION("it says something else") {
    f.record("null");
    REQUIRE(f.until([&] { return name.told == 1; }));
    CHECK(name.refusal() == "Error: The name of ID 'A000040' is not known.");
  }
  CHECK(f.store.saved.empty());
  CHECK(f.store.saved_names.empty());
}

TEST_CASE("a failure leaves nothing behind: the next one asks again") {
  Fixture f;
  auto& first = f.ask();
  f.stored(StoredSequence{});
  SECTION("silent") {
    f.bfile(kSilent);
  }
  SECTION("nonsense") {
    f.bfile("this is not a term\n");
  }
  REQUIRE(f.until([&] { return first.told == 1; }));
  CHECK(first.refusal().starts_with("Error: "));
  CHECK(!f.find());
  CHECK(f.service.flights() == 0);
  auto& second = f.ask();
  f.stored(StoredSequence{});
  f.bfile(kFile);
  REQUIRE(f.until([&] { return second.told == 1; }));
  CHECK(second.encoded());
  CHECK(f.store.saved.size() == 1);
}

TEST_CASE("what OEIS has not is not asked for again for a day, and never stored") {
  Fixture f;
  auto& first = f.ask();
  f.stored(StoredSequence{});
  f.bfile(kMissing);
  REQUIRE(f.until([&] { return first.told == 1; }));
  CHECK(first.refusal() == kMissing.text);
  const auto known = f.find();
  REQUIRE(known);
  CHECK(std::get<Refusal>(*known).text == kMissing.text);
  CHECK(f.store.saved.empty());
  f.world.run_for(std::chrono::hours(25));
  CHECK(!f.find());
}

TEST_CASE(
    "with the database down, what is in memory is answered, all else is 503, until it is back") {
  Fixture f;
  const auto down = make_error(ErrorKind::Unavailable, Origin::Internal, "refused");
  auto& cached = f.ask();
  f.stored(row("The prime numbers.", {"2"}));
  REQUIRE(f.until([&] { return cached.told == 1; }));
  auto& other = f.ask(Need::Terms, SequenceId(41));
  f.stored(down);
  REQUIRE(f.until([&] { return other.told == 1; }));
  CHECK(other.unavailable());
  CHECK(f.find());
  CHECK(f.oeis.fetches == 0);
  auto& again = f.ask(Need::Terms, SequenceId(41));
  f.stored(row("Partitions.", {"1"}));
  REQUIRE(f.until([&] { return again.told == 1; }));
  CHECK(again.encoded());
}

TEST_CASE("who waits is told at his deadline; the work goes on for the next") {
  Fixture f;
  auto& waiter = f.ask();
  f.stored(StoredSequence{});
  f.world.run_for(Duration(4999));
  CHECK(waiter.told == 0);
  f.world.run_for(Duration(2));
  REQUIRE(waiter.told == 1);
  CHECK(waiter.unavailable());
  f.bfile(kFile);
  REQUIRE(f.until([&] { return f.find().has_value(); }));
  CHECK(f.store.saved.size() == 1);
}

TEST_CASE(
    "oeisdata gives the name, and first terms while OEIS is away or off; never stored as values") {
  Fixture f;
  f.local(
      "%I A000040\n%S A000040 2,3,\n%T A000040 5,7\n%N A000040 The prime numbers.\n%O A000040 "
      "1,1\n");
  bool off = false;
  SECTION("silent") {}
  SECTION("off") {
    off = true;
  }
  f.use(!off, true);
  auto& waiter = f.ask(Need::TermsAndName);
  f.stored(StoredSequence{});
  if (!off) f.bfile(kSilent);
  REQUIRE(f.until([&] { return waiter.told == 1; }));
  REQUIRE(waiter.encoded());
  CHECK(waiter.encoded()->source() == Source::OeisData);
  CHECK(waiter.encoded()->terms() == 4);
  CHECK(!waiter.encoded()->complete());
  CHECK(f.store.saved.empty());
  CHECK(f.store.saved_names.empty());
  CHECK(f.find(Need::TermsAndName));
  f.world.run_for(std::chrono::minutes(2));
  CHECK(!f.find());  // provisional: OEIS is asked again
}

constexpr const char* kEntry =
    "%I A000040\n%S A000040 2,3,5\n%N A000040 The prime numbers.\n%O A000040 1,1\n";

TEST_CASE("an entry of the tree is stored once, and again only when its file changes") {
  Fixture f;
  f.local(kEntry);
  f.use(false, true);
  const auto answer = [&] {
    auto& waiter = f.ask(Need::TermsAndName);
    f.stored(StoredSequence{});
    REQUIRE(f.until([&] { return waiter.told == 1; }));
    REQUIRE(waiter.encoded());
    const auto terms = waiter.encoded()->terms();
    f.world.run_for(std::chrono::minutes(2));  // no longer in memory
    return terms;
  };
  const auto stored = [&] { return f.stats.counter("api_entries_stored", "entries", "").value(); };
  CHECK(answer() == 3);
  CHECK(answer() == 3);
  CHECK(f.store.entry_saves == 1);
  CHECK(stored() == 1);
  f.local("%I A000040\n%S A000040 2,3,5,7\n%N A000040 The prime numbers.\n%O A000040 1,1\n");
  CHECK(answer() == 4);
  CHECK(stored() == 2);
  f.local("%I A000041\n");  // nonsense: what is stored stays
  CHECK(answer() == 4);
  CHECK(f.log.has("speaks of another sequence"));
  std::filesystem::remove_all(f.folder / "seq");
  CHECK(answer() == 4);
  f.use(false, false);  // nor is a tree needed
  CHECK(answer() == 4);
  CHECK(f.store.entry_saves == 2);
}

TEST_CASE("an entry is answered as the database has it, not as it was parsed") {
  Fixture f;
  f.local(kEntry);
  f.use(false, true);
  auto& waiter = f.ask(Need::TermsAndName);
  f.stored(StoredSequence{});
  REQUIRE(f.until([&] { return f.store.entry_saves == 1; }));
  f.store.entries.at(kPrimes).terms.add("7");  // another gatescope was faster
  REQUIRE(f.until([&] { return waiter.told == 1; }));
  REQUIRE(waiter.encoded());
  CHECK(waiter.encoded()->terms() == 4);
}

TEST_CASE("an entry that cannot be looked for or stored is 503, and nothing is kept") {
  Fixture f;
  f.local(kEntry);
  f.use(false, true);
  const auto down = make_error(ErrorKind::Unavailable, Origin::Internal, "refused");
  SECTION("looked for") {
    f.store.entries_fail = down;
  }
  SECTION("stored") {
    f.store.saves_fail = down;
  }
  auto& waiter = f.ask(Need::TermsAndName);
  f.stored(StoredSequence{});
  REQUIRE(f.until([&] { return waiter.told == 1; }));
  CHECK(waiter.unavailable());
  CHECK(!f.find());
  CHECK(f.service.flights() == 0);
  CHECK(f.stats.counter("api_entries_stored", "entries", "").value() == 0);
  f.store.entries_fail.reset();
  f.store.saves_fail.reset();
  auto& again = f.ask(Need::TermsAndName);
  f.stored(StoredSequence{});
  REQUIRE(f.until([&] { return again.told == 1; }));
  CHECK(again.encoded());
}

TEST_CASE("the b-file comes before oeisdata, whose name it gets") {
  Fixture f;
  f.local("%I A000040\n%S A000040 2,3\n%N A000040 The prime numbers.\n%O A000040 1,1\n");
  f.use(true, true);
  auto& waiter = f.ask(Need::TermsAndName);
  f.stored(StoredSequence{});
  f.bfile(kFile);
  REQUIRE(f.until([&] { return waiter.told == 1; }));
  CHECK(waiter.encoded()->complete());
  REQUIRE(f.store.saved.size() == 1);
  CHECK(f.store.saved[0]->name == "The prime numbers.");
}

TEST_CASE("without OEIS and oeisdata what is not stored is refused") {
  Fixture f;
  f.use(false);
  auto& waiter = f.ask();
  f.stored(StoredSequence{});
  REQUIRE(f.until([&] { return waiter.told == 1; }));
  CHECK(waiter.refusal().starts_with("Error: Values for ID 'A000040' are not stored here"));
}

TEST_CASE("a new configuration sends the waiting away and keeps what is in memory") {
  Fixture f;
  auto& cached = f.ask();
  f.stored(row("The prime numbers.", {"2"}));
  REQUIRE(f.until([&] { return cached.told == 1; }));
  auto& waiter = f.ask(Need::Terms, SequenceId(41));
  f.use(true);
  REQUIRE(waiter.told == 1);
  CHECK(waiter.unavailable());
  CHECK(f.find());
}

TEST_CASE("only so many sequences are obtained at the same time") {
  Fixture f({.max_flights = 2});
  f.ask(Need::Terms, SequenceId(1));
  f.ask(Need::Terms, SequenceId(2));
  auto& third = f.ask(Need::Terms, SequenceId(3));
  auto& joins = f.ask(Need::Terms, SequenceId(2));
  REQUIRE(f.until([&] { return third.told == 1; }));
  CHECK(third.unavailable());
  CHECK(joins.told == 0);
}

TEST_CASE("one client waits for so many sequences only; other clients and memory do not mind") {
  Fixture f({.max_of_client = 2});
  const auto ask = [&](unsigned number, const std::string& client) -> Waiter& {
    return f.ask(Need::Terms, SequenceId(number), client);
  };
  const auto too_many = [&](Waiter& waiter) {
    f.world.run_for(Duration(1));
    return waiter.told == 1 && std::holds_alternative<TooMany>(*waiter.answer);
  };
  auto& first = ask(1, "192.0.2.1");
  auto& again = ask(1, "192.0.2.1");
  ask(2, "192.0.2.1");
  CHECK(too_many(ask(3, "192.0.2.1")));
  CHECK(f.service.flights() == 2);  // nothing was begun for it
  CHECK(!too_many(ask(3, "192.0.2.2")));
  CHECK(too_many(ask(3, "192.0.2.1")));  // though another one has begun it
  CHECK(!too_many(ask(4, "")));
  CHECK(f.stats.counter("api_clients_limited", "requests", "").value() == 2);
  SECTION("both answers of a sequence give one place back") {
    f.stored(row("One.", {"1"}));
    REQUIRE(f.until([&] { return first.told == 1 && again.told == 1; }));
  }
  SECTION("leaving gives it back when the last one has gone") {
    first.request.reset();
    CHECK(too_many(ask(5, "192.0.2.1")));
    again.request.reset();
  }
  SECTION("so does the deadline") {
    f.world.run_for(Duration(5001));
    CHECK(first.unavailable());
    CHECK(!too_many(ask(6, "192.0.2.1")));
  }
  CHECK(!too_many(ask(5, "192.0.2.1")));
}

TEST_CASE("memory is bounded: the one not used for longest goes") {
  SequenceCache cache(40'000);
  const auto make = [](unsigned n, std::size_t bytes) {
    Sequence sequence{.id = SequenceId(n), .name = "x"};
    sequence.terms.add(std::string(bytes, '1'));
    return EncodedSequence::encode(sequence);
  };
  const MonoTime now{};
  for (unsigned n = 1; n <= 4; ++n)
    cache.put(make(n, 9000), MonoTime::max());
  CHECK(cache.find(SequenceId(1), now));
  cache.put(make(5, 9000), MonoTime::max());
  CHECK(!cache.find(SequenceId(2), now));
  CHECK(cache.find(SequenceId(1), now));
  cache.put(make(6, 20'000), MonoTime::max());  // would push everything out
  CHECK(!cache.find(SequenceId(6), now));
  CHECK(cache.size() == 4);
  CHECK(cache.bytes() <= 40'000);
  cache.put(make(1, 10), now + Duration(5));
  CHECK(cache.find(SequenceId(1), now));
  CHECK(!cache.find(SequenceId(1), now + Duration(5)));
}

}  // namespace
}  // namespace gatescope::api
