#include "proxy/ops/status_screen.h"

#include <algorithm>

#include "proxy/base/text.h"
#include "tests/support/catch.h"

using namespace gatescope;
using namespace gatescope::ops;

namespace {

constexpr std::string_view kBusy = R"({
  "healthy": false, "problems": ["the database does not answer: connection refused, since 12:00",
     "the certificate of a.test, which is a name that is so long that no line of eighty characters can hold all of it, has ended"],
  "version": "0.1.0", "commit": "abc1234", "pid": 7, "state": "serving", "now": 1000, "started": 100,
  "uptime": 900, "generation": 3, "reloads": {"count": 2, "failed": 1,
     "last": {"at": 940, "good": false, "error": "site.conf:3:1: unknown directive \"retrun\""}},
  "connections": {"active": 12, "waiting": 8, "handshaking": 1, "most": 4096, "accepted": 99},
  "requests": {"total": 1234, "active": 3},
  "last_minute": {"requests_per_second": 3.25, "errors": 4, "p50_ms": 0.5, "p99_ms": 12.25},
  "last_five_minutes": {"requests_per_second": 2, "errors": 0, "p50_ms": 0.25, "p99_ms": 10},
  "bytes": {"received": 1, "sent": 5242880},
  "file_cache": {"hits": 9, "misses": 1, "hit_rate": 0.9, "memory": 2048, "files": 4},
  "api_cache": {"hits": 0, "misses": 0, "hit_rate": null},
  "database": {"up": false, "embedded": true, "jobs": 2, "failures": 1},
  "oeis": {"breaker": "open", "requests": 5, "failures": 2, "waiting": 1},
  "factoring": {"workers": 2, "busy": 1, "sequences": 3, "numbers": 40},
  "upstreams": [{"name": "app", "servers": 2, "usable": 1, "requests": 10, "failures": 3}],
  "certificates": [
    {"names": "late.test", "not_after": 5, "days_left": 90, "temporary": false},
    {"names": "soon.test", "not_after": 3, "days_left": 2, "temporary": false},
    {"names": "gone.test", "not_after": 1, "days_left": -1, "temporary": false},
    {"names": "x.test\u001b[31m", "not_after": 2, "days_left": 1, "temporary": true}],
  "log_lines_lost": 5, "memory": {"resident": 104857600}})";

}  // namespace

TEST_CASE("the screen fits a terminal, and has every number") {
  const auto screen = status_screen(kBusy, false);
  REQUIRE(screen);
  INFO(*screen);
  const auto lines = split(*screen, '\n');
  CHECK(lines.size() <= 30);
  for (const auto line : lines)
    CHECK(line.size() <= 80);
  for (const char* part :
       {"0.1.0 (abc1234), process 7, serving for 15 minutes", "NOT GOOD", "12 open of 4096",
        "3.2 requests/s, p50 0.5 ms, p99 12.25 ms, 4 errors", "1234 since the start", "5.0 MB sent",
        "files 90 % from memory (4, 2.0 KB), API not asked yet",
        "DOWN (embedded), 2 jobs now, 1 failures", "left alone (open), 5 requests",
        "1 of 2 workers busy, 3 sequences and 40 numbers wait", "app: 1 of 2 servers usable",
        "gone.test: HAS ENDED", "soon.test: 2 days left", "and 1 more, which end later",
        "5 lines lost", "100 MB", "60 seconds ago, REFUSED (configuration 3)",
        "site.conf:3:1: unknown directive", "  ! the database does not answer"})
    CHECK(screen->find(part) != std::string::npos);
  CHECK(screen->find("gone.test") < screen->find("soon.test"));
  CHECK(screen->find('\033') == std::string::npos);
}

TEST_CASE("the screen is in colours where they are wanted, and only ours") {
  const auto screen = status_screen(kBusy, true);
  REQUIRE(screen);
  CHECK(screen->find("\033[1;31m") != std::string::npos);
  CHECK(screen->find("x.test\033") == std::string::npos);
}

TEST_CASE("what is not there is left out, and what is no status is an error") {
  const auto screen =
      status_screen(R"({"healthy": true, "database": null, "upstreams": 7})", false);
  REQUIRE(screen);
  CHECK(screen->find("good") != std::string::npos);
  CHECK(screen->find("database") == std::string::npos);
  CHECK_FALSE(status_screen("", false));
  CHECK_FALSE(status_screen("[1]", false));
  CHECK_FALSE(status_screen("{\"healthy\": tru", false));
}
