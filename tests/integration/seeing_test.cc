// How the server says that it fares: each part is made to change, and must be seen to.

#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "tests/integration/support/client.h"
#include "tests/integration/support/free_port.h"
#include "tests/integration/support/server_process.h"
#include "tests/integration/support/site_certificate.h"
#include "tests/integration/support/within.h"
#include "tests/support/catch.h"

namespace gatescope::integration {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// A server with everything that can be seen: files, the API with a database of its own, an OEIS
/// that refuses, a group whose server is not there, a certificate.
class SeenServer {
 public:
  explicit SeenServer(Account account) : server(account) {
    make_certificate(server.dir().path("certs"), "scope.test");
    give_to(server.dir().path("certs"), account);
    server.write("html/index.html", "page");
    server.write("oeisdata/seq/A000/A000040.seq",
                 "%I A000040\n%S A000040 2,3,5,7,11,13\n%N A000040 The primes.\n%O A000040 1,1\n");
    configure();
    server.start();
  }

  void configure(const std::string& more = {}) {
    server.configure(
        "upstream away { server 127.0.0.1:" + nobody.text() + "; }\n" +
            "server { listen 127.0.0.1:" + port.text() + "; root html; " + more +
            " location = /status { status_page; access_log off; }"
            " location = /metrics { metrics; } location = /ready { health ready database; }"
            " location = /stub { stub_status; } location / { }"
            " location /api/ { numberscope_api; } location /away { proxy_pass http://away; } }\n"
            "server { listen 127.0.0.1:" +
            tls.text() +
            " ssl; server_name scope.test; ssl_certificate certs/scope.test.pem;"
            " ssl_certificate_key certs/scope.test.key; root html; }\n"
            "server { listen 127.0.0.1:" +
            oeis.text() + "; location / { return 429; } }",
        "state_dir state; numberscope { oeis http://127.0.0.1:" + oeis.text() +
            "; oeisdata oeisdata; }");
  }

  json status() {
    return json::parse(get(port.number(), "/status?json", "localhost", Http::One).body);
  }
  /// Asks until it holds; the last report is in `now`.
  template <class Condition>
  bool comes(Condition&& condition) {
    return within(2 * kPatience, [&] {
      now = status();
      return condition();
    });
  }
  bool has_problem(const std::string& words) const {
    const auto& problems = now.at("problems");
    return std::any_of(problems.begin(), problems.end(), [&](const auto& one) {
      return one.template get<std::string>().find(words) != std::string::npos;
    });
  }

  ServerProcess server;
  FreePort port, tls, oeis, nobody;
  json now;
};

/// The names in the first column of the tables of a page's section.
std::set<std::string> documented_metrics() {
  std::set<std::string> names;
  std::istringstream lines(read_file(std::string(GATESCOPE_SOURCE_DIR) + "/doc/administration.md"));
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("| `gatescope_") || line.starts_with("| `process_"))
      names.insert(line.substr(3, line.find('`', 3) - 3));
  return names;
}

}  // namespace

TEST_CASE("each part of the report changes with what it shows") {
  for (const auto account : accounts()) {
    CAPTURE(name_of(account));
    SeenServer seen(account);
    auto& now = seen.now;
    const auto at = seen.port.number();

    CHECK(seen.comes([&] { return now.at("database").at("up") == true; }));
    INFO(now.dump(1));
    CHECK(now.at("healthy") == true);
    CHECK(now.at("pid") == seen.server.worker());
    CHECK(now.at("generation") == 1);
    REQUIRE(now.at("certificates").size() == 1);
    CHECK(now.at("certificates")[0].at("names") == "scope.test");
    CHECK(now.at("certificates")[0].at("days_left") > 14);
    CHECK(now.at("oeis").at("breaker") == "closed");
    CHECK(get(at, "/ready", "localhost", Http::One).status == 200);

    // Files, the cache, TLS
    for (int i = 0; i < 5; ++i)
      CHECK(get(at, "/index.html", "localhost", Http::One).status == 200);
    {
      auto hello =
          Client::tls(seen.tls.number(), seen.server.dir().path("certs/ca.pem"), "scope.test");
    }
    CHECK(seen.comes([&] { return now.at("tls").at("full") == 1; }));
    CHECK(now.at("file_cache").at("hits") >= 4);
    CHECK(now.at("requests").at("by_handler").at("files") == 5);
    {
      auto clear = Client::tcp(seen.tls.number(), {}, Http::One);
      clear.send(std::string("\x16\x03\x01\x7f\xff", 5) + "xx");  // larger than any
      CHECK(clear.rest() != "index");                             // an alert, and the end
    }
    CHECK(seen.comes([&] { return now.at("tls").at("failed") == 1; }));

    // The API, its memory, the factor workers
    Answer factors;
    CHECK(within(2 * kPatience, [&] {
      factors = get(at, "/api/get_oeis_factors/A000040/6", "localhost", Http::One);
      return factors.status == 200;
    }));
    CHECK(seen.comes([&] { return now.at("factoring").at("done") >= 6; }));
    CHECK(now.at("factoring").at("workers") == 1);
    CHECK(now.at("database").at("done") > 0);
    for (int i = 0; i < 2; ++i)
      get(at, "/api/get_oeis_values/A000040/3", "localhost", Http::One);
    CHECK(seen.comes([&] { return now.at("api_cache").at("hits") > 0; }));

    // OEIS refuses, and is left alone
    get(at, "/api/get_oeis_values/A300000/3", "localhost", Http::One);
    CHECK(seen.comes([&] { return now.at("oeis").at("breaker") == "open"; }));
    CHECK(seen.has_problem("OEIS refused"));
    CHECK(now.at("oeis").at("refusals") >= 1);
    CHECK(now.at("oeis").at("open_until") > now.at("now"));

    // A server behind is not there
    CHECK(get(at, "/away", "localhost", Http::One).status == 502);
    CHECK(seen.comes([&] { return now.at("upstreams")[0].at("usable") == 0; }));
    CHECK(now.at("upstreams")[0].at("name") == "away");
    CHECK(now.at("upstreams")[0].at("failures") >= 1);
    CHECK(seen.has_problem("\"away\""));
    CHECK(now.at("requests").at("by_class").at("5xx") >= 1);

    // A reload that fails, one that goes well; log lines that are lost
    seen.configure("nonsense;");
    seen.server.signal(SIGHUP);
    CHECK(seen.comes([&] { return now.at("reloads").at("failed") == 1; }));
    CHECK(seen.has_problem("nonsense"));
    seen.configure("access_log /dev/full;");
    seen.server.signal(SIGHUP);
    CHECK(seen.comes([&] { return now.at("reloads").at("last").at("good") == true; }));
    CHECK(now.at("generation") == 3);
    CHECK_FALSE(seen.has_problem("nonsense"));
    CHECK(seen.comes([&] {
      get(at, "/index.html", "localhost", Http::One);
      return now.at("log_lines_lost") > 0;
    }));
    CHECK(seen.has_problem("is the disk full"));

    // The database dies and cannot be started, then can
    const auto data = seen.server.dir().path("state/postgres/data");
    REQUIRE(fs::exists(data + "/postmaster.pid"));
    const auto postmaster = std::stoi(read_file(data + "/postmaster.pid"));
    fs::rename(data + "/postgresql.conf", data + "/away.conf");
    ::kill(postmaster, SIGKILL);
    CHECK(seen.comes([&] { return now.at("database").at("up") == false; }));
    CHECK(seen.has_problem("database"));
    CHECK(get(at, "/ready", "localhost", Http::One).status == 503);
    CHECK(get(at, "/index.html", "localhost", Http::One).status == 200);
    fs::rename(data + "/away.conf", data + "/postgresql.conf");
    CHECK(seen.comes([&] { return now.at("database").at("up") == true; }));
    CHECK(get(at, "/ready", "localhost", Http::One).status == 200);
  }
}

TEST_CASE("every metric is documented, and nothing else is") {
  SeenServer seen(Account::Own);
  CHECK(seen.comes([&] { return seen.now.at("database").at("up") == true; }));
  std::set<std::string> shown;
  std::istringstream lines(get(seen.port.number(), "/metrics", "localhost", Http::One).body);
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("# TYPE ")) shown.insert(line.substr(7, line.find(' ', 7) - 7));
  const auto documented = documented_metrics();
  for (const auto& name : shown) {
    CAPTURE(name);
    CHECK(documented.contains(name));
  }
  for (const auto& name : documented) {
    CAPTURE(name);
    CHECK(shown.contains(name));
  }
}

}  // namespace gatescope::integration
