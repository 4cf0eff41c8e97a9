// Certificates that are obtained and renewed, with a real authority; and files that others renew.

#include <signal.h>

#include <filesystem>

#include "tests/integration/support/acme_site.h"
#include "tests/integration/support/client.h"
#include "tests/integration/support/free_port.h"
#include "tests/integration/support/server_process.h"
#include "tests/integration/support/site_certificate.h"
#include "tests/integration/support/within.h"
#include "tests/support/catch.h"

namespace gatescope::integration {

namespace {

namespace fs = std::filesystem;

void obtain_renew_and_start_again(const std::string& challenge) {
  if (skipped_without_pebble()) return;
  for (const auto account : accounts()) {
    CAPTURE(name_of(account));
    AcmeSite site(challenge, 35, account);
    site.server.start();
    // Until then nobody is refused a handshake, and the log says what is shown.
    CHECK(site.server.error_log().find("TEMPORARY SELF-SIGNED") != std::string::npos);
    const bool first = site.uses(1);
    INFO(site.server.logs() << site.pebble.said());
    REQUIRE(first);
    CHECK(site.ask("a.test") == "secret");
    CHECK(site.ask("b.test") == "secret");
    CHECK(get(site.pebble.http.number(), "/.well-known/acme-challenge/x", "a.test").status == 301);
    const auto stored = site.stored();
    CHECK(stored.starts_with("-----BEGIN PRIVATE KEY-----"));

    // Started again it shows the same one, and orders when it is time.
    site.server.signal(SIGTERM);
    CHECK(site.server.wait() == 0);
    site.server.start();
    CHECK(site.ask("a.test") == "secret");
    CHECK(site.stored() == stored);
    auto kept = Client::tls(site.pebble.tls.number(), site.pebble.root_file(), "a.test");
    CHECK(kept.get("/", "a.test").body == "secret");
    const bool second = site.uses(2);
    INFO(site.server.logs());
    REQUIRE(second);
    CHECK(site.stored() != stored);
    CHECK(site.ask("b.test") == "secret");
    CHECK(kept.get("/", "a.test").body == "secret");
    CHECK(count(site.server.error_log(), "acme_issuer \"pebble\": account ") == 1);
    CHECK(count(site.server.error_log(), "reconfiguring") == 0);
  }
}

}  // namespace

TEST_CASE("http-01 with pebble: obtained behind a redirect, kept over a restart, renewed") {
  obtain_renew_and_start_again("http-01");
}

TEST_CASE("tls-alpn-01 with pebble: obtained, kept over a restart, renewed") {
  obtain_renew_and_start_again("tls-alpn-01");
}

TEST_CASE("renewed files behind links are used without a reload, a broken pair is refused") {
  ServerProcess server;
  FreePort port;
  // As certbot has it: live/ leads to archive/, and root alone may look into both.
  const auto renew = [&](const std::string& number) {
    make_certificate(server.dir().path("archive/" + number), "scope.test");
    for (const char* file : {"scope.test.pem", "scope.test.key"}) {
      const auto link = server.dir().path(std::string("live/") + file);
      fs::create_directories(server.dir().path("live"));
      fs::remove(link);
      fs::create_symlink(server.dir().path("archive/" + number + "/" + file), link);
    }
  };
  renew("1");
  server.configure("server { listen 127.0.0.1:" + port.text() +
                   " ssl; ssl_certificate live/scope.test.pem;\n"
                   "ssl_certificate_key live/scope.test.key; return 200 x; }\n");
  server.start();
  const auto ask = [&](const std::string& number) {
    const auto ca = server.dir().path("archive/" + number + "/ca.pem");
    return Client::tls(port.number(), ca, "scope.test").get("/").body;
  };
  CHECK(ask("1") == "x");
  renew("2");
  CHECK(server.error_log_says("new certificate \"" + server.dir().path("live/scope.test.pem")));
  CHECK(ask("2") == "x");
  server.dir().write("live/scope.test.pem", "no certificate");  // through the link
  CHECK(server.error_log_says("the certificate in use stays"));
  CHECK(ask("2") == "x");
}

}  // namespace gatescope::integration
