#include "api/pg_search.h"

#include <optional>
#include <string>
#include <utility>

#include "api/search_service.h"
#include "tests/unit/api/pg_fixture.h"

namespace gatescope::api {
namespace {

struct PgSearchFixture : PgFixture {
  std::unique_ptr<PgSearchStore> searches;
  PgSearchFixture() {
    open_store();
    searches = std::make_unique<PgSearchStore>(*lane);
    start();
  }
  template <class T>
  T wait(const std::function<std::unique_ptr<SearchStore::Job>(std::function<void(T)>)>& ask) {
    std::optional<T> result;
    const auto job = ask([&](T r) { result.emplace(std::move(r)); });
    if (!until([&] { return result.has_value(); })) FAIL("no answer from the store");
    return std::move(*result);
  }
  using Found = std::optional<std::vector<FoundSequence>>;
  Result<Found> load(const std::string& term) {
    return wait<Result<Found>>(
        [&](auto done) { return searches->load_search(term, Duration(20'000), std::move(done)); });
  }
  Result<SearchBatch> entries(std::uint32_t after, std::size_t most) {
    return wait<Result<SearchBatch>>([&](auto done) {
      return searches->load_entries(after, most, Duration(20'000), std::move(done));
    });
  }
};

TEST_CASE("search store: what OEIS found is kept as the old service kept it") {
  PgSearchFixture f;
  const std::string term = "a \"b\" /%\\ \xCF\x80";
  const std::vector<FoundSequence> found = {{SequenceId(40), "The \"prime\" numbers, {2,3}."},
                                            {SequenceId(796), "\xCF\x80."}};
  CHECK(!*f.load(term));
  f.searches->save_search(term, found);
  f.searches->save_search("nothing", {});
  const bool kept = f.until([&] { return f.load(term)->has_value(); }, Duration(10'000));
  INFO(f.log.text());
  REQUIRE(kept);
  CHECK(**f.load(term) == found);
  CHECK(f.sql("SELECT ids::text FROM searches") == "{A000040,A000796}");
  CHECK(f.sql("SELECT count(*) FROM searches") == "1");
  f.searches->save_search(term, {found[1]});
  REQUIRE(f.until([&] { return (*f.load(term))->size() == 1; }));
}

TEST_CASE("search store: rows of the old service that say nothing are not believed") {
  PgSearchFixture f;
  CHECK(!*f.load("x"));
  CHECK(f.sql("INSERT INTO searches (term, ids, names) VALUES ('null', NULL, NULL), "
              "('empty', '{}', '{}'), ('uneven', '{A000040}', '{}'), ('odd', '{x}', '{y}'), "
              "('nulls', '{NULL}', '{NULL}'), ('good', '{A000040}', '{\"The primes.\"}')") == "");
  for (const auto term : {"null", "empty", "uneven", "odd", "nulls"}) {
    INFO(term);
    CHECK(!*f.load(term));
  }
  REQUIRE(*f.load("good"));
  CHECK((**f.load("good"))[0].name == "The primes.");
}

TEST_CASE("search store: entries come in pieces, with what ranks them") {
  PgSearchFixture f;
  CHECK(f.entries(0, 10)->size() == 0);
  CHECK(f.sql("INSERT INTO gatescope.entry (number, name, first_index, terms, xrefs, file_mtime, "
              "file_size, flags) SELECT n, 'Name ' || n, 0, '1,-' || n, '', 0, 0, n % 8 "
              "FROM generate_series(1, 25) n; "
              "INSERT INTO gatescope.backref VALUES (3, 2, '{5,6}')") == "");
  const auto first = f.entries(0, 10);
  REQUIRE(first);
  REQUIRE(first->size() == 10);
  const auto third = (*first)[2];
  CHECK(third.number == 3);
  CHECK(third.name == "Name 3");
  CHECK(third.terms == "1,-3");
  CHECK(third.refs == 2);
  CHECK(third.core);
  CHECK(third.nice);
  CHECK(!third.dead);
  CHECK((*first)[3].dead);
  CHECK((*first)[3].refs == 0);
  CHECK(f.entries(20, 10)->size() == 5);
  const auto stamp = [&f] {
    return *f.wait<Result<std::string>>(
        [&](auto done) { return f.searches->load_stamp(Duration(20'000), std::move(done)); });
  };
  const auto before = stamp();
  CHECK(stamp() == before);
  CHECK(f.sql("UPDATE gatescope.entry SET name = 'x' WHERE number = 25") == "");
  CHECK(stamp() != before);
  CHECK(f.entries(25, 10)->size() == 0);

  // And as a whole
  SearchService service(*f.loop, f.log, {}, nullptr);
  service.use({.store = f.searches.get(), .entries_of = "this"});
  std::optional<SearchAnswer> answer;
  const auto request =
      service.search(*f.loop, "1,3", [&](SearchAnswer a) { answer = std::move(a); });
  REQUIRE(f.until([&] { return answer.has_value(); }));
  CHECK(std::get<0>(*answer) == std::vector<FoundSequence>{{SequenceId(3), "Name 3"}});
  service.use({});
}

}  // namespace
}  // namespace gatescope::api
