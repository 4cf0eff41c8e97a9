// TLS as an operator meets it: clients' certificates, bad files in a reload, new revocations.

#include <signal.h>

#include "tests/integration/support/client.h"
#include "tests/integration/support/client_authority.h"
#include "tests/integration/support/free_port.h"
#include "tests/integration/support/server_process.h"
#include "tests/integration/support/site_certificate.h"
#include "tests/integration/support/within.h"
#include "tests/support/catch.h"

namespace gatescope::integration {

namespace {

/// A server with a certificate for scope.test, and authorities for its clients.
struct TlsSite {
  TlsSite() {
    make_certificate(server.dir().path("certs"), "scope.test");
    server.write("clients.pem", clients.certificate());
    server.write("none.crl", clients.revocations(false));
  }
  /// `lines`: of the http level, behind certificate and key.
  void configure(const std::string& lines) {
    server.configure(
        "ssl_certificate certs/scope.test.pem;\nssl_certificate_key certs/scope.test.key;\n" +
        lines);
  }
  std::string listen() const { return "listen 127.0.0.1:" + port.text() + " ssl;"; }
  Client connect(const std::string& own = {}) {
    return Client::tls(port.number(), server.dir().path("certs/ca.pem"), "scope.test", own);
  }

  ServerProcess server;
  FreePort port;
  ClientAuthority clients;
};

}  // namespace

TEST_CASE("a server that verifies clients: who is let in, and what the others are told", "[both]") {
  TlsSite site;
  site.configure("server { " + site.listen() +
                 R"( server_name scope.test;
    ssl_verify_client on; ssl_client_certificate clients.pem;
    location / { return 200 "hello $ssl_client_s_dn"; }
    location /page { error_page 495 496 /told; return 200 page; } }
  server { )" + site.listen() +
                 R"( server_name open.test; return 200 open; }
  server { )" + site.listen() +
                 R"( server_name telling.test;
    ssl_verify_client optional; ssl_client_certificate clients.pem;
    error_page 495 496 = @told; error_page 497 =307 https://telling.test$request_uri;
    location / { return 200 "hello $ssl_client_verify"; }
    location @told { return 403 "told: $ssl_client_verify"; } }
  )");
  site.server.start();
  ClientAuthority strangers;
  const std::string good = site.clients.issue("friend"), foreign = strangers.issue("stranger");
  struct Case {
    std::string own, host;
    int status;
    std::string body;  // a part of it
  };
  const Case kCases[] = {
      {good, "scope.test", 200, "hello CN=friend"},
      {"", "scope.test", 400, "No required SSL certificate was sent"},
      {foreign, "scope.test", 400, "The SSL certificate error"},
      {good, "open.test", 200, "open"},  // verifies nobody
      {good, "telling.test", 421, "Misdirected Request"},
      {good, "SCOPE.TEST:443", 200, "hello CN=friend"},
  };
  for (const auto& c : kCases) {
    CAPTURE(c.host, c.status);
    auto client = site.connect(c.own);
    const auto answer = client.get("/", c.host);
    CHECK(answer.status == c.status);
    CHECK(answer.body.find(c.body) != std::string::npos);
    if (c.status != 400) continue;
    if (protocol_name() == "HTTP/1.1") {
      CHECK(client.was_last(answer));
    } else {  // the connection is everybody's: what is refused is the request
      CHECK(client.get("/", c.host).status == 400);
    }
  }
  CHECK(site.server.error_log_says("client sent no required SSL certificate"));
  CHECK(site.server.error_log_says("client SSL certificate verify error: ("));

  // In clear, where a page says so to a client that speaks HTTP/1
  CHECK(get(site.port.number(), "/x?y", "scope.test", Http::One).status == 400);
  const auto away = get(site.port.number(), "/x?y", "telling.test", Http::One);
  CHECK(away.status == 307);
  CHECK(away.field("Location") == "https://telling.test/x?y");
}

TEST_CASE("a bad TLS file refuses the reload, is named with its place, and nothing changes",
          "[both]") {
  TlsSite site;
  const std::string server_block = "server { " + site.listen() + " return 200 fine; }";
  site.configure(server_block);
  site.server.start();
  auto kept = site.connect();
  REQUIRE(kept.get("/").body == "fine");
  site.server.write("garbage", "this is no PEM");
  struct Case {
    std::string line, message;
  };
  const Case kCases[] = {
      {"ssl_verify_client on; ssl_client_certificate garbage;", "failed to load \""},
      {"ssl_trusted_certificate garbage;", "failed to load \""},
      {"ssl_crl garbage;", "failed to load \""},
      {"ssl_dhparam garbage;", "PEM_read_bio_Parameters(\""},
      {"ssl_session_ticket_key garbage;", "must be 48 or 80 bytes"},
      {"ssl_password_file nothing;", "open() \""},
      {"ssl_conf_command Certificate garbage;", "SSL_CONF_cmd(\"Certificate\""},
      {"ssl_conf_command Nonsense 1;", "SSL_CONF_cmd(\"Nonsense\""},
      {"ssl_verify_client on;", "no ssl_client_certificate or ssl_trusted_certificate"},
      {"ssl_certificate garbage; ssl_certificate_key garbage;", "cannot load certificate \""},
      {"ssl_certificate certs/scope.test.pem; ssl_certificate_key garbage;",
       "cannot load certificate key \""},
      {"ssl_certificate certs/scope.test.pem; ssl_certificate_key certs/ca.key;",
       "SSL_CTX_use_PrivateKey(\""},
      {"ssl_session_cache shared:A:1m; server { ssl_session_cache shared:A:2m; }",
       "conflicts with already declared size"},
  };
  for (const auto& c : kCases) {
    CAPTURE(c.line);
    site.server.configure(c.line.find("ssl_certificate ") == std::string::npos
                              ? "ssl_certificate certs/scope.test.pem;"
                                "ssl_certificate_key certs/scope.test.key;" +
                                    c.line + "\n" + server_block
                              : c.line + "\n" + server_block);
    const auto before = site.server.error_log().size();
    site.server.signal(SIGHUP);
    REQUIRE(within(kPatience, [&] {
      return site.server.error_log().find("the running configuration goes on", before) !=
             std::string::npos;
    }));
    const auto said = site.server.error_log().substr(before);
    CAPTURE(said);
    CHECK(said.find(c.message) != std::string::npos);
    CHECK(said.find("gatescope.conf:") != std::string::npos);
    CHECK(kept.get("/").body == "fine");
    CHECK(site.connect().get("/").body == "fine");
  }
}

TEST_CASE("a revocation list that comes with a reload ends connections that were judged before",
          "[both]") {
  TlsSite site;
  const auto conf = [&](const std::string& crl, const std::string& text) {
    site.configure("server { " + site.listen() +
                   " ssl_verify_client on; ssl_client_certificate clients.pem; ssl_crl " + crl +
                   "; return 200 " + text + "; }");
  };
  conf("none.crl", "one");
  site.server.start();
  const std::string own = site.clients.issue("somebody");
  auto kept = site.connect(own);
  auto idle = site.connect(own);
  CHECK(kept.get("/", "scope.test").body == "one");

  conf("none.crl", "two");  // nothing new about clients: the connection moves over
  site.server.signal(SIGHUP);
  REQUIRE(within(kPatience, [&] { return kept.get("/", "scope.test").body == "two"; }));

  site.server.write("last.crl", site.clients.revocations(true));
  conf("last.crl", "three");
  site.server.signal(SIGHUP);
  REQUIRE(within(kPatience, [&] {
    return site.connect(site.clients.issue("friend")).get("/", "scope.test").body == "three";
  }));
  const auto last = kept.get("/", "scope.test");
  CHECK(last.body == "two");  // once more under the old rules
  CHECK(kept.was_last(last));
  CHECK(idle.was_last(idle.get("/", "scope.test")));
  CHECK(site.connect(own).get("/", "scope.test").status == 400);
}

}  // namespace gatescope::integration
