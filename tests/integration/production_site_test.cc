// The site's configuration as its maintainers and certbot left it, with the application still
// behind it: it must work unchanged. Only paths and ports are ours.

#include "tests/integration/support/production_site.h"

#include <sys/stat.h>

#include "tests/integration/support/client.h"
#include "tests/support/catch.h"

namespace gatescope::integration {

namespace {}  // namespace

TEST_CASE("the production site: -t has no error") {
  for (const auto account : accounts()) {
    CAPTURE(name_of(account));
    ProductionSite site(account);
    site.start_backend();
    const auto outcome = site.server.run({"-t"});
    INFO(outcome.err);
    CHECK(outcome.status == 0);
    CHECK_FALSE(contains(outcome.err, "[emerg]"));
    CHECK_FALSE(contains(outcome.err, "[error]"));
  }
}

TEST_CASE("the production site: the front end from disk over TLS", "[both]") {
  for (const auto account : accounts()) {
    CAPTURE(name_of(account));
    ProductionSite site(account);
    site.start_backend();
    site.server.start();
    auto client = site.client();
    CHECK(client.tls_version() == "TLSv1.3");

    const auto index = client.get("/", kSiteName);
    CHECK(index.status == 200);
    CHECK(index.field("Content-Type") == "text/html");
    CHECK(index.body == "<!doctype html>the scope");
    CHECK(client.get("/assets/main.js", kSiteName).body == "export {};");

    const auto route = client.get("/gallery?name=Specimen&visualizer=Turtle", kSiteName);
    CHECK(route.status == 200);
    CHECK(route.body == "<!doctype html>the scope");
    CHECK(client.get("/doc/", kSiteName).body == "<!doctype html>the guide");
  }
}

TEST_CASE("the production site: the API through the application's socket", "[both]") {
  for (const auto account : accounts()) {
    CAPTURE(name_of(account));
    ProductionSite site(account);
    site.start_backend();
    site.server.start();
    auto client = site.client();
    const auto answer =
        client.get("/api/search_oeis/prime%2Fnumber?x=1", kSiteName, "User-Agent: test\r\n");
    CHECK(answer.status == 200);
    CHECK(answer.body == "{\"asked\":\"GET /api/search_oeis/prime%2Fnumber?x=1 HTTP/1.1\"}\n");
    CHECK(answer.field("Content-Type") == "application/json");
    CHECK(answer.field("Access-Control-Allow-Origin") == "*");
    CHECK(answer.count("Access-Control-Allow-Origin") == 1);
    CHECK(answer.field("Server") != "gunicorn");
    CHECK(client.get("/api/get_commit", kSiteName).status == 200);

    REQUIRE(site.backend->heads().size() == 2);
    const auto head = site.backend->heads()[0];
    INFO(head);
    CHECK(contains(head, "\r\nHost: numberscope.colorado.edu\r\n"));
    CHECK(contains(head, "\r\nX-Real-IP: 127.0.0.1\r\n"));
    CHECK(contains(head, "\r\nX-Forwarded-For: 127.0.0.1\r\n"));
    CHECK(contains(head, "\r\nX-Forwarded-Proto: https\r\n"));
    CHECK((contains(head, "\r\nUser-Agent: test\r\n") ||
           contains(head, "\r\nuser-agent: test\r\n")));  // as HTTP/2 writes names
  }
}

TEST_CASE("the production site: an application that is down is 502, and the site goes on",
          "[both]") {
  ProductionSite site(accounts().front());
  site.server.start();
  site.backend.reset();
  auto client = site.client();
  CHECK(client.get("/api/get_commit", kSiteName).status == 502);
  CHECK(client.get("/", kSiteName).status == 200);
  CHECK(site.server.error_log_says("backscope.sock"));
}

TEST_CASE("the production site: plain HTTP redirects its own name and refuses others", "[both]") {
  for (const auto account : accounts()) {
    CAPTURE(name_of(account));
    ProductionSite site(account);
    site.start_backend();
    site.server.start();
    const auto redirect = get(site.http.number(), "/gallery?a=%20b", kSiteName);
    CHECK(redirect.status == 301);
    CHECK(redirect.field("Location") == "https://numberscope.colorado.edu/gallery?a=%20b");
    CHECK(get(site.http.number(), "/", "elsewhere.example").status == 404);
  }
}

}  // namespace gatescope::integration
