#pragma once

// SequenceService in a simulated loop, with stores and upstreams that answer when told.

#include <filesystem>
#include <fstream>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/sequence_service.h"
#include "tests/support/catch.h"
#include "tests/support/sim_loop.h"
#include "tests/unit/api/api_fixture.h"

namespace gatescope::api {

inline constexpr const char* kPrimesFile = "# A000040\n1 2\n2 3\n3 5\n";
inline constexpr const char* kPrimesRecord = R"([{"number":40,"name":"The prime numbers."}])";
inline const SequenceId kPrimes(40);

inline Question values(SequenceId id = kPrimes) {
  return {.key = {Topic::Values, id, {}}};
}
inline Question named(SequenceId id = kPrimes) {
  return {.key = {Topic::Values, id, {}}, .real_name = true};
}
inline Question metadata(SequenceId id = kPrimes) {
  return {.key = {Topic::Metadata, id, {}}};
}
inline Question factors(std::string_view count = "0", SequenceId id = kPrimes) {
  return {.key = {Topic::Factors, id, {}}, .count = *Count::parse(count)};
}
inline Question search(std::string term) {
  return {.key = {Topic::Search, SequenceId(0), std::move(term)}};
}

inline Terms terms_of(std::initializer_list<const char*> list) {
  Terms terms;
  for (const char* term : list)
    terms.add(term);
  return terms;
}
inline StoredSequence row(std::optional<std::string> name,
                          std::initializer_list<const char*> terms) {
  return {.name = std::move(name), .shift = 1, .terms = terms_of(terms)};
}

inline const OeisFailure kSilent{OeisFailure::Kind::Silent, "Error: Timeout for url: x", "timeout"};
inline const OeisFailure kMissing{OeisFailure::Kind::NotFound,
                                  "Error: B-file for ID 'A000040' not found in OEIS.", "404"};

struct ServiceWaiter final : AnswerWaiter {
  std::optional<Answer> answer;
  int told = 0;
  std::unique_ptr<Sequences::Request> request;
  bool leave_when_told = false;
  void on_answer(const Answer& a) override {
    ++told;
    answer = a;
    if (leave_when_told) request.reset();
  }
  const AnswerForm* form() const {
    const auto* held = answer ? std::get_if<std::shared_ptr<const AnswerForm>>(&*answer) : nullptr;
    return held == nullptr ? nullptr : held->get();
  }
  std::string body() const {
    return form() ? std::string(form()->body().text()) + std::string(form()->tail().text())
                  : "no body";
  }
  std::size_t entries(const char* of = "values") const;
  std::string header(std::string_view name) const {
    return form() ? std::string(form()->head().headers.find(name).value_or("")) : "no head";
  }
  /// Browsers may keep it.
  bool complete() const { return form() && !form()->head().etag.empty(); }
  std::string refusal() const {
    const auto* held = answer ? std::get_if<Refusal>(&*answer) : nullptr;
    return held == nullptr ? "" : held->text;
  }
  bool unavailable() const { return answer && std::holds_alternative<Unavailable>(*answer); }
};

struct ServiceFixture {
  test::SimWorld world{1};
  test::SimLoop loop{world};
  MemoryLog log;
  Stats stats;
  FakeStore store;
  FakeOeis oeis;
  OpenFolder folder;
  SequenceService service;
  std::list<ServiceWaiter> waiters;
  SequenceSources more;  // claims, searching, factoring for use()

  explicit ServiceFixture(SequenceServiceSettings settings = {})
      : service(loop, log, settings, &stats) {
    store.loop = &loop;
    use(true);
  }
  ~ServiceFixture() {
    waiters.clear();
    service.use({});
    world.run_for(Duration(100));
    CHECK(world.complaints().empty());
  }
  void use(bool with_oeis, bool with_oeisdata = false) {
    more.store = &store;
    more.oeis = with_oeis ? &oeis : nullptr;
    more.oeisdata = with_oeisdata ? folder.path() : "";
    more.lane = loop.make_lane({.name = "work"});
    loop.turn([&] { service.use(more); });
  }
  ServiceWaiter& ask(const Question& question = values(), const std::string& client = "") {
    waiters.emplace_back();
    loop.turn([&] { waiters.back().request = service.ask(question, client, waiters.back()); });
    CHECK(waiters.back().told == 0);
    return waiters.back();
  }
  bool until(const std::function<bool()>& holds) { return world.run_until(holds, Duration(2000)); }
  bool told(const ServiceWaiter& waiter) {
    return until([&] { return waiter.told == 1; });
  }
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
  std::optional<Answer> find(const Question& question = values()) { return service.find(question); }
  std::int64_t counter(std::string_view name) { return stats.counter(name, "", "").value(); }
};

}  // namespace gatescope::api
