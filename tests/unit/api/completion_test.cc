#include "api/completion.h"

#include <algorithm>
#include <map>
#include <set>

#include "tests/support/catch.h"
#include "tests/support/sim_loop.h"
#include "tests/unit/api/api_fixture.h"

namespace gatescope::api {
namespace {

using Kind = OeisFailure::Kind;

/// Answers in a later turn, unless the job has gone.
template <class Value>
std::unique_ptr<SequenceStore::Job> later(net::Loop& loop, Result<Value> value,
                                          std::function<void(Result<Value>)> done) {
  struct Held : SequenceStore::Job {
    std::shared_ptr<std::function<void(Result<Value>)>> done;
  };
  auto job = std::make_unique<Held>();
  job->done = std::make_shared<std::function<void(Result<Value>)>>(std::move(done));
  loop.post([held = std::weak_ptr(job->done), value = std::move(value)] {
    if (const auto tell = held.lock()) (*tell)(value);
  });
  return job;
}

const Error kDown = make_error(ErrorKind::Unavailable, Origin::Internal, "away");

/// A database of its own: rows, wishes, claims. What OEIS and the factoring program are asked.
struct World final : SequenceStore, CompletionStore, Claims, Factoring, Oeis, ChangeEvents {
  explicit World(net::Loop& l) : loop(l) {}
  net::Loop& loop;
  bool down = false;

  // SequenceStore
  struct Row {
    std::optional<std::string> name;
    std::string xrefs, terms;
    std::optional<Terms> factors;
  };
  std::map<SequenceId, Row> rows;
  std::map<SequenceId, Metadata> imported;
  static Terms listed(std::string_view text) {
    Terms terms;
    for (const char c : text)
      terms.add(std::string_view(&c, 1));
    return terms;
  }
  std::unique_ptr<SequenceStore::Job> load(SequenceId id, Duration, Loaded done) override {
    if (down) return later<StoredSequence>(loop, kDown, std::move(done));
    StoredSequence stored{.shift = 1};
    if (const auto row = rows.find(id); row != rows.end()) {
      stored.name = row->second.name;
      if (!row->second.terms.empty()) stored.terms = listed(row->second.terms);
      stored.factors = row->second.factors;
    }
    return later<StoredSequence>(loop, std::move(stored), std::move(done));
  }
  void save(std::shared_ptr<const Sequence> sequence) override {
    std::string terms;
    for (std::size_t i = 0; i < sequence->terms.size(); ++i)
      terms += sequence->terms[i];
    rows[sequence->id].terms = terms;
  }
  void save_name(SequenceId id, std::string name) override { rows[id].name = std::move(name); }
  void save_factors(SequenceId, std::shared_ptr<const Terms>,
                    std::shared_ptr<const Terms>) override {}
  std::unique_ptr<SequenceStore::Job> load_entry(SequenceId, Duration, EntryLoaded) override {
    return nullptr;
  }
  std::unique_ptr<SequenceStore::Job> save_entry(std::shared_ptr<const SeqEntry>, Duration,
                                                 EntryLoaded) override {
    return nullptr;
  }
  std::unique_ptr<SequenceStore::Job> load_metadata(SequenceId id, Duration,
                                                    MetadataLoaded done) override {
    std::optional<Metadata> found;
    if (const auto entry = imported.find(id); entry != imported.end()) {
      found = entry->second;
    } else if (const auto row = rows.find(id); row != rows.end() && !row->second.xrefs.empty()) {
      found = Metadata{.name = row->second.name, .xrefs = row->second.xrefs};
    }
    return later<std::optional<Metadata>>(loop, std::move(found), std::move(done));
  }

  // CompletionStore
  std::vector<SequenceId> wishes;  // the newest last
  std::set<SequenceId> completed;
  int notes = 0;
  void wish(SequenceId id) override {
    if (std::find(wishes.begin(), wishes.end(), id) == wishes.end()) wishes.push_back(id);
  }
  std::unique_ptr<SequenceStore::Job> note(SequenceId id, Duration, Noted done) override {
    ++notes;
    if (down) return later<bool>(loop, kDown, std::move(done));
    wish(id);
    return later<bool>(loop, !completed.contains(id), std::move(done));
  }
  std::unique_ptr<SequenceStore::Job> list(std::size_t most, Duration, Listed done) override {
    if (down) return later<std::vector<SequenceId>>(loop, kDown, std::move(done));
    std::vector<SequenceId> found;
    for (auto id = wishes.rbegin(); id != wishes.rend() && found.size() < most; ++id)
      if (!completed.contains(*id)) found.push_back(*id);
    return later<std::vector<SequenceId>>(loop, std::move(found), std::move(done));
  }
  void note_completed(SequenceId id) override { completed.insert(id); }
  void save_xrefs(SequenceId id, std::string xrefs) override { rows[id].xrefs = std::move(xrefs); }

  // Claims
  struct Held final : Claim {
    Held(std::set<SequenceId>& h, SequenceId i) : held(h), id(i) { held.insert(id); }
    ~Held() override { held.erase(id); }
    std::set<SequenceId>& held;
    const SequenceId id;
  };
  std::set<SequenceId> claimed;  // also by others
  std::unique_ptr<SequenceStore::Job> claim(SequenceId id, Claims::Kind kind,
                                            Claims::Done done) override {
    CHECK(kind == Claims::Kind::Background);
    struct Job : SequenceStore::Job {
      std::shared_ptr<Claims::Done> done;
    };
    auto job = std::make_unique<Job>();
    job->done = std::make_shared<Claims::Done>(std::move(done));
    loop.post([this, id, held = std::weak_ptr(job->done)] {
      const auto tell = held.lock();
      if (!tell) return;
      if (claimed.contains(id)) return (*tell)(std::unique_ptr<Claim>());
      (*tell)(std::unique_ptr<Claim>(std::make_unique<Held>(claimed, id)));
    });
    return job;
  }

  // Factoring
  std::vector<Factoring::Job> factored;
  std::unique_ptr<Request> factor(Factoring::Job, std::size_t, Duration, Factoring::Done) override {
    FAIL("nobody waits");
    return nullptr;
  }
  void factor_in_background(Factoring::Job job) override { factored.push_back(std::move(job)); }

  // Oeis: answers after a second
  std::map<SequenceId, OeisAnswer> bfiles, records;
  std::vector<std::string> asked;
  std::vector<MonoTime> asked_at;
  struct Asked final : Fetch, net::TimerEvents {
    Asked(net::Loop& loop, OeisAnswer a, Oeis::Done d)
        : answer(std::move(a)), done(std::move(d)), timer(loop.make_timer(*this)) {
      timer->start(Duration(1000));
    }
    void on_timer(net::Timer&) override {
      const auto tell = std::move(done);
      tell(std::move(answer));
    }
    OeisAnswer answer;
    Oeis::Done done;
    std::unique_ptr<net::Timer> timer;
  };
  std::unique_ptr<Fetch> ask(const std::string& what, const std::map<SequenceId, OeisAnswer>& from,
                             SequenceId id, Urgency urgency, Oeis::Done done) {
    CHECK(urgency == Urgency::Background);
    asked.push_back(what + std::to_string(id.number()));
    asked_at.push_back(loop.clock().now());
    const auto found = from.find(id);
    return std::make_unique<Asked>(
        loop,
        found == from.end() ? OeisAnswer(OeisFailure{OeisFailure::Kind::NotFound, "", ""})
                            : found->second,
        std::move(done));
  }
  std::unique_ptr<Fetch> fetch_bfile(SequenceId id, Urgency u, Oeis::Done done) override {
    return ask("b", bfiles, id, u, std::move(done));
  }
  std::unique_ptr<Fetch> fetch_record(SequenceId id, Urgency u, Oeis::Done done) override {
    return ask("r", records, id, u, std::move(done));
  }
  std::unique_ptr<Fetch> search(std::string, Oeis::Done) override { return nullptr; }

  // ChangeEvents
  std::vector<SequenceId> changed;
  void on_changed(SequenceId id) override { changed.push_back(id); }
  void on_imported() override {}
  void on_changes_missed() override {}
};

std::string record(unsigned number, const std::string& xrefs = R"("Cf. A000001.")") {
  return "[{\"number\":" + std::to_string(number) + ",\"name\":\"Name.\",\"xref\":[" + xrefs +
         "]}]";
}

struct Fixture {
  test::SimWorld world{1};
  test::SimLoop loop{world};
  World all{loop};
  SystemClock clock;
  ApiLog log{clock};
  Stats stats;
  CompletionSettings settings;
  std::unique_ptr<Completion> completion;

  explicit Fixture(CompletionSettings s = {}) : settings(s) { start(); }
  ~Fixture() {
    loop.turn([&] { completion.reset(); });
    world.run_for(Duration(100));
    CHECK(world.complaints().empty());
  }
  void start() {
    loop.turn([&] {
      completion = std::make_unique<Completion>(loop, settings, log, &stats);
      completion->use(sources());
    });
  }
  CompletionSources sources() {
    return {.store = &all,
            .list = &all,
            .lane = loop.make_lane({.name = "work"}),
            .oeis = &all,
            .claims = &all,
            .factoring = &all,
            .changes = &all};
  }
  void wish(unsigned number) {
    loop.turn([&] { completion->wish(SequenceId(number)); });
  }
  bool completed(unsigned number) { return all.completed.contains(SequenceId(number)); }
  World::Row& row(unsigned number) { return all.rows[SequenceId(number)]; }
  void knows(unsigned number) {
    all.bfiles[SequenceId(number)] = "1 2\n2 3\n";
    all.records[SequenceId(number)] = record(number);
  }
  void minutes(int n) { world.run_for(std::chrono::minutes(n)); }
};

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
  REQUIRE(f.all.asked.size() == 5);
  std::sort(f.all.asked.begin() + 3, f.all.asked.end());  // wished for at the same time
  CHECK(f.all.asked == std::vector<std::string>{"r4", "r5", "r3", "r1", "r2"});
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

}  // namespace
}  // namespace gatescope::api
