// The files in conf/ as they are shipped, but for ports and paths: what `./dev serve` runs, and
// what an installed machine begins with.

#include <signal.h>

#include <filesystem>

#include "tests/integration/support/client.h"
#include "tests/integration/support/free_port.h"
#include "tests/integration/support/server_process.h"
#include "tests/integration/support/site_certificate.h"
#include "tests/integration/support/within.h"
#include "tests/support/catch.h"

namespace gatescope::integration {

namespace {

namespace fs = std::filesystem;

constexpr char kName[] = "numberscope.colorado.edu";
const std::string kSource = GATESCOPE_SOURCE_DIR;

/// The shipped file with each first text replaced by the second. A text that is not in it is an
/// error of this test. Lines with an IPv6 address go: not every machine has one.
std::string shipped(const std::string& file,
                    const std::vector<std::pair<std::string, std::string>>& changes) {
  std::string text = read_file(kSource + "/conf/" + file);
  REQUIRE(text != "");
  for (const auto& [from, to] : changes) {
    CAPTURE(file, from);
    REQUIRE(text.find(from) != std::string::npos);
    for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
      text.replace(at, from.size(), to);
  }
  for (std::size_t at; (at = text.find("listen [::")) != std::string::npos;)
    text.erase(at, text.find('\n', at) - at);
  return text;
}

/// The API answers 503 until the database has been made, which takes a moment.
template <class Ask>
Answer patiently(Ask&& ask) {
  Answer answer;
  within(2 * kPatience, [&] {
    answer = ask();
    return answer.status != 503;
  });
  return answer;
}

bool holds_file(const std::string& folder, const std::string& name) {
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.path().filename() == name) return true;
  return false;
}

}  // namespace

TEST_CASE("conf/dev.conf: the sample site, its API with a database of its own, and a clean end",
          "[both]") {
  for (const auto account : accounts()) {
    CAPTURE(name_of(account));
    ServerProcess server(account);
    FreePort https, http;
    fs::copy(kSource + "/static/sample", server.dir().path("site"), fs::copy_options::recursive);
    make_certificate(server.dir().path("certs"), "localhost");
    REQUIRE(run_gatescope({"oeis", "sample", server.dir().path("oeisdata")}).status == 0);
    for (const char* folder : {"site", "certs", "oeisdata"})
      give_to(server.dir().path(folder), account);
    server.write("gatescope.conf", shipped("dev.conf", {{":8443", ":" + https.text()},
                                                        {":8080", ":" + http.text()}}));
    server.start({"-g", "daemon off;"});

    auto client = Client::tls(https.number(), server.dir().path("certs/ca.pem"), "localhost");
    const auto page = client.get("/");
    CHECK(page.status == 200);
    CHECK(page.body == read_file(kSource + "/static/sample/index.html"));
    CHECK(client.get("/gallery?seq=A000045").body == page.body);
    CHECK(client.get("/assets/app.js").field("Content-Type") == "text/javascript");
    CHECK(client.get("/assets/gone.js").status == 404);

    const auto terms = patiently([&] { return client.get("/api/get_oeis_values/A000045/5"); });
    INFO(server.logs());
    CHECK(terms.status == 200);
    CHECK(terms.body.starts_with("{\"id\":\"A000045\",\"name\":\""));
    CHECK(terms.body.ends_with(
        "\"values\":{\"0\":\"0\",\"1\":\"1\",\"2\":\"1\",\"3\":\"2\",\"4\":\"3\"}}\n"));
    CHECK(terms.field("X-Sequence-Source") == "oeisdata");
    CHECK(terms.count("Access-Control-Allow-Origin") == 1);
    CHECK(client.get("/api").status == 200);
    CHECK(client.get("/apix").body == page.body);
    CHECK(client.get("/status").body.find("<title>gatescope") != std::string::npos);
    CHECK(client.get("/healthz").body == "ok\n");
    CHECK(client.get("/metrics").body.find("gatescope_database_up 1\n") != std::string::npos);

    CHECK(get(http.number(), "/gallery?a=1", "localhost", Http::One).field("Location") ==
          "https://localhost:" + https.text() + "/gallery?a=1");

    CHECK(holds_file(server.dir().path("state"), "postmaster.pid"));
    server.signal(SIGINT);  // Ctrl-C
    CHECK(server.wait() == 0);
    CHECK_FALSE(holds_file(server.dir().path("state"), "postmaster.pid"));
  }
}

TEST_CASE("conf/gatescope.conf with conf/numberscope.conf: the site of an installed machine",
          "[both]") {
  for (const auto account : accounts()) {
    CAPTURE(name_of(account));
    ServerProcess server(account);
    FreePort https, http, seeing;
    const auto at = server.dir().path();
    make_certificate(server.dir().path("live"), kName);
    give_to(server.dir().path("live"), account);
    server.write("gatescope.conf",
                 shipped("gatescope.conf", {{"user scope;", "user nobody;"},
                                            {"/run/gatescope/gatescope.pid", "logs/gatescope.pid"},
                                            {"/var/log/gatescope/", "logs/"},
                                            {"/var/lib/gatescope/", at + "/"},
                                            {"oeis https://oeis.org;", "oeis off;"}}));
    const std::string live = std::string("/etc/letsencrypt/live/") + kName;
    server.write(
        "sites/numberscope.conf",
        shipped("numberscope.conf", {{"listen 443 ", "listen 127.0.0.1:" + https.text() + " "},
                                     {"listen 80;", "listen 127.0.0.1:" + http.text() + ";"},
                                     {"listen 127.0.0.1:8081", "listen 127.0.0.1:" + seeing.text()},
                                     {live + "/fullchain.pem", at + "/live/" + kName + ".pem"},
                                     {live + "/privkey.pem", at + "/live/" + kName + ".key"},
                                     {"/var/lib/gatescope/site", at + "/html"},
                                     {"/var/lib/gatescope/", at + "/"}}));
    server.write("html/index.html", "the scope");
    server.write("acme/.well-known/acme-challenge/token", "token.thumbprint");
    server.start({"-g", "daemon off;"});

    auto client = Client::tls(https.number(), server.dir().path("live/ca.pem"), kName);
    CHECK(client.get("/", kName).body == "the scope");
    CHECK(client.get("/gallery", kName).body == "the scope");
    const auto refusal = client.get("/api/get_oeis_values/A40/5", kName);
    CHECK(refusal.status == 200);
    CHECK(refusal.body == "Error: ID A40 is not 7 characters long");
    CHECK(client.get("/api/get_commit", kName).body.starts_with("{\"short_commit_hash\":\""));
    CHECK(client.get("/", kName).field("Server") == "gatescope");  // server_tokens off: no version
    for (const char* path : {"/", "/api/get_commit", "/api/nothing/here"}) {
      CAPTURE(path);
      auto one = Client::tls(https.number(), server.dir().path("live/ca.pem"), kName);
      CHECK(one.get(path, kName).field("Strict-Transport-Security") == "max-age=63072000");
    }

    for (const char* path : {"/status", "/metrics", "/healthz", "/stub_status"}) {
      CAPTURE(path);
      CHECK(get(seeing.number(), path, "localhost", Http::One).status == 200);
    }
    CHECK(client.get("/status", kName).body == "the scope");  // not where everybody comes

    const auto challenge =
        get(http.number(), "/.well-known/acme-challenge/token", kName, Http::One);
    CHECK(challenge.status == 200);
    CHECK(challenge.body == "token.thumbprint");
    CHECK(get(http.number(), "/doc/", "elsewhere.example", Http::One).field("Location") ==
          "https://numberscope.colorado.edu/doc/");
  }
}

}  // namespace gatescope::integration
