// Certificates from the first order over a year of renewals, in virtual time.

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include "certs/acme/state_folder.h"
#include "certs/safe_file.h"
#include "tests/unit/acme/acme_fixture.h"

namespace gatescope::acme::test {
namespace {

unsigned mode_of(const std::string& path) {
  struct stat s {};
  return ::stat(path.c_str(), &s) == 0 ? s.st_mode & 0777 : 0;
}

}  // namespace

TEST_CASE("the first certificate: account, order, challenges, files that only we may read") {
  for (const auto kind : {ChallengeKind::Http, ChallengeKind::TlsAlpn}) {
    AcmeWorld w({"a.test", "b.test", "192.0.2.7", "2001:db8::1"});
    w.plan.settings.challenge = kind;
    w.start();
    INFO(w.log.all());
    REQUIRE(w.shown(1, minutes(5)));
    CHECK(w.authority.complaints() == std::vector<std::string>());
    CHECK(w.authority.accounts() == 1);
    REQUIRE(w.authority.issued().size() == 1);
    CHECK(w.facts().names == w.plan.certificates[0].identifiers);
    CHECK(w.challenges.empty());  // taken down
    const auto name = w.plan.certificates[0].file_name();
    w.run_for(minutes(1));  // what is noted for people comes last
    CHECK(w.files() == std::vector<std::string>{name + ".pem", name + ".status", "account.json",
                                                "account.key", "lock"});
    for (const auto& file : w.files())
      CHECK(mode_of(w.plan.settings.state_path + "/" + file) == 0600);
    CHECK(mode_of(w.plan.settings.state_path) == 0700);
    CHECK(w.log.count("[notice] acme_issuer \"le\": ordering a certificate for a.test, b.test") ==
          1);
    CHECK(w.log.count("[notice] acme_issuer \"le\": new certificate for a.test, b.test") == 1);
  }
}

TEST_CASE("keys of every kind, of the account and of the certificate") {
  for (const char* type : {"ecdsa:256", "ecdsa:384", "ecdsa:521", "rsa:2048"}) {
    CAPTURE(type);
    AcmeWorld w;
    w.plan.settings.account_key_type = *parse_key_type(type);
    w.plan.certificates[0].key = *parse_key_type(type);
    w.start();
    INFO(w.log.all());
    REQUIRE(w.shown(1, minutes(5)));
    CHECK(w.authority.complaints() == std::vector<std::string>());
    const auto key = PrivateKey::from_pem(w.bundles[0], "x");
    REQUIRE(key);
    CHECK((*key)->algorithm() == (*PrivateKey::make(*parse_key_type(type)))->algorithm());
  }
}

TEST_CASE("a year with an authority that refuses nonces and advises") {
  AcmeWorld w({"a.test", "b.test"}, 7);
  w.authority.rules.bad_nonces = 0.3;
  w.authority.rules.slow_orders = 2;
  w.start();
  w.run_for(hours(24 * 365));
  INFO(w.log.all());
  CHECK(w.authority.complaints() == std::vector<std::string>());
  CHECK(w.authority.accounts() == 1);
  CHECK(w.authority.issued().size() == 7);  // every 60 days
  CHECK(w.bundles.size() == 7);
  CHECK(w.log.count("[error]") == 0);
  for (std::size_t i = 1; i < w.authority.issued().size(); ++i) {
    const auto& before = w.authority.issued()[i - 1];
    const auto& issued = w.authority.issued()[i];
    CHECK(issued.replaces == before.id);
    // In the window of the advice: from two thirds on, a fiftieth wide.
    const auto age = issued.not_before + hours(1) - before.not_before;
    CHECK(age >= (before.not_after - before.not_before) * 2 / 3);
    CHECK(age <= (before.not_after - before.not_before) * 7 / 10);
  }
  CHECK(w.authority.asked("/advice") > 300 * 4);
}

TEST_CASE("without advice: after two thirds of the lifetime, six days as well as ninety") {
  for (const auto lifetime : {hours(24 * 6), hours(24 * 90)}) {
    AcmeWorld w;
    w.authority.rules.advises = false;
    w.authority.rules.lifetime = lifetime;
    w.start();
    w.run_for(hours(24 * 200));
    INFO(w.log.all());
    CHECK(w.authority.complaints() == std::vector<std::string>());
    REQUIRE(w.authority.issued().size() >= 3);
    for (std::size_t i = 1; i < w.authority.issued().size(); ++i) {
      const auto& before = w.authority.issued()[i - 1];
      const auto age = w.authority.issued()[i].not_before - before.not_before;
      CHECK(age <= lifetime * 2 / 3 + hours(1));
      CHECK(age >= lifetime * 6 / 10);
      CHECK(w.authority.issued()[i].replaces == "");
    }
  }
}

TEST_CASE("an authority that wants a certificate replaced is obeyed within its Retry-After") {
  AcmeWorld w;
  w.start();
  REQUIRE(w.shown(1, minutes(5)));
  w.run_for(hours(24 * 3));
  CHECK(w.bundles.size() == 1);
  w.authority.to_replace.insert(w.authority.issued()[0].id);
  INFO(w.log.all());
  REQUIRE(w.shown(2, hours(7)));
  CHECK(w.log.count("because of https://authority.test/incident") == 1);
  CHECK(w.authority.issued()[1].replaces == w.authority.issued()[0].id);
  w.run_for(hours(24));
  CHECK(w.bundles.size() == 2);
}

TEST_CASE("a profile is asked for where the authority has it") {
  AcmeWorld w;
  w.authority.rules.profiles = {{"classic", hours(24 * 90)}, {"shortlived", hours(24 * 6)}};
  w.plan.settings.profile = "shortlived";
  w.start();
  REQUIRE(w.shown(1, minutes(5)));
  CHECK(w.authority.issued()[0].profile == "shortlived");
  CHECK(w.facts().not_after - w.facts().not_before == hours(24 * 6));

  AcmeWorld strict;
  strict.plan.settings.profile = "tlsserver";
  strict.plan.settings.profile_required = true;
  strict.start();
  strict.run_for(minutes(2));
  CHECK(strict.authority.issued().empty());
  CHECK(strict.log.count("the authority has no profile \"tlsserver\"") == 1);
  strict.plan.settings.profile_required = false;
  strict.start();
  CHECK(strict.shown(1, minutes(5)));
}

TEST_CASE("an account that must be bound to one the authority has") {
  AcmeWorld w;
  w.authority.rules.binding_kid = "kid-7";
  w.authority.rules.binding_key = "a secret of the authority";
  w.start();
  w.run_for(minutes(1));
  CHECK(w.log.count("add external_account_key") == 1);
  w.plan.settings.binding_kid = "kid-7";
  w.plan.settings.binding_key = "data:YSBzZWNyZXQgb2YgdGhlIGF1dGhvcml0eQ\n";
  w.start();
  INFO(w.log.all());
  CHECK(w.shown(1, minutes(5)));
  CHECK(w.authority.complaints() == std::vector<std::string>());
}

TEST_CASE("started again: what is there is used, the account is the same, nobody is asked twice") {
  AcmeWorld w;
  w.start();
  REQUIRE(w.shown(1, minutes(5)));
  w.start();
  w.run_for(hours(24 * 10));
  CHECK(w.bundles.size() == 2);
  CHECK(w.bundles[0] == w.bundles[1]);
  CHECK(w.authority.issued().size() == 1);
  CHECK(w.authority.asked("/account") == 1);

  // The URL is lost, the key is not: the account is found again.
  std::filesystem::remove(w.plan.settings.state_path + "/account.json");
  std::filesystem::remove(w.plan.settings.state_path + "/" + w.plan.certificates[0].file_name() +
                          ".pem");
  w.start();
  INFO(w.log.all());
  REQUIRE(w.shown(3, minutes(5)));
  CHECK(w.authority.accounts() == 1);
  CHECK(w.authority.issued()[1].account == w.authority.issued()[0].account);
}

TEST_CASE("an authority that has forgotten us: a new account, at once") {
  AcmeWorld w;
  w.authority.rules.advises = false;
  w.start();
  REQUIRE(w.shown(1, minutes(5)));
  w.authority.forget_all();
  w.run_for(hours(24 * 61));
  INFO(w.log.all());
  CHECK(w.authority.issued().size() == 2);
  CHECK(w.authority.accounts() == 1);
  CHECK(w.log.count("accountDoesNotExist") == 1);
  CHECK(w.log.count("[error]") == 0);
}

TEST_CASE("an account that the authority has closed: a new one with another key, at once") {
  AcmeWorld w;
  w.authority.rules.advises = false;
  w.start();
  REQUIRE(w.shown(1, minutes(5)));
  w.authority.close_accounts();
  w.run_for(hours(24 * 61));
  INFO(w.log.all());
  CHECK(w.authority.complaints() == std::vector<std::string>());
  CHECK(w.authority.issued().size() == 2);
  CHECK(w.authority.accounts() == 2);
  CHECK(w.log.count("[warn] acme_issuer \"le\": the authority has closed our account") == 1);
  CHECK(w.log.count("[error]") == 0);
  CHECK(std::ranges::count(w.files(), "account.key.closed") == 1);

  // A second time that is for a human to look at.
  const auto key = w.folder + "/state/account.key";
  w.authority.close_accounts();
  w.run_for(hours(24 * 61));
  CHECK(w.authority.issued().size() == 2);
  CHECK(w.authority.accounts() == 2);
  CHECK(w.log.count("ask it why, then remove \"" + key + "\" for another one") > 3);
  std::filesystem::remove(key);
  w.run_for(hours(24));
  CHECK(w.authority.issued().size() == 3);
}

TEST_CASE("an account of the operator's key that the authority has closed: he names another") {
  AcmeWorld w;
  w.authority.rules.advises = false;
  const auto path = w.folder + "/operator.key";
  REQUIRE(tls::write_safely(path, *(*PrivateKey::make(KeyType()))->pem(), 0600));
  w.plan.settings.account_key = tls::NamedFile(path);
  w.start();
  REQUIRE(w.shown(1, minutes(5)));
  w.authority.close_accounts();
  w.run_for(hours(24 * 61));
  INFO(w.log.all());
  CHECK(w.authority.issued().size() == 1);
  CHECK(w.log.count("the authority has closed the account of \"" + path +
                    "\", name another account_key") > 3);
  CHECK(std::filesystem::exists(path));
}

TEST_CASE("two that share a folder: one orders, both show it") {
  AcmeWorld w;
  w.start();
  // Another process would have its own descriptor of the lock; so has this second issuer.
  struct Other final : IssuerEvents {
    std::vector<std::string> bundles;
    void on_certificate(const std::string&, const std::string& bundle) override {
      bundles.push_back(bundle);
    }
  } other;
  const auto lane = w.loop.make_lane({.name = "other"});
  std::unique_ptr<Issuer> second;
  w.loop.turn([&] {
    second = std::make_unique<Issuer>(Issuer::Parts{.loop = w.loop,
                                                    .lane = lane,
                                                    .secrets = w.secrets,
                                                    .proving = {w.challenges, w.tickets, w.caches},
                                                    .log = w.log},
                                      w.authority.make(w.loop, {}), w.plan, 99, other);
    second->start();
  });
  w.run_for(hours(24 * 130));
  INFO(w.log.all());
  CHECK(w.authority.issued().size() == 3);
  CHECK(w.bundles.size() == 3);
  CHECK(other.bundles == w.bundles);
  CHECK(w.log.count("another gatescope works in") >= 1);
  w.loop.turn([&] { second.reset(); });
}

TEST_CASE("whoever had the folder lets go of it: the next one sets to work within seconds") {
  AcmeWorld w;
  auto lock = StateFolder(w.plan.settings.state_path).lock();
  REQUIRE(lock);
  w.start();
  w.run_for(std::chrono::seconds(2));
  CHECK(w.authority.issued().empty());
  lock->reset();
  CHECK(w.shown(1, std::chrono::seconds(10)));
}

TEST_CASE("a folder that another works in for long is looked at once a minute") {
  AcmeWorld w;
  auto lock = StateFolder(w.plan.settings.state_path).lock();
  REQUIRE(lock);
  w.start();
  w.run_for(minutes(10));
  INFO(w.log.all());
  CHECK(w.log.count("another gatescope works in") >= 12);
  CHECK(w.log.count("another gatescope works in") <= 17);
}

}  // namespace gatescope::acme::test
