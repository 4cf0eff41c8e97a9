#include "api/pg_completion.h"

#include "tests/unit/api/pg_fixture.h"

namespace gatescope::api {
namespace {

struct PgCompletionFixture : PgFixture {
  std::unique_ptr<PgCompletion> completion;
  PgCompletionFixture() {
    start();
    open_store();
    completion = std::make_unique<PgCompletion>(*lane);
  }
  bool note(unsigned number) {
    std::optional<Result<bool>> result;
    const auto job = completion->note(SequenceId(number), Duration(20'000),
                                      [&](auto r) { result.emplace(std::move(r)); });
    CHECK(!result);
    if (!until([&] { return result.has_value(); })) FAIL("no answer");
    if (!*result) FAIL(result->error().detail);
    return **result;
  }
  std::vector<unsigned> list(std::size_t most = 256) {
    std::optional<Result<std::vector<SequenceId>>> result;
    const auto job =
        completion->list(most, Duration(20'000), [&](auto r) { result.emplace(std::move(r)); });
    if (!until([&] { return result.has_value(); })) FAIL("no answer");
    if (!*result) FAIL(result->error().detail);
    std::vector<unsigned> numbers;
    for (const SequenceId id : **result)
      numbers.push_back(id.number());
    return numbers;
  }
};

TEST_CASE("wishes for completion are kept, the newest first, until they are done") {
  PgCompletionFixture f;
  f.completion->wish(SequenceId(1));
  CHECK(f.until([&] { return f.list() == std::vector<unsigned>{1}; }));
  CHECK(f.note(2));
  CHECK(f.note(3));
  CHECK(f.note(2));
  CHECK(f.list() == std::vector<unsigned>{3, 2, 1});
  CHECK(f.list(2) == std::vector<unsigned>{3, 2});
  f.completion->note_completed(SequenceId(2));
  CHECK(f.until([&] { return f.list() == std::vector<unsigned>{3, 1}; }));
  CHECK(!f.note(2));
  f.completion->wish(SequenceId(2));
  CHECK(f.note(1));
  CHECK(f.list() == std::vector<unsigned>{3, 1});
}

TEST_CASE("cross references go into the old service's row, unless it has some") {
  PgCompletionFixture f;
  CHECK(f.sql("INSERT INTO sequences (id, name, raw_refs) VALUES ('A000001', 'x', NULL), "
              "('A000002', 'x', 'old'), ('A000003', 'x', '')")
            .empty());
  for (const unsigned number : {1u, 2u, 3u, 4u})
    f.completion->save_xrefs(SequenceId(number), "Cf. \"A1\".\nnew");
  const auto all = "SELECT string_agg(id || raw_refs, '|' ORDER BY id) FROM sequences";
  const std::string expected = "A000001Cf. \"A1\".\nnew|A000002old|A000003Cf. \"A1\".\nnew";
  CHECK(f.until([&] { return f.sql(all) == expected; }));
}

}  // namespace
}  // namespace gatescope::api
