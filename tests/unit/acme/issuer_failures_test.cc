// What is logged when something fails, and when it is tried again.

#include <algorithm>

#include "proxy/base/text.h"
#include "tests/unit/acme/acme_fixture.h"

namespace gatescope::acme::test {

TEST_CASE("every step that can fail: it is said why, and done after five minutes") {
  struct Case {
    const char* path;
    int status;
    const char* type;
    const char* says;
  };
  static constexpr Case kCases[] = {
      {"/dir", 0, "", "https://authority.test/dir: could not connect"},
      {"/dir", 503, "", "GET https://authority.test/dir: 503"},
      {"/nonce", 500, "", "HEAD https://authority.test/nonce: 500"},
      {"/account", 403, "unauthorized", "POST https://authority.test/account: 403 unauthorized"},
      {"/order", 400, "rejectedIdentifier", "400 rejectedIdentifier: made to fail"},
      {"/order", 0, "", "https://authority.test/order: could not connect"},
      {"/authz/", 500, "serverInternal", "authz/0: 500 serverInternal"},
      {"/chal/", 400, "malformed", "chal/0/http-01: 400 malformed"},
      {"/finalize", 403, "badCSR", "403 badCSR"},
      {"/orders/", 0, "", "orders/0: could not connect"},
      {"/cert", 500, "", "cert/0: 500"},
  };
  for (const auto& c : kCases) {
    CAPTURE(c.path, c.status);
    AcmeWorld w;
    w.authority.faults.push_back({.path = c.path, .status = c.status, .type = c.type});
    const auto began = w.now();
    w.start();
    REQUIRE(w.shown(1, minutes(10)));
    INFO(w.log.all());
    CHECK(w.authority.complaints() == std::vector<std::string>());
    CHECK(w.log.count(c.says) == 1);
    CHECK(w.log.count("[error]") == 1);
    CHECK(w.log.count("a temporary one is shown") == 1);
    CHECK(w.now() - began > minutes(3));
    CHECK(w.now() - began < minutes(7));
    CHECK(w.challenges.empty());
    CHECK(w.authority.issued().size() == 1);
  }
}

TEST_CASE("a name that is not ours: the authority's reason is in the log") {
  AcmeWorld w({"a.test", "b.test"});
  bool broken = true;
  w.authority.validate = [&](const std::string&, const std::string& name, const std::string&,
                             const std::string&) {
    return broken && name == "b.test" ? "203.0.113.9 says 404" : "";
  };
  w.start();
  w.run_for(minutes(2));
  CHECK(w.log.count("b.test was not validated by http-01 (invalid): unauthorized 203.0.113.9 says "
                    "404; tried again in") == 1);
  CHECK(std::ranges::none_of(w.files(), [](const auto& f) { return f.ends_with(".order"); }));
  broken = false;
  CHECK(w.shown(1, minutes(10)));
}

TEST_CASE("failures in a row: ever longer pauses, at most four failures in the first hour") {
  AcmeWorld w;
  w.authority.faults.push_back({.path = "/order", .status = 500, .times = -1});
  w.start();
  w.run_for(hours(1));
  INFO(w.log.all());
  CHECK(w.log.count("[error]") >= 3);
  CHECK(w.log.count("[error]") <= 5);
  w.run_for(hours(24 * 2));
  const int after_two_days = w.log.count("[error]");
  CHECK(after_two_days < 25);
  CHECK(w.log.count("tried again in 4 hours") + w.log.count("tried again in 3 hours") > 5);
  w.authority.faults.clear();
  CHECK(w.shown(1, hours(6)));
}

TEST_CASE("rate limits: Retry-After is honoured, as seconds and as a date") {
  for (const bool date : {false, true}) {
    AcmeWorld w;
    const auto began = w.now();
    const auto until =
        std::chrono::duration_cast<std::chrono::seconds>((began + hours(30)).time_since_epoch());
    w.authority.faults.push_back(
        {.path = "/order",
         .status = 429,
         .type = "rateLimited",
         .retry_after = date ? http_date(until.count()) : std::to_string(30 * 3600),
         .detail = "too many certificates"});
    w.start();
    w.run_for(hours(29));
    INFO(w.log.all());
    CHECK(w.log.count("429 rateLimited: too many certificates; tried again in 30 hours") +
              w.log.count("tried again in 29 hours") ==
          1);
    CHECK(w.authority.asked("/order") == 1);
    REQUIRE(w.shown(1, hours(2)));
    CHECK(w.now() - began >= hours(30) - minutes(1));
  }
}

TEST_CASE("an authority that is away before the end of a certificate: urgent, then expired") {
  AcmeWorld w;
  w.authority.rules.advises = false;
  w.start();
  REQUIRE(w.shown(1, minutes(5)));
  w.run_for(hours(24 * 50));
  w.authority.faults.push_back({.path = "/dir", .status = 0, .times = -1});
  w.run_for(hours(24 * 50));
  CHECK(w.log.count("[error]") > 20);
  CHECK(w.log.count("the one in use ends at") > 20);
  CHECK(w.log.count("[crit]") > 20);
  CHECK(w.log.count("[crit] acme_issuer \"le\": no certificate for a.test: "
                    "https://authority.test/dir: could not connect; tried again in") > 20);
  CHECK(w.log.count("HAS EXPIRED") > 20);
  CHECK(w.bundles.size() == 1);  // shown on: better than none
  w.authority.faults.clear();
  CHECK(w.shown(2, hours(6)));
}

TEST_CASE("no advice to be had is no failure: renewed by the lifetime, and hardly mentioned") {
  AcmeWorld w;
  w.authority.faults.push_back({.path = "/advice", .status = 500, .times = -1});
  w.start();
  w.run_for(hours(24 * 65));
  CHECK(w.authority.issued().size() == 2);
  CHECK(w.log.count("[error]") == 0);
  CHECK(w.log.count("[info] acme_issuer \"le\": no advice on the renewal of a.test") > 100);
}

TEST_CASE("somebody has replaced it already: ordered all the same") {
  AcmeWorld w;
  w.start();
  REQUIRE(w.shown(1, minutes(5)));
  w.authority.faults.push_back({.path = "/order", .status = 409, .type = "alreadyReplaced"});
  w.run_for(hours(24 * 64));
  INFO(w.log.all());
  REQUIRE(w.authority.issued().size() == 2);
  CHECK(w.authority.issued()[1].replaces == "");
  CHECK(w.log.count("[error]") == 0);
}

TEST_CASE("terms that nobody agreed to, and an account key that is no key") {
  AcmeWorld w;
  w.plan.settings.accepts_terms = false;
  w.start();
  w.run_for(minutes(1));
  CHECK(w.log.count("read https://authority.test/terms and add accept_terms_of_service") == 1);
  CHECK(w.authority.accounts() == 0);
  w.plan.settings.accepts_terms = true;
  w.plan.settings.account_key = tls::NamedFile(w.folder + "/nothing.key");
  w.start();
  w.run_for(minutes(1));
  CHECK(w.log.count("nothing.key\" failed (2: No such file or directory)") == 1);
}

TEST_CASE("killed at any moment: goes on, and no second certificate is issued") {
  for (std::uint64_t moment = 0;; ++moment) {
    CAPTURE(moment);
    AcmeWorld w({"a.test", "b.test"});
    w.authority.rules.slow_orders = 1;
    w.start();
    for (std::uint64_t i = 0; i < moment && w.bundles.empty(); ++i)
      REQUIRE(w.world.step());
    const bool finished = !w.bundles.empty();
    w.start();
    const bool again = w.shown(1, hours(1));
    if (!again) UNSCOPED_INFO(w.log.all());
    REQUIRE(again);
    w.run_for(hours(24));
    CHECK(w.authority.complaints() == std::vector<std::string>());
    CHECK(w.authority.issued().size() == 1);
    CHECK(w.authority.accounts() == 1);
    CHECK(w.bundles.back().starts_with("-----BEGIN PRIVATE KEY-----"));
    if (finished) break;
  }
}

}  // namespace gatescope::acme::test
