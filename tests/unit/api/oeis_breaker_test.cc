#include "api/oeis_breaker.h"

#include "proxy/base/text.h"
#include "tests/support/catch.h"

namespace gatescope::api {
namespace {

using std::chrono::seconds;

TEST_CASE("after a refusal OEIS is left alone, twice as long each time, an hour at most") {
  OeisBreaker breaker({});
  MonoTime now{seconds(1000)};
  CHECK(breaker.resting(now) == 0);
  CHECK(breaker.proven());
  for (const unsigned expected : {120u, 240u, 480u, 960u, 1920u, 3600u, 3600u}) {
    breaker.on_refusal(now, std::nullopt);
    CHECK(breaker.resting(now) == expected);
    CHECK(!breaker.proven());
    now += seconds(expected) - std::chrono::milliseconds(1);
    CHECK(breaker.resting(now) == 1);
    now += std::chrono::milliseconds(1);
    CHECK(breaker.resting(now) == 0);
  }
  CHECK(!breaker.proven());
  CHECK(breaker.on_answer(now));
  CHECK(!breaker.on_answer(now));
  CHECK(breaker.proven());
  breaker.on_refusal(now, std::nullopt);
  CHECK(breaker.resting(now) == 120);
}

TEST_CASE("several who are refused at the same time count once, and an older answer not at all") {
  OeisBreaker breaker({});
  MonoTime now{seconds(1000)};
  for (int i = 0; i < 5; ++i)
    breaker.on_refusal(now, std::nullopt);
  CHECK(breaker.resting(now) == 120);
  CHECK(!breaker.on_answer(now));
  CHECK(breaker.resting(now) == 120);
  breaker.on_refusal(now, Duration(seconds(300)));  // one of them says more
  CHECK(breaker.resting(now) == 300);
  breaker.on_refusal(now, Duration(seconds(10)));
  CHECK(breaker.resting(now) == 300);
}

TEST_CASE("Retry-After is obeyed, within a day") {
  OeisBreaker breaker({});
  const MonoTime now{seconds(1000)};
  breaker.on_refusal(now, Duration(seconds(7)));
  CHECK(breaker.resting(now) == 7);
  CHECK(breaker.resting(now + seconds(7)) == 0);
  breaker.on_refusal(now + seconds(8), Duration(std::chrono::hours(1000)));
  CHECK(breaker.resting(now + seconds(8)) == 24 * 3600);
}

TEST_CASE("what Retry-After may say") {
  const WallTime now{seconds(784111777)};  // Sun, 06 Nov 1994 08:49:37 GMT
  const auto told = [&](std::string_view text) {
    const auto found = parse_retry_after(text, now);
    return found ? found->count() : -1;
  };
  CHECK(told("120") == 120'000);
  CHECK(told(" 5 ") == 5'000);
  CHECK(told("0") == 1'000);
  CHECK(told("99999999999999") == 365ll * 24 * 3600 * 1000);
  CHECK(told("Sun, 06 Nov 1994 08:50:37 GMT") == 60'000);
  CHECK(told("Sun, 06 Nov 1994 08:00:00 GMT") == 1'000);
  CHECK(told("soon") == -1);
  CHECK(told("-5") == -1);
  CHECK(told("1.5") == -1);
  CHECK(told("") == -1);
}

}  // namespace
}  // namespace gatescope::api
