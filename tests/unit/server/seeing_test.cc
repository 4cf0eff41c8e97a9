// What shows how the server fares: stub_status, metrics, health, status_page, and who may see them.

#include <nlohmann/json.hpp>

#include "tests/support/catch.h"
#include "tests/unit/server/site_fixture.h"

using namespace gatescope;
using namespace gatescope::test;
using nlohmann::json;

namespace {

constexpr const char* kSite = R"(server { listen 80; server_name localhost; root $folder/html;
    location = /stub { stub_status; }
    location = /metrics { metrics; }
    location = /live { health live; }
    location = /ready { health; }
    location = /needs { health ready database; }
    location = /status { status_page; }
    location = /teapot { return 418; }
    location /slow { limit_rate 10; }
    location / { } })";

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

json status_of(Site& site) {
  site.run_for(Duration(1100));
  return json::parse(body_of_answer(site.get("/status?json")));
}

}  // namespace

TEST_CASE("stub_status is nginx's text", "[both]") {
  Site site(kSite);
  REQUIRE(site.load_error() == "");
  const auto answer = site.get("/stub");
  CHECK(status_of_answer(answer) == 200);
  CHECK(field_of_answer(answer, "Content-Type") == "text/plain");
  CHECK(body_of_answer(answer) ==
        "Active connections: 1 \nserver accepts handled requests\n 1 1 1 \nReading: 0 Writing: 1 "
        "Waiting: 0 \n");
  CHECK(status_of_answer(site.ask("POST /stub HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
                                  "0\r\nConnection: close\r\n\r\n")) == 405);
}

TEST_CASE("connections wait, are read from and written to") {
  Site site(kSite);
  REQUIRE(site.load_error() == "");
  site.write("html/slow", std::string(200, 'x'));
  auto waiting = site.connect();
  auto reading = site.connect();
  auto writing = site.connect();
  site.run_for(Duration(100));
  reading->send("GET / HTTP/1.1\r\n");
  writing->send("GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n");
  site.run_for(Duration(500));
  CHECK(has(site.get("/stub"),
            "Active connections: 4 \nserver accepts handled requests\n 4 4 2 "
            "\nReading: 1 Writing: 2 Waiting: 1 \n"));
  reading->send("Host: localhost\r\nConnection: close\r\n\r\n");
  waiting.reset();
  site.run_for(Duration(60'000));
  CHECK(has(site.get("/stub"), "Active connections: 2 \n"));
  CHECK(has(site.get("/stub"), "Reading: 0 Writing: 1 Waiting: 1 \n"));
}

TEST_CASE("variables have what stub_status shows", "[both]") {
  Site site(R"(server { listen 80; server_name localhost; root $folder/html;
    location / { return 200
    "$connections_active $connections_reading $connections_writing $connections_waiting"; } })");
  REQUIRE(site.load_error() == "");
  CHECK(body_of_answer(site.get("/")) == "1 0 1 0");
}

TEST_CASE("requests are counted by status, by what answered and by version", "[both]") {
  Site site(kSite);
  REQUIRE(site.load_error() == "");
  site.write("html/a", "12345");
  for (int i = 0; i < 3; ++i)
    site.get("/a");
  site.get("/gone");
  site.get("/teapot");
  const auto now = status_of(site);
  const auto& requests = now.at("requests");
  CHECK(requests.at("total") == 6);  // this one too, which is not over
  CHECK(requests.at("by_class").at("2xx") == 3);
  CHECK(requests.at("by_class").at("4xx") == 2);
  CHECK(requests.at("by_handler").at("files") == 4);
  CHECK(requests.at("by_handler").at("none") == 1);
  CHECK(requests.at("by_version").at("1.1").get<int>() +
            requests.at("by_version").at("2").get<int>() ==
        6);
  CHECK(now.at("last_minute").at("requests") == 5);
  CHECK(now.at("bytes").at("sent") > 3 * 5);
  CHECK(now.at("bytes").at("received") > 5 * 10);
  CHECK(now.at("file_cache").at("hits").get<int>() > 0);
}

TEST_CASE("a client that leaves is counted as answered by nothing") {
  Site site(kSite);
  REQUIRE(site.load_error() == "");
  site.write("html/slow", std::string(5000, 'x'));
  site.ask_and_leave("GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const auto now = status_of(site);
  CHECK(now.at("requests").at("by_class").at("2xx") == 1);
  CHECK(now.at("requests").at("active") == 1);
  CHECK(now.at("connections").at("active") == 1);
}

TEST_CASE("metrics are of the type that is asked for", "[both]") {
  Site site(kSite);
  REQUIRE(site.load_error() == "");
  const auto plain = site.get("/metrics");
  CHECK(field_of_answer(plain, "Content-Type") == "text/plain; version=0.0.4; charset=utf-8");
  CHECK(field_of_answer(plain, "Cache-Control") == "no-store");
  CHECK(has(plain, "# TYPE gatescope_http_requests_total counter\n"));
  CHECK(has(plain, "gatescope_http_responses_total{class=\"5xx\",handler=\"api\"} 0\n"));
  CHECK(
      has(plain, "gatescope_http_request_duration_seconds_bucket{handler=\"files\",le=\"+Inf\"}"));
  CHECK(has(plain, "process_resident_memory_bytes "));
  const auto open = site.get(
      "/metrics", "Accept: application/openmetrics-text;version=1.0.0,text/plain;q=0.5\r\n");
  CHECK(field_of_answer(open, "Content-Type") ==
        "application/openmetrics-text; version=1.0.0; charset=utf-8");
  CHECK(body_of_answer(open).ends_with("# EOF\n"));
  const auto refused = site.get("/metrics", "Accept: application/openmetrics-text;q=0.0\r\n");
  CHECK(field_of_answer(refused, "Content-Type").starts_with("text/plain"));
}

TEST_CASE("health says ok, as text or as JSON, and to HEAD", "[both]") {
  Site site(kSite);
  REQUIRE(site.load_error() == "");
  for (const char* target : {"/live", "/ready", "/needs"}) {
    CAPTURE(target);
    const auto answer = site.get(target);
    CHECK(status_of_answer(answer) == 200);
    CHECK(body_of_answer(answer) == "ok\n");
    CHECK(field_of_answer(answer, "Cache-Control") == "no-store");
    const auto spoken = json::parse(
        body_of_answer(site.get(target, "Accept: text/html, application/json;q=0.9\r\n")));
    CHECK(spoken.at("status") == "ok");
    const auto head = site.ask("HEAD " + std::string(target) +
                               " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    CHECK(status_of_answer(head) == 200);
    CHECK(head.ends_with("\r\n\r\n"));
  }
}

TEST_CASE("a database that cannot be reached makes unready whoever needs it", "[both]") {
  Site site(kSite, "numberscope { database host=/nonexistent dbname=x; oeis off; }");
  REQUIRE(site.load_error() == "");
  CHECK(status_of_answer(site.get("/live")) == 200);
  CHECK(status_of_answer(site.get("/ready")) == 200);
  const auto answer = site.get("/needs");
  CHECK(status_of_answer(answer) == 503);
  CHECK(body_of_answer(answer) ==
        "unavailable\nThe database does not answer: only what is in memory is served by /api.\n");
  const auto now = status_of(site);
  CHECK(now.at("healthy") == false);
  CHECK(now.at("database").at("up") == false);
  CHECK(now.at("problems").size() == 1);
}

TEST_CASE("a server that goes finishes its requests and is not ready") {
  Site site(kSite);
  REQUIRE(site.load_error() == "");
  site.write("html/slow", std::string(100, 'x'));
  auto busy = site.connect();
  busy->send("GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n");
  auto begun = site.connect();
  site.run_for(Duration(100));
  begun->send("GET /ready HTTP/1.1\r\n");
  site.run_for(Duration(100));
  site.finish();
  site.run_for(Duration(100));
  begun->send("Host: localhost\r\n\r\n");
  const auto answer = begun->answer("nothing new");
  CHECK(status_of_answer(answer) == 503);
}

TEST_CASE("a reload that fails is shown with its reason until one goes well", "[both]") {
  Site site(kSite);
  REQUIRE(site.load_error() == "");
  CHECK(status_of(site).at("reloads").at("last").is_null());
  REQUIRE(site.reload("server { listen 80; nonsense; }"));
  auto now = status_of(site);
  CHECK(now.at("healthy") == false);
  CHECK(has(now.at("problems")[0], "nonsense"));
  CHECK(now.at("reloads").at("failed") == 1);
  CHECK(now.at("generation") == 1);
  REQUIRE_FALSE(site.reload(kSite));
  now = status_of(site);
  CHECK(now.at("healthy") == true);
  CHECK(now.at("reloads").at("count") == 2);
  CHECK(now.at("reloads").at("last").at("good") == true);
  CHECK(now.at("generation") == 3);
}

TEST_CASE("the page is whole, and its policy lets it do nothing else", "[both]") {
  Site site(kSite);
  REQUIRE(site.load_error() == "");
  const auto page = site.get("/status");
  CHECK(status_of_answer(page) == 200);
  CHECK(field_of_answer(page, "Content-Type") == "text/html; charset=utf-8");
  const auto policy = field_of_answer(page, "Content-Security-Policy");
  CHECK(policy.starts_with("default-src 'none'; style-src 'sha256-"));
  CHECK_FALSE(has(policy, "unsafe"));
  CHECK_FALSE(has(page, "{{"));
  CHECK(body_of_answer(page).ends_with("</html>\n"));
  CHECK(has(page, "OEIS Foundation"));
}

TEST_CASE("the page's JSON has what is newer than what the page knows") {
  Site site(kSite);
  REQUIRE(site.load_error() == "");
  site.run_for(Duration(5000));
  const auto ask = [&](const std::string& more) {
    return json::parse(body_of_answer(site.get("/status?json" + more))).at("history").at("seconds");
  };
  const auto all = ask("");
  CHECK(all.at("at").size() >= 4);
  const auto last = all.at("last").get<std::uint64_t>();
  CHECK(ask("&seconds=" + std::to_string(last)).at("at").empty());
  CHECK(ask("&seconds=" + std::to_string(last - 1)).at("at").size() == 1);
  CHECK(ask("&seconds=99999999999999999999").at("at").size() >= 4);
  CHECK(ask("&seconds=").at("at").size() >= 4);
}

TEST_CASE("only this machine sees how the server fares, unless the location says who may") {
  Site site(R"(set_real_ip_from 127.0.0.1; real_ip_header X-Forwarded-For; allow all;
    server { listen 80; server_name localhost; root $folder/html;
      location = /metrics { metrics; }
      location = /health { health; }
      location = /open { metrics; allow 203.0.113.0/24; deny all; }
      location = /password { status_page; auth_basic x; auth_basic_user_file users; }
      location = /off { stub_status; auth_basic off; } })");
  REQUIRE(site.load_error() == "");
  const std::string other = "X-Forwarded-For: 203.0.113.9\r\n";
  for (const char* target : {"/metrics", "/health", "/off"}) {
    CAPTURE(target);
    CHECK(status_of_answer(site.get(target)) == 200);
    CHECK(status_of_answer(site.get(target, other)) == 403);
  }
  CHECK(status_of_answer(site.get("/open", other)) == 200);
  CHECK(status_of_answer(site.get("/open")) == 403);
  CHECK(status_of_answer(site.get("/password", other)) == 401);
  CHECK(has(site.read("logs/error.log"),
            "access forbidden by rule: \"metrics\" is shown to this machine only, since neither "
            "allow nor auth_basic stands in its location"));
}

TEST_CASE("whom a proxy on this machine speaks for is not this machine", "[both]") {
  Site site(kSite);
  REQUIRE(site.load_error() == "");
  for (const char* field : {"X-Forwarded-For: 203.0.113.9\r\n", "X-Real-IP: 203.0.113.9\r\n",
                            "Forwarded: for=203.0.113.9\r\n"}) {
    CAPTURE(field);
    CHECK(status_of_answer(site.get("/metrics", field)) == 403);
  }
  CHECK(has(site.read("logs/error.log"), "set_real_ip_from says who that is"));
}

TEST_CASE("what is written wrongly is said with the mend") {
  const std::pair<const char*, const char*> rows[] = {
      {"health sometimes;",
       "invalid parameter \"sometimes\" of \"health\": live, ready or ready "
       "database"},
      {"health live database;", "\"health ready database\" asks for the database too"},
      {"health database database;", "invalid parameter \"database\""},
      {"metrics on;", "invalid number of arguments"},
      {"metrics; metrics;", "\"metrics\" directive is duplicate"},
      {"metrics; status_page;", "\"status_page\" cannot stand beside \"metrics\""},
      {"metrics; numberscope_api;", "cannot stand beside \"metrics\""},
      {"proxy_pass http://127.0.0.1:1; health;", "\"health\" cannot stand beside \"proxy_pass\""},
  };
  for (const auto& [written, said] : rows) {
    CAPTURE(written);
    Site site("server { listen 80; location / { " + std::string(written) + " } }");
    CAPTURE(site.load_error());
    CHECK(has(site.load_error(), said));
    CHECK(has(site.load_error(), ".conf:"));
  }
  CHECK(has(Site("server { listen 80; metrics; }").load_error(), "metrics"));
}
