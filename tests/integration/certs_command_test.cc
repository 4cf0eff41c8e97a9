// `gatescope certs`: what it lists, what it sees from outside, and renewals beside a server that
// runs.

#include <signal.h>
#include <sys/stat.h>

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

/// Names and texts of all files below, in order.
std::string contents(const std::string& folder) {
  std::vector<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file())
      files.push_back(entry.path().string() + "\n" + read_file(entry.path().string()));
  std::sort(files.begin(), files.end());
  std::string all;
  for (const auto& file : files)
    all += file;
  return all;
}

/// A server that has obtained a certificate for a.test and b.test.
struct RenewingSite : AcmeSite {
  explicit RenewingSite(Account account, const std::string& challenge = "http-01")
      : AcmeSite(challenge, 90 * 86400, account) {
    server.start();
    const bool shown = shows(1);
    INFO(server.logs() << pebble.said());
    REQUIRE(shown);
    // Another thread notes it meanwhile, in a file that gets its name when it is whole
    REQUIRE(within(kPatience, [this] { return noted(); }));
  }
  bool noted() {
    bool status = false;
    for (const auto& entry : fs::directory_iterator(folder())) {
      if (entry.path().extension() == ".status") {
        status = true;
      } else if (entry.path().stem().extension() == ".status") {
        return false;
      }
    }
    return status;
  }
};

}  // namespace

TEST_CASE(
    "certs lists what the configuration names: files, keys that do not fit, what is missing") {
  ServerProcess server;
  make_certificate(server.dir().path("good"), "good.test");
  make_certificate(server.dir().path("other"), "other.test");
  server.configure(
      "acme_issuer le { uri https://127.0.0.1:1/dir; accept_terms_of_service; }\n"
      "server { listen 1 ssl; ssl_certificate good/good.test.pem; "
      "ssl_certificate_key good/good.test.key; }\n"
      "server { listen 1 ssl; server_name two; ssl_certificate good/good.test.pem; "
      "ssl_certificate_key good/good.test.key; }\n"
      "server { listen 2 ssl; ssl_certificate other/other.test.pem; "
      "ssl_certificate_key good/good.test.key; }\n"
      "server { listen 3 ssl; ssl_certificate gone.pem; ssl_certificate_key gone.key; }\n"
      "server { listen 4 ssl; server_name a.test; acme_certificate le; "
      "ssl_certificate $acme_certificate; ssl_certificate_key $acme_certificate_key; }\n");
  const auto before = contents(server.dir().path());
  const auto listed = server.run({"certs"});
  INFO(listed.out << listed.err);
  CHECK(listed.status == 2);
  CHECK(listed.err == "");
  CHECK(contains(listed.out, "good.test\n    ends         "));
  CHECK(contains(listed.out, " days left, until 20"));
  CHECK(contains(listed.out, "issuer       gatescope development CA\n"));
  CHECK(contains(listed.out, "key          ECDSA 256\n"));
  CHECK(contains(listed.out, "file         " + server.dir().path("good/good.test.pem") + "\n"));
  CHECK(contains(listed.out, "key values mismatch"));
  CHECK(contains(listed.out, "gone.pem\" failed (2: No such file or directory)"));
  CHECK(contains(listed.out,
                 "a.test\n    ends         there is none yet\n"
                 "    source       acme_issuer le\n"));
  CHECK(contains(listed.out, "renewal      as soon as possible\n"));
  CHECK(listed.out.find("good.test\n") == listed.out.rfind("good.test\n"));  // once
  CHECK(contents(server.dir().path()) == before);

  const auto json = server.run({"certs", "list", "--json"});
  CHECK(json.status == 2);
  CHECK(json.out.starts_with("["));
  CHECK(contains(json.out, "\"key\": \"ECDSA 256\""));
  CHECK(contains(json.out, "\"days_left\": 39"));
  CHECK(contains(json.out, "\"acme_issuer\": \"le\""));
}

TEST_CASE("certs says that all is well, and what is wrong with a configuration") {
  ServerProcess server;
  make_certificate(server.dir().path("good"), "good.test");
  server.configure(
      "server { listen 1 ssl; ssl_certificate good/good.test.pem; "
      "ssl_certificate_key good/good.test.key; }\n");
  CHECK(server.run({"certs"}).status == 0);
  server.configure("server { listen 1; }");
  const auto none = server.run({"certs"});
  CHECK(none.status == 0);
  CHECK(contains(none.out, "has a certificate"));
  server.configure("server { lisen 1; }");
  const auto wrong = server.run({"certs"});
  CHECK(wrong.status == 1);
  CHECK(contains(wrong.err, "gatescope.conf:6:"));
}

TEST_CASE("certs check shows what a server shows, and its exit status tells") {
  ServerProcess server;
  FreePort port, plain, nobody;
  make_certificate(server.dir().path("certs"), "localhost");
  make_certificate(server.dir().path("others"), "localhost");
  make_certificate(server.dir().path("wrong"), "elsewhere.test");
  server.configure("server { listen 127.0.0.1:" + port.text() +
                   " ssl; ssl_certificate certs/localhost.pem; ssl_certificate_key "
                   "certs/localhost.key; add_header Strict-Transport-Security max-age=63072000;\n"
                   "return 200 x; }\n"
                   "server { listen 127.0.0.1:" +
                   plain.text() + "; }");
  server.start();
  const auto ca = server.dir().path("certs/ca.pem");
  const auto place = "localhost:" + port.text();
  const auto good = run_gatescope({"certs", "check", place, "--ca", ca});
  INFO(good.out << good.err);
  CHECK(good.status == 0);
  CHECK(good.err == "");
  CHECK(good.out.starts_with(place + "\n    protocol     TLSv1.3\n    cipher       TLS_"));
  CHECK(contains(good.out, "host name    matches\n"));
  CHECK(contains(good.out, "verification good\n"));
  CHECK(contains(good.out, "HSTS         max-age=63072000\n"));
  CHECK(contains(good.out, " days left, until 20"));
  CHECK(contains(run_gatescope({"certs", "check", place, "--ca", ca, "--json"}).out,
                 "\"trusted\": true"));
  struct Case {
    std::string host, ca;
    int status;
    std::string said;
  };
  const Case kCases[] = {
      {place, server.dir().path("others/ca.pem"), 2, "gatescope: " + place + ": "},
      {place, "", 2, "gatescope: " + place + ": "},
      {"127.0.0.1:" + port.text(), ca, 2, "the certificate is not for 127.0.0.1"},
      {"localhost:" + plain.text(), ca, 1, "does not shake hands"},
      {"localhost:" + nobody.text(), ca, 1, "Connection refused"},
      {place, server.dir().path("nothing.pem"), 1, "nothing.pem"},
      {"https://localhost/", ca, 1, "no URL"},
      {"localhost:0", ca, 1, "a port is 1 to 65535"},
      {"localhost:", ca, 1, "the port is missing"},
      {"[::1", ca, 1, "is missing"},
      {"no-such-name.invalid", ca, 1, "no-such-name.invalid"},
  };
  for (const auto& c : kCases) {
    std::vector<std::string> words{"certs", "check", c.host};
    if (!c.ca.empty()) words.insert(words.end(), {"--ca", c.ca});
    const auto outcome = run_gatescope(words);
    CAPTURE(c.host, c.ca, outcome.out, outcome.err);
    CHECK(outcome.status == c.status);
    CHECK(contains(outcome.err, c.said));
  }
  CHECK(run_gatescope({"certs", "check"}).status == 1);
}

TEST_CASE("certs renew beside a server: http-01 and tls-alpn-01, and the server shows it at once") {
  if (skipped_without_pebble()) return;
  for (const auto account : accounts()) {
    for (const std::string challenge : {"http-01", "tls-alpn-01"}) {
      // Each takes a quarter of a minute, most of it the authority's.
      if (we_are_root() && (account == Account::Own) != (challenge == "http-01")) continue;
      CAPTURE(name_of(account), challenge);
      RenewingSite site(account, challenge);
      const auto stored = contents(site.folder());
      const auto renewed = site.server.run({"certs", "renew", "b.test"});
      INFO(renewed.out << renewed.err << site.server.logs());
      REQUIRE(renewed.status == 0);
      CHECK(renewed.out == "a.test, b.test: renewed\n");
      CHECK(contents(site.folder()) != stored);
      CHECK(site.shows(2));
      CHECK(Client::tls(site.pebble.tls.number(), site.pebble.root_file(), "b.test")
                .get("/", "b.test")
                .body == "secret");
      // What was put up for the authority is taken down, and all is the worker's own.
      for (const auto& entry : fs::directory_iterator(site.folder())) {
        const auto file = entry.path().filename().string();
        CAPTURE(file);
        CHECK_FALSE(file.starts_with("challenge-"));
        CHECK_FALSE(file.starts_with("proof-"));
        struct stat facts {};
        REQUIRE(::stat(entry.path().c_str(), &facts) == 0);
        CHECK(facts.st_uid == *uid_of(site.server.worker()));
        CHECK((facts.st_mode & 0077) == 0);
      }
      const auto listed = site.server.run({"certs"});
      CHECK(listed.status == 0);
      CHECK(contains(listed.out, "a.test, b.test\n"));
      CHECK(contains(listed.out, "issuer       Pebble Intermediate CA"));
      CHECK(contains(listed.out, "renewal      20"));
    }
  }
}

TEST_CASE("certs renew --dry-run tries it at another directory and stores nothing") {
  if (skipped_without_pebble()) return;
  RenewingSite site(Account::Own);
  const auto stored = contents(site.folder());
  const auto tried =
      site.server.run({"certs", "renew", "--dry-run", "--server", site.pebble.directory()});
  INFO(tried.out << tried.err << site.server.logs());
  CHECK(tried.status == 0);
  CHECK(tried.out == "a.test, b.test: would be obtained; nothing was stored\n");
  CHECK(contents(site.folder()) == stored);

  // Nobody answers the authority: an error that has its words.
  site.server.signal(SIGTERM);
  CHECK(site.server.wait() == 0);
  const auto alone =
      site.server.run({"certs", "renew", "--dry-run", "--server", site.pebble.directory()});
  CHECK(alone.status == 1);
  CHECK(contains(alone.err, "was not validated by http-01"));
}

TEST_CASE("certs renew: what cannot be done is said") {
  ServerProcess server;
  make_certificate(server.dir().path("good"), "good.test");
  const std::string issued =
      "acme_issuer le { uri https://127.0.0.1:1/dir; accept_terms_of_service; }\n"
      "server { listen 4 ssl; server_name a.test; acme_certificate le; "
      "ssl_certificate $acme_certificate; ssl_certificate_key $acme_certificate_key; }\n";
  struct Case {
    std::string http;
    std::vector<std::string> words;
    std::string said;
  };
  const Case kCases[] = {
      {"server { listen 1; }", {}, "has no acme_certificate"},
      {issued, {"b.test"}, "no acme_certificate is for \"b.test\", there are: a.test"},
      {issued, {"--dry-run"}, "no directory for trying is known of https://127.0.0.1:1/dir"},
      {issued, {"--server", "https://x.test/"}, "--server is for a dry run"},
      {issued, {}, "no certificate for a.test: "},
  };
  for (const auto& c : kCases) {
    server.configure(c.http);
    std::vector<std::string> words{"certs", "renew"};
    words.insert(words.end(), c.words.begin(), c.words.end());
    const auto outcome = server.run(words);
    CAPTURE(c.said, outcome.out, outcome.err);
    CHECK(outcome.status == 1);
    CHECK(contains(outcome.err, c.said));
    CHECK_FALSE(contains(outcome.err, "tried again"));  // by this command it is not
  }
  // ... and kept for those who ask later.
  const auto listed = server.run({"certs"});
  INFO(listed.out);
  CHECK(contains(listed.out, "error        "));
  CHECK(contains(listed.out, "next try     20"));
}

}  // namespace gatescope::integration
