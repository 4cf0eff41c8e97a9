// A real certbot beside us, with a real authority: no hook, no reload, no request lost.

#include "tests/integration/support/certbot.h"

#include <signal.h>
#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <iostream>
#include <thread>

#include "tests/integration/support/client.h"
#include "tests/integration/support/free_port.h"
#include "tests/integration/support/pebble.h"
#include "tests/integration/support/server_process.h"
#include "tests/integration/support/site_certificate.h"
#include "tests/integration/support/within.h"
#include "tests/support/catch.h"

namespace gatescope::integration {

namespace {

constexpr unsigned kNinetyDays = 90 * 86400;

std::size_t times_said(const ServerProcess& server, std::string_view text) {
  const auto log = server.error_log();
  std::size_t n = 0;
  for (auto at = log.find(text); at != std::string::npos; at = log.find(text, at + 1))
    ++n;
  return n;
}

/// Visitors who come one after the other, each with a connection of his own, until the end.
class Visitors {
 public:
  Visitors(std::uint16_t port, std::string ca_file)
      : port_(port), ca_file_(std::move(ca_file)), thread_([this] { visit(); }) {}
  ~Visitors() {
    leave_ = true;
    thread_.join();
  }
  int served() const { return served_; }
  int failed() const { return failed_; }

 private:
  void visit() {
    while (!leave_) {
      try {
        const bool good =
            Client::tls(port_, ca_file_, "a.test").get("/", "a.test").body == "secret";
        ++(good ? served_ : failed_);
      } catch (const std::exception&) {
        ++failed_;
      }
    }
  }
  const std::uint16_t port_;
  const std::string ca_file_;
  std::atomic<bool> leave_{false};
  std::atomic<int> served_{0}, failed_{0};
  std::thread thread_;  // last: it uses the others
};

/// As conf/numberscope.conf has it, and behind it what certbot's live/ holds.
struct CertbotSite {
  explicit CertbotSite(Account account)
      : server(account), pebble(kNinetyDays, 0), certbot(pebble.directory(), pebble.ca_file()) {
    std::filesystem::create_directory(webroot());
  }
  std::string webroot() const { return server_dir + "/webroot"; }
  std::string plain() const {
    return "server { listen 127.0.0.1:" + pebble.http.text() +
           ";\n location ^~ /.well-known/acme-challenge/ { root " + webroot() +
           "; default_type text/plain; }\n location / { return 301 https://a.test$request_uri; } "
           "}\n";
  }
  std::string encrypted() const {
    return "server { listen 127.0.0.1:" + pebble.tls.text() + " ssl; server_name a.test b.test;\n" +
           "ssl_certificate " + certbot.live("a.test", "fullchain.pem") + "; ssl_certificate_key " +
           certbot.live("a.test", "privkey.pem") + ";\n return 200 secret; }\n";
  }

  ServerProcess server;
  Pebble pebble;
  Certbot certbot;
  const std::string server_dir = server.dir().path();
};

bool skipped_without_certbot() {
  if (Pebble::installed() && Certbot::installed()) return false;
  std::cout << "SKIPPED: there is no certbot or no pebble here\n";
  return true;
}

/// A link of live/ that leads somewhere else, as certbot swaps them.
void lead_to(const std::string& link, const std::string& file) {
  std::filesystem::remove(link + ".new");
  std::filesystem::create_symlink(file, link + ".new");
  std::filesystem::rename(link + ".new", link);
}

}  // namespace

TEST_CASE("certbot beside: obtained through the webroot, renewed without a hook, nobody fails") {
  if (skipped_without_certbot()) return;
  CertbotSite site(Account::Own);
  site.server.configure(site.plain());
  site.server.start();
  const auto obtained = site.certbot.obtain(site.webroot(), {"a.test", "b.test"});
  INFO(obtained.out << obtained.err << site.server.logs());
  REQUIRE(obtained.status == 0);
  if (we_are_root()) {  // then the keeper reads what the worker may not
    for (const auto& closed :
         {std::filesystem::path(site.certbot.archive("a.test")).parent_path().string(),
          site.certbot.archive("a.test") + "/privkey1.pem"}) {
      CAPTURE(closed);
      struct stat facts {};
      REQUIRE(::stat(closed.c_str(), &facts) == 0);
      CHECK((facts.st_mode & 0077) == 0);
    }
    CHECK(*uid_of(site.server.worker()) != 0);
  }
  site.server.configure(site.plain() + site.encrypted());
  site.server.signal(SIGHUP);
  REQUIRE(site.server.error_log_says("configuration 2 serves"));
  const auto root = site.pebble.root_file();
  {
    Visitors visitors(site.pebble.tls.number(), root);
    REQUIRE(within(kPatience, [&] { return visitors.served() > 3; }));
    for (std::size_t round = 1; round <= 2; ++round) {
      const auto renewed = site.certbot.renew();
      INFO(renewed.out << renewed.err << site.server.logs());
      REQUIRE(renewed.status == 0);
      CHECK(within(kPatience, [&] {
        return times_said(site.server, "new certificate \"" +
                                           site.certbot.live("a.test", "fullchain.pem") +
                                           "\" serves") == round;
      }));
      // ... by a connection of its own
      CHECK(within(kPatience, [&] {
        return times_said(site.server, "shows the new certificate for a.test, b.test") == round;
      }));
    }
    const int before = visitors.served();
    CHECK(within(kPatience, [&] { return visitors.served() > before + 3; }));
    CHECK(visitors.failed() == 0);
  }
  CHECK(times_said(site.server, "reconfiguring") == 1);
  CHECK(times_said(site.server, "does not show") == 0);
  CHECK(times_said(site.server, "[error]") == 0);
}

TEST_CASE("certbot beside: a broken new pair is refused and said once, the old one stays") {
  if (skipped_without_certbot()) return;
  CertbotSite site(Account::Own);
  site.server.configure(site.plain());
  site.server.start();
  const auto obtained = site.certbot.obtain(site.webroot(), {"a.test"});
  INFO(obtained.out << obtained.err << site.server.logs());
  REQUIRE(obtained.status == 0);
  site.server.configure(site.plain() + site.encrypted());
  site.server.signal(SIGHUP);
  REQUIRE(site.server.error_log_says("configuration 2 serves"));
  const auto root = site.pebble.root_file();
  const auto ask = [&] {
    return Client::tls(site.pebble.tls.number(), root, "a.test").get("/", "a.test").body;
  };
  CHECK(ask() == "secret");
  const auto chain = site.certbot.live("a.test", "fullchain.pem");
  const auto good = std::filesystem::canonical(chain).string();

  // Cut short, as by a full disk.
  const auto text = read_file(good);
  site.server.write("short.pem", text.substr(0, text.size() / 3));
  lead_to(chain, site.server.dir().path("short.pem"));
  REQUIRE(site.server.error_log_says("PEM_read_bio_X509_AUX() failed"));
  CHECK(ask() == "secret");

  // A certificate whose key has not come.
  make_certificate(site.server.dir().path("other"), "a.test");
  lead_to(chain, site.server.dir().path("other/a.test.pem"));
  REQUIRE(site.server.error_log_says("key values mismatch"));
  CHECK(ask() == "secret");

  lead_to(chain, good);
  const auto renewed = site.certbot.renew();
  INFO(renewed.out << renewed.err << site.server.logs());
  REQUIRE(renewed.status == 0);
  REQUIRE(site.server.error_log_says("new certificate \"" + chain));
  CHECK(ask() == "secret");
  CHECK(times_said(site.server, "the certificate in use stays") == 2);
}

}  // namespace gatescope::integration
