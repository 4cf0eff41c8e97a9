#pragma once

// A Completion and all that it works with, in a simulated world.

#include <algorithm>
#include <map>
#include <set>

#include "api/completion.h"
#include "tests/support/catch.h"
#include "tests/support/sim_loop.h"
#include "tests/unit/api/api_fixture.h"

namespace gatescope::api::completion_test {

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

inline const Error kDown = make_error(ErrorKind::Unavailable, Origin::Internal, "away");

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

inline std::string record(unsigned number, const std::string& xrefs = R"("Cf. A000001.")") {
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

}  // namespace gatescope::api::completion_test
