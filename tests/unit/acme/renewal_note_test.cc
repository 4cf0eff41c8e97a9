// What is kept for people and commands: how it stands with a certificate, and challenges that
// another program answers.

#include "certs/acme/renewal_note.h"

#include "certs/acme/issued_pairs.h"
#include "tests/unit/acme/acme_fixture.h"

namespace gatescope::acme::test {

TEST_CASE("how it stands with a certificate is noted: the next renewal, and the last error") {
  AcmeWorld w;
  const StateFolder folder(w.plan.settings.state_path);
  const auto name = w.plan.certificates[0].file_name();
  w.authority.faults.push_back({.path = "/order", .detail = "no cheese today"});
  w.start();
  REQUIRE(w.world.run_until([&] { return read_note(folder, name).has_value(); }, minutes(1)));
  const auto failed = *read_note(folder, name);
  CHECK(failed.error.find("no cheese today") != std::string::npos);
  REQUIRE(failed.failed_at);
  REQUIRE(failed.next_try);
  CHECK(*failed.next_try > *failed.failed_at);
  CHECK_FALSE(failed.renew_at);

  REQUIRE(w.shown(1, hours(1)));
  w.run_for(minutes(1));
  const auto good = *read_note(folder, name);
  CHECK(good.error == "");
  REQUIRE(good.renew_at);
  CHECK(*good.renew_at > w.now() + hours(24 * 50));
  CHECK(*good.renew_at < w.facts().not_after - hours(24 * 20));
}

TEST_CASE("a note that is no note is none") {
  AcmeWorld w;
  const StateFolder folder(w.plan.settings.state_path);
  REQUIRE(folder.lock());
  for (const char* text : {"", "no JSON", "[1]", "{\"renew_at\": \"tomorrow\", \"error\": 7}"}) {
    CAPTURE(text);
    REQUIRE(folder.write("x.status", text));
    const auto note = read_note(folder, "x");
    CHECK((!note || *note == RenewalNote{}));
  }
  CHECK_FALSE(read_note(folder, "y"));
}

TEST_CASE("renew_now renews what is not due yet, and says so where another works in the folder") {
  AcmeWorld w;
  w.start();
  REQUIRE(w.shown(1, minutes(5)));
  w.kill();
  w.start();
  w.run_for(minutes(5));
  CHECK(w.authority.issued().size() == 1);  // not due
  w.kill();
  w.demand = true;
  w.start();
  REQUIRE(w.shown(4, minutes(5)));  // each start shows what is there
  CHECK(w.authority.issued().size() == 2);
  CHECK(w.authority.issued()[1].replaces == w.authority.issued()[0].id);
  CHECK(w.tried == std::vector<std::string>{"", ""});
  w.kill();
  const auto lock = StateFolder(w.plan.settings.state_path).lock();
  REQUIRE(lock);
  w.start();
  REQUIRE(w.world.run_until([&] { return w.tried.size() == 3; }, minutes(1)));
  CHECK(w.tried.back().find("another gatescope works in") == 0);
}

TEST_CASE("challenges that a command puts up are answered by the server that shares its folder") {
  AcmeWorld w;
  const StateFolder folder(w.plan.settings.state_path);
  REQUIRE(folder.lock());
  ChallengeStore command, server;
  command.publish_in(folder);
  CHECK_FALSE(server.authorization("token-1_x"));
  server.look_in({folder}, w.tickets, w.caches);
  CHECK_FALSE(server.authorization("token-1_x"));
  {
    command.put_token("token-1_x", "token-1_x.thumb");
    const PresentedChallenge presented(command, PresentedChallenge::Kind::Token, "token-1_x");
    CHECK(server.authorization("token-1_x") == "token-1_x.thumb");
    CHECK_FALSE(server.authorization("../challenge-token-1_x"));
    CHECK_FALSE(server.authorization(""));
    CHECK_FALSE(server.authorization(std::string(300, 'x')));
  }
  CHECK_FALSE(server.authorization("token-1_x"));
  const auto bundle = *make_proof_bundle("a.test", "authorization", w.now());
  command.put_proof("a.test", *make_proof_context(bundle, w.tickets, w.caches), bundle);
  CHECK(server.find("a.test") != nullptr);
  CHECK(server.find("b.test") == nullptr);
  command.remove_proof("a.test");
  CHECK(server.find("a.test") == nullptr);
}

TEST_CASE("an issued pair is the one that lies in the folder, unless that is broken") {
  AcmeWorld w;
  const StateFolder folder(w.plan.settings.state_path);
  REQUIRE(folder.lock());
  IssuedPairs pairs(w.secrets);
  const auto first = *make_temporary_bundle({"a.test"}, w.now());
  const auto second = *make_temporary_bundle({"a.test"}, w.now());
  pairs.set("$x", first);
  pairs.set_file("$x", folder.file("x.pem"));
  CHECK(pairs.read_secret("$x").value() == first);
  REQUIRE(folder.write("x.pem", second));
  CHECK(pairs.read_secret("$x").value() == second);
  REQUIRE(folder.write("x.pem", second.substr(0, second.size() / 2)));
  CHECK(pairs.read_secret("$x").value() == first);
}

}  // namespace gatescope::acme::test
