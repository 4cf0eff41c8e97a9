// PostgreSQL is killed under a running API. Whatever is asked meanwhile is answered whole or told
// to come again, and nothing has to be restarted by hand.

#include <signal.h>

#include "tests/support/processes.h"
#include "tests/unit/api/loss_fixture.h"

namespace gatescope::api {
namespace {

struct EmbeddedLoss : LossFixture {
  std::string data(const std::string& name) const {
    return folder / ("state/postgres/data/" + name);
  }
  pid_t postmaster() const { return std::stoi(content(data("postmaster.pid"))); }
  /// The processes that serve our connections.
  std::vector<pid_t> backends() const {
    auto found = test::children_of(postmaster());
    std::erase_if(found, [](pid_t pid) {
      return !test::process_file(pid, "cmdline").starts_with("postgres: gatescope postgres");
    });
    return found;
  }
};

TEST_CASE("the postmaster or one backend is killed while requests run: each is answered in order") {
  EmbeddedLoss f;
  bool postmaster = false;
  SECTION("postmaster") {
    postmaster = true;
  }
  SECTION("one backend: PostgreSQL ends all others, too") {}
  const auto backends = f.backends();
  REQUIRE(!backends.empty());
  auto asked = f.ask(kFirst, kLast);
  REQUIRE(f.until([&] { return LossFixture::ended(asked) >= 1; }));
  REQUIRE(::kill(postmaster ? f.postmaster() : backends.front(), SIGKILL) == 0);
  const long before = LossFixture::ended(asked);
  CHECK(before < static_cast<long>(asked.size()));
  f.check_memory();
  REQUIRE(f.until([&] { return LossFixture::ended(asked) == static_cast<long>(asked.size()); },
                  Duration(10'000)));
  for (unsigned n = kFirst; n <= kLast; ++n) {
    INFO(n);
    const Asked& one = *asked[n - kFirst];
    if (one.writer.status_code == 200)
      CHECK(one.writer.body == answer_of(n));
    else
      LossFixture::check_come_again(one);
  }
  f.check_known();
  for (unsigned n = kFirst; n <= kLast; ++n)
    CHECK(f.get_at_last(*f.handler, path_of(n)) == "200 " + answer_of(n));
  // Backends outlive their postmaster for a moment, and may have answered all of this.
  CHECK(f.until([&] { return f.counter("embedded_postgres_starts") == (postmaster ? 2 : 1); }));
  CHECK(f.get_at_last(*f.handler, path_of(kLast + 1)) == "200 " + answer_of(kLast + 1));
  CHECK(f.counter("api_sequences_waiting") == 0);
}

TEST_CASE("while PostgreSQL cannot come back: memory answers, all else is 503, then all is well") {
  EmbeddedLoss f;
  const std::string settings = content(f.data("postgresql.conf"));
  std::ofstream(f.data("postgresql.conf"), std::ios::app) << "\nno_such_setting = 1\n";
  REQUIRE(::kill(f.postmaster(), SIGKILL) == 0);
  // Its backends outlive it for a moment and would answer.
  constexpr auto kReady = static_cast<std::int64_t>(EmbeddedPostgres::State::Ready);
  REQUIRE(f.until([&] { return f.counter("embedded_postgres_state") != kReady; }));
  const auto asked = f.ask(kFirst, kFirst + 3);
  f.check_memory();
  REQUIRE(f.until([&] { return LossFixture::ended(asked) == 4; }, Duration(10'000)));
  for (const auto& one : asked)
    LossFixture::check_come_again(*one);
  f.check_memory();
  CHECK(f.counter("api_entries_stored") == 1);
  std::ofstream(f.data("postgresql.conf")) << settings;
  CHECK(f.get_at_last(*f.handler, path_of(kFirst)) == "200 " + answer_of(kFirst));
  CHECK(f.log.has("embedded PostgreSQL: process"));
}

}  // namespace
}  // namespace gatescope::api
