// worker_processes, and what a reload does to loops, sockets and connections.

#include <algorithm>

#include "tests/support/catch.h"
#include "tests/unit/server/site_fixture.h"

using namespace gatescope;
using namespace gatescope::test;

namespace {

constexpr const char* kGet = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

std::string answering(const std::string& text, const std::string& listen = "80") {
  return "server { listen " + listen + "; return 200 " + text + "; location /dir/ { root html; } }";
}

/// Of `n` connections, which the world's dice give to the loops.
int answers_with(Site& site, const std::string& body, int n = 40) {
  int good = 0;
  for (int i = 0; i < n; ++i)
    good += body_of_answer(site.get("/")) == body ? 1 : 0;
  return good;
}

}  // namespace

TEST_CASE("every loop serves, and a reload reaches all of them") {
  Site site(answering("0"), "worker_processes 3;");
  REQUIRE(site.load_error() == "");
  CHECK(site.more_loops().made == 2);
  CHECK(answers_with(site, "0") == 40);
  for (const char* text : {"1", "2"}) {
    CHECK(!site.reload(answering(text)));
    CHECK(answers_with(site, text) == 40);
  }
}

TEST_CASE("a reload may change the number of loops, up and down and up again") {
  Site site(answering("0"), "worker_processes 1;");
  REQUIRE(site.load_error() == "");
  struct Case {
    const char *main, *text;
    unsigned made;
  };
  for (const auto& c : {Case{"worker_processes 3;", "1", 2}, Case{"worker_processes 1;", "2", 2},
                        Case{"worker_processes 2;", "3", 2}, Case{"worker_processes 4;", "4", 3}}) {
    CAPTURE(c.main);
    CHECK(!site.reload(answering(c.text), c.main));
    CHECK(answers_with(site, c.text) == 40);
    CHECK(site.more_loops().made == c.made);
  }
}

TEST_CASE("only what is new or different is bound, what is gone is let go") {
  Site site(answering("0", "127.0.0.1:80") + answering("0", "127.0.0.1:81"), "worker_processes 2;");
  REQUIRE(site.load_error() == "");
  auto& sockets = site.sockets();
  using Names = std::vector<std::string>;
  CHECK(sockets.asked == Names{"127.0.0.1:80", "127.0.0.1:81"});
  sockets.asked.clear();
  CHECK(!site.reload(answering("1", "127.0.0.1:80") + answering("1", "127.0.0.1:82 reuseport")));
  CHECK(sockets.asked == Names{"127.0.0.1:82", "127.0.0.1:82#1"});
  CHECK(sockets.retained == Names{"127.0.0.1:80", "127.0.0.1:82", "127.0.0.1:82#1"});
  CHECK(site.ask(kGet, 81).starts_with("connect failed"));
  CHECK(body_of_answer(site.get("/")) == "1");
  sockets.asked.clear();
  CHECK(!site.reload(answering("2", "127.0.0.1:80 backlog=7")));
  CHECK(sockets.asked == Names{"127.0.0.1:80"});
  CHECK(sockets.retained == Names{"127.0.0.1:80"});
}

TEST_CASE("an address that cannot be had fails the whole reload, and nothing is left of it") {
  Site site(answering("0", "127.0.0.1:80"), "worker_processes 2;");
  REQUIRE(site.load_error() == "");
  site.sockets().taken = net::Endpoint::ip("127.0.0.1", 82).value();
  const auto error = site.reload(answering("1", "127.0.0.1:80") + answering("1", "127.0.0.1:81") +
                                 answering("1", "127.0.0.1:82"));
  REQUIRE(error);
  CHECK(error->detail.find("127.0.0.1:82") != std::string::npos);
  CHECK(site.sockets().retained == std::vector<std::string>{"127.0.0.1:80"});
  CHECK(site.ask(kGet, 81).starts_with("connect failed"));
  CHECK(answers_with(site, "0", 10) == 10);
}

TEST_CASE("reloads in quick succession are done once more, with what the file says then") {
  Site site(answering("0"), "worker_processes 2;");
  REQUIRE(site.load_error() == "");
  for (int i = 0; i < 20; ++i)
    site.server().reload();
  CHECK(!site.reload(answering("1")));
  site.run_for(Duration(1000));
  CHECK(answers_with(site, "1", 10) == 10);
  CHECK(site.server().generation().number <= 4);
}

TEST_CASE("a kept connection follows a reload while it is idle") {
  Site site(answering("0"), "worker_processes 2; worker_shutdown_timeout 1s;");
  REQUIRE(site.load_error() == "");
  const auto client = site.connect();
  client->send(kGet);
  CHECK(client->answer("\r\n\r\n0").ends_with("0"));
  for (const char* text : {"1", "2", "3"}) {
    CHECK(!site.reload(answering(text)));
    site.run_for(Duration(5000));  // beyond the timeout: it is not of the old configuration
    REQUIRE(!client->ended());
    client->send(kGet);
    CHECK(client->answer(std::string("\r\n\r\n") + text).ends_with(text));
  }
}

TEST_CASE("worker_shutdown_timeout ends what is still of an older configuration") {
  const std::string slow =
      "server { listen 80; location / { return 200 x; } location /post { root html; "
      "client_max_body_size 1m; } }";
  SECTION("a client that has asked for nothing, and one in the middle of a head") {
    Site site(slow, "worker_shutdown_timeout 2s;");
    const auto silent = site.connect(), half = site.connect();
    half->send("GET / HTTP/1.1\r\nHost: loc");
    CHECK(!site.reload(slow));
    site.run_for(Duration(1000));
    CHECK_FALSE(silent->ended());
    CHECK_FALSE(half->ended());
    site.run_for(Duration(2000));
    CHECK(silent->ended());
    CHECK(half->ended());
  }
  SECTION("the time is that of the configuration which ended") {
    Site site(slow, "worker_shutdown_timeout 2s;");
    const auto silent = site.connect();
    CHECK(!site.reload(slow, "worker_shutdown_timeout 50s;"));
    const auto later = site.connect();
    CHECK(!site.reload(slow, ""));
    site.run_for(Duration(10'000));
    CHECK(silent->ended());
    CHECK_FALSE(later->ended());
  }
  SECTION("one that had no such time has it still when a later one's is over") {
    Site site(slow);
    const auto silent = site.connect();
    CHECK(!site.reload(slow, "worker_shutdown_timeout 2s;"));
    const auto later = site.connect();
    CHECK(!site.reload(slow, ""));
    site.run_for(Duration(10'000));
    CHECK_FALSE(silent->ended());
    CHECK(later->ended());
  }
  SECTION("without it everybody has time") {
    Site site(slow);
    const auto silent = site.connect();
    CHECK(!site.reload(slow));
    site.run_for(Duration(30'000));
    CHECK_FALSE(silent->ended());
    silent->send(kGet);
    CHECK(silent->answer("\r\n\r\nx").ends_with("x"));
  }
}

TEST_CASE("an idle connection whose address is not served any more is closed by the reload") {
  Site site(answering("0", "127.0.0.1:80") + answering("0", "127.0.0.1:81"));
  REQUIRE(site.load_error() == "");
  const auto client = site.connect(81);
  client->send(kGet);
  CHECK(client->answer("\r\n\r\n0").ends_with("0"));
  CHECK(!site.reload(answering("1", "127.0.0.1:80")));
  site.run_for(Duration(1000));
  CHECK(client->ended());
}

TEST_CASE("a graceful stop waits for every loop") {
  Site site(answering("0"), "worker_processes 3;");
  REQUIRE(site.load_error() == "");
  std::vector<std::unique_ptr<KeptClient>> clients;
  for (int i = 0; i < 12; ++i) {
    clients.push_back(site.connect());
    clients.back()->send("GET / HTTP/1.1\r\nHost: loc");  // busy
  }
  site.run_for(Duration(1000));
  site.finish();
  site.run_for(Duration(1000));
  CHECK_FALSE(site.stopped());
  for (auto& client : clients) {
    client->send("alhost\r\n\r\n");
    const auto answer = client->answer("\r\n\r\n0");
    CHECK(answer.ends_with("0"));
    CHECK(field_of_answer(answer, "Connection") == "close");
  }
  site.run_for(Duration(1000));
  CHECK(site.stopped());
}

TEST_CASE("a generation ends when nobody uses it, also while reloads go on and on") {
  Site site(answering("0"), "worker_processes 2;");
  REQUIRE(site.load_error() == "");
  const auto kept = site.connect(), silent = site.connect();
  kept->send(kGet);
  CHECK(kept->answer("\r\n\r\n0").ends_with("0"));
  std::vector<std::weak_ptr<const server::Generation>> generations;
  for (int i = 0; i < 40; ++i) {
    generations.push_back(site.server().shared_generation());
    CHECK(!site.reload(answering("1")));
    site.run_for(Duration(300));
  }
  const auto alive = std::count_if(generations.begin(), generations.end(),
                                   [](const auto& g) { return !g.expired(); });
  CHECK_FALSE(generations.front().expired());  // the silent client's
  CHECK(alive <= 12);
}
