// What goes wrong between us and a real authority, and what is done about it.

#include <nlohmann/json.hpp>

#include "tests/integration/support/acme_site.h"
#include "tests/integration/support/within.h"
#include "tests/support/catch.h"

namespace gatescope::integration {

TEST_CASE("an account that pebble has closed: another key, and the certificate is renewed") {
  if (skipped_without_pebble()) return;
  for (const auto account : accounts()) {
    CAPTURE(name_of(account));
    AcmeSite site("http-01", 90 * 86400, account, 0);
    site.server.start();
    const bool first = site.uses(1);
    INFO(site.server.logs() << site.pebble.said());
    REQUIRE(first);
    const auto key = read_file(site.folder() + "/account.key");
    const auto note = nlohmann::json::parse(read_file(site.folder() + "/account.json"));
    site.pebble.close_account(key, note["url"]);

    const auto renewed = site.server.run({"certs", "renew"});
    INFO(renewed.out << renewed.err);
    CHECK(renewed.status == 0);
    CHECK(contains(renewed.err, "the authority has closed our account"));
    CHECK(read_file(site.folder() + "/account.key.closed") == key);
    CHECK(read_file(site.folder() + "/account.key") != key);
    CHECK(site.uses(2));
    CHECK(site.ask("b.test") == "secret");

    // Closed once more it is for a human to look at, and what is served stays.
    const auto stored = site.stored();
    const auto now = nlohmann::json::parse(read_file(site.folder() + "/account.json"));
    site.pebble.close_account(read_file(site.folder() + "/account.key"), now["url"]);
    const auto refused = site.server.run({"certs", "renew"});
    CHECK(refused.status == 1);
    CHECK(contains(refused.err, "ask it why, then remove \"" + site.folder() + "/account.key\""));
    CHECK(site.stored() == stored);
    CHECK(site.ask("b.test") == "secret");
  }
}

TEST_CASE("killed at each step of an order with pebble: it goes on, with one account") {
  if (skipped_without_pebble()) return;
  for (const std::string challenge : {"http-01", "tls-alpn-01"}) {
    CAPTURE(challenge);
    AcmeSite site(challenge, 90 * 86400, Account::Own, 0);
    for (const std::string step : {"/dir", "/nonce-plz", "/sign-me-up", "/order-plz", "/authZ/",
                                   "/chalZ/", "/finalize-order/", "/certZ/"}) {
      CAPTURE(step);
      const auto before = site.pebble.asked_for(step);
      site.server.start();
      // What went past a step before it was killed is killed at the next one, or has the
      // certificate.
      const bool came = within(kPatience, [&] {
        return site.pebble.asked_for(step) > before || !site.stored().empty();
      });
      INFO(site.server.logs() << site.pebble.said());
      REQUIRE(came);
      site.server.kill_all();
    }
    site.server.start();
    const bool stored = within(kPatience, [&] { return !site.stored().empty(); });
    INFO(site.server.logs() << site.pebble.said());
    REQUIRE(stored);
    site.server.kill_all();
    site.server.start();
    CHECK(site.ask("a.test") == "secret");
    CHECK(site.ask("b.test") == "secret");
    CHECK_FALSE(contains(site.pebble.said(), "There are now 2 accounts"));
    // At most one for each start from the first on: its answer may be lost, and pebble may look for
    // us while nobody is there, which spoils the order.
    CHECK(site.pebble.asked_for("/order-plz") <= 6);
  }
}

TEST_CASE("a name that pebble finds elsewhere: its reason is in the log, and it is tried again") {
  if (skipped_without_pebble()) return;
  for (const std::string challenge : {"http-01", "tls-alpn-01"}) {
    CAPTURE(challenge);
    AcmeSite site(challenge, 90 * 86400);
    site.pebble.set_address("b.test", "127.0.0.9");  // nobody is there
    site.server.start();
    const bool said =
        site.server.error_log_says("b.test was not validated by " + challenge + " (invalid)");
    INFO(site.server.logs() << site.pebble.said());
    REQUIRE(said);
    CHECK(contains(site.server.error_log(), "127.0.0.9"));
    CHECK(contains(site.server.error_log(), "tried again in "));
    CHECK(site.stored().empty());
    // What the command reads is written a moment after the log, by another thread
    CHECK(within(kPatience, [&] {
      const auto listed = site.server.run({"certs"});
      return listed.status == 2 && contains(listed.out, "b.test was not validated by " + challenge);
    }));

    site.pebble.set_address("b.test", "127.0.0.1");
    const auto renewed = site.server.run({"certs", "renew"});
    INFO(renewed.out << renewed.err);
    CHECK(renewed.status == 0);
    CHECK(site.uses(1));
    CHECK(site.ask("b.test") == "secret");
  }
}

}  // namespace gatescope::integration
