// The certificate that is served is what is watched: in a whole server, in virtual time.

#include <fstream>

#include "tests/support/catch.h"
#include "tests/unit/server/site_fixture.h"

namespace gatescope::test {
namespace {

using std::chrono::hours;

const std::string kWatchedSite = R"(
    acme_issuer le { uri https://authority.test/dir; accept_terms_of_service; }
    server { listen 80; server_name a.test; }
    server {
        listen 443 ssl; server_name a.test; acme_certificate le;
        ssl_certificate $acme_certificate; ssl_certificate_key $acme_certificate_key;
        return 200 secret;
    })";

class SpokenLines final : public Log {
 public:
  bool enabled(LogLevel) const override { return true; }
  void write(LogLevel level, std::string_view message) override {
    lines.push_back(fmt::format("[{}] {}", name_of(level), message));
  }
  std::vector<std::string> lines;
};

std::size_t lines_with(const Site& site, std::string_view text) {
  std::size_t count = 0;
  const auto log = site.read("logs/error.log");
  for (auto at = log.find(text); at != std::string::npos; at = log.find(text, at + 1))
    ++count;
  return count;
}

std::int64_t stat_of(Site& site, std::string_view name) {
  const StatValues values(site.server().stats().samples());
  return values.has(name) ? values.sum(name) : -1000;
}

/// A certificate of its own for a.test, and its key, as one text.
std::string own_certificate(Site& site, hours lifetime) {
  const auto key = *tls::make_p256_key();
  const auto made = *tls::issue_certificate({.common_name = "a.test",
                                             .names = {"a.test"},
                                             .not_before = site.loop().clock().wall() - hours(1),
                                             .lifetime = lifetime},
                                            key.get());
  return *tls::to_pem(key.get()) + *tls::to_pem(made.get());
}

}  // namespace

TEST_CASE("a renewed certificate is looked at from outside, and all that is counted is of it") {
  Site site(kWatchedSite);
  REQUIRE(site.load_error() == "");
  site.authority().rules.lifetime = hours(49);  // from an hour ago
  const auto* health = site.server().certificate_health();
  REQUIRE(health != nullptr);
  CHECK_FALSE(health->good());
  CHECK_THAT(site.status(), Catch::Contains("; certificate a.test: a temporary certificate"));
  REQUIRE(site.run_until(
      [&] { return lines_with(site, "0.0.0.0:443 (a.test) shows the new certificate") == 1; },
      Duration(120'000)));
  CHECK(health->good());
  CHECK(stat_of(site, "certificates") == 1);
  CHECK(stat_of(site, "certificate_days_left") == 1);
  CHECK(stat_of(site, "certificates_in_trouble") == 0);
  CHECK_THAT(site.status(), Catch::Contains("; certificate a.test: 1 day left"));
  site.run_for(hours(30));
  CHECK(stat_of(site, "certificate_days_left") == 0);
  CHECK_THAT(site.status(), Catch::Contains("; certificate a.test: 0 days left"));
  REQUIRE(site.run_until(
      [&] { return lines_with(site, "shows the new certificate for a.test") == 2; }, hours(10)));
  CHECK(lines_with(site, "does not show the new certificate") == 0);
  CHECK(stat_of(site, "certificate_days_left") == 1);
}

TEST_CASE("when renewal stops it is seen ahead: lines, numbers, status and health") {
  Site site(kWatchedSite);
  site.authority().rules.lifetime = hours(49);
  REQUIRE(site.run_until([&] { return lines_with(site, "shows the new certificate") == 1; },
                         Duration(120'000)));
  site.authority().faults.push_back({.path = "/order", .times = 1'000'000});
  const auto* health = site.server().certificate_health();
  site.run_for(hours(30));
  CHECK(lines_with(site, "the certificate for a.test (\"$acme_certificate:le/a.test-") == 1);
  CHECK(lines_with(site, "ends in 24 hours, at ") == 1);
  CHECK(health->good());
  site.run_for(hours(12));
  CHECK_FALSE(health->good());
  CHECK(health->troubles == std::vector<std::string>{"a.test: 6 hours left"});
  CHECK(stat_of(site, "certificates_in_trouble") == 1);
  site.run_for(hours(7));
  CHECK(lines_with(site, "HAS EXPIRED: it ended at") == 1);
  CHECK(stat_of(site, "certificate_days_left") == -1);
  CHECK_THAT(site.status(), Catch::Contains("; certificate a.test: EXPIRED"));
}

TEST_CASE("renewed files are looked at from outside, and an address that shows others is named") {
  Site site("server { listen 80; }\n");
  const auto configure = [&](const std::string& more) {
    return "server { listen 80; }\n"
           "server { listen 443 ssl; server_name a.test; ssl_certificate a.pem; "
           "ssl_certificate_key a.pem; }\n" +
           more;
  };
  site.write("a.pem", own_certificate(site, hours(24 * 60)));
  CHECK(
      !site.reload(configure("server { listen 444 ssl; ssl_certificate a.pem; "
                             "ssl_certificate_key a.pem; }\n")));
  CHECK_THAT(site.status(), Catch::Contains("; certificate a.test: 59 days left"));
  site.write("a.pem", own_certificate(site, hours(24 * 40)));
  site.run_for(Duration(30'000));
  CHECK(lines_with(site, ":443 (a.test) shows the new certificate for a.test") == 1);
  CHECK(lines_with(site, ":444 (a.test) shows the new certificate for a.test") == 1);
  CHECK_THAT(site.status(), Catch::Contains("; certificate a.test: 39 days left"));
}

TEST_CASE("a certificate that a reload replaced is not watched, though connections still have it") {
  const auto configure = [](const std::string& file) {
    return "server { listen 443 ssl; ssl_certificate " + file + "; ssl_certificate_key " + file +
           "; }";
  };
  Site site("server { listen 80; }\n");
  site.write("old.pem", own_certificate(site, hours(24 * 5)));
  site.write("new.pem", own_certificate(site, hours(24 * 60)));
  CHECK(!site.reload(configure("old.pem")));
  CHECK_THAT(site.status(), Catch::Contains("; certificate a.test: 4 days left"));
  const auto generation = site.server().shared_generation();  // as a connection would keep it
  CHECK(!site.reload(configure("new.pem")));
  CHECK_THAT(site.status(), Catch::Contains("; certificate a.test: 59 days left"));
  site.run_for(Duration(30'000));
  CHECK(stat_of(site, "certificates") == 1);
}

TEST_CASE("an address that shows another certificate than the new one is an error") {
  Site site("server { listen 80; }\n");
  site.write("a.pem", own_certificate(site, hours(24 * 60)));
  CHECK(
      !site.reload("server { listen 443 ssl; ssl_certificate a.pem; ssl_certificate_key a.pem; }"));
  SpokenLines log;
  tls::ServedChecks checks(site.loop(), log);
  const auto endpoint = [](std::uint16_t port) {
    return net::Endpoint::ip("0.0.0.0", port).value();
  };
  const auto other = tls::read_certificate_infos(own_certificate(site, hours(24)), "x").value()[0];
  site.loop().turn([&] {
    checks.add({.address = endpoint(443), .name = "a.test", .expected = other});
    checks.add({.address = endpoint(80), .name = "a.test", .expected = other});  // no TLS
    checks.add({.address = endpoint(99), .name = "a.test", .expected = other});  // nobody
  });
  CHECK(site.run_until([&] { return checks.idle(); }, Duration(60'000)));
  REQUIRE(log.lines.size() == 3);
  CHECK(log.lines[0].starts_with(
      "[error] 0.0.0.0:443 (a.test) does not show the new certificate "
      "for a.test: it shows one for a.test (issued by a.test) that ends "));
  CHECK(log.lines[1].starts_with("[error] 0.0.0.0:80 (a.test) does not show the new certificate"));
  CHECK(log.lines[2].starts_with("[error] 0.0.0.0:99 (a.test) does not show the new certificate"));
}

}  // namespace gatescope::test
