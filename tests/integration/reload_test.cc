// HUP: a new configuration while requests run, or none when it is broken; USR1: logs after a
// rename.

#include <signal.h>

#include <atomic>
#include <thread>

#include "tests/integration/support/client.h"
#include "tests/integration/support/free_port.h"
#include "tests/integration/support/server_process.h"
#include "tests/integration/support/site_certificate.h"
#include "tests/integration/support/within.h"
#include "tests/support/catch.h"

namespace gatescope::integration {

namespace {

std::string answering_for_long(const FreePort& port, const std::string& text) {
  return "server { listen 127.0.0.1:" + port.text() + "; keepalive_requests 100000; return 200 " +
         text + "; }";
}

/// Asks without a pause, on one kept connection or on a new one each time, until told to end.
class PortAsker {
 public:
  PortAsker(std::uint16_t port, bool keep) : thread_([this, port, keep] { ask(port, keep); }) {}
  ~PortAsker() { finish(); }
  /// What went wrong; "" when every answer was 200.
  std::string finish() {
    over_ = true;
    if (thread_.joinable()) thread_.join();
    return trouble_;
  }
  int answers() const { return answers_; }

 private:
  void ask(std::uint16_t port, bool keep) {
    try {
      auto kept = Client::tcp(port);
      while (!over_) {
        const auto answer = keep ? kept.get("/") : get(port, "/");
        if (answer.status != 200) throw std::runtime_error(answer.head);
        ++answers_;
      }
    } catch (const std::exception& error) {
      trouble_ = error.what();
    }
  }

  std::atomic<bool> over_{false};
  std::atomic<int> answers_{0};
  std::string trouble_;  // read after join
  std::thread thread_;
};

}  // namespace

TEST_CASE("HUP under requests: none fails, and the new configuration answers", "[both]") {
  for (const auto account : accounts()) {
    CAPTURE(name_of(account));
    ServerProcess server(account);
    FreePort port;
    server.configure(answering_for_long(port, "0"));
    server.start();
    PortAsker kept(port.number(), true), fresh(port.number(), false);
    for (int i = 1; i <= 5; ++i) {
      server.configure(answering_for_long(port, std::to_string(i)));
      server.signal(SIGHUP);
      INFO(server.logs());
      REQUIRE(within(kPatience, [&] { return get(port.number(), "/").body == std::to_string(i); }));
    }
    CHECK(within(kPatience, [&] { return kept.answers() > 100 && fresh.answers() > 20; }));
    CHECK(kept.finish() == "");
    CHECK(fresh.finish() == "");
  }
}

TEST_CASE("HUP under kept TLS connections: they go on, and see the new configuration", "[both]") {
  for (const auto account : accounts()) {
    CAPTURE(name_of(account));
    ServerProcess server(account);
    FreePort port;
    make_certificate(server.dir().path("certs"), "scope.test");
    give_to(server.dir().path("certs"), account);
    const auto conf = [&](const std::string& text) {
      server.configure("server { listen 127.0.0.1:" + port.text() +
                       " ssl; ssl_certificate certs/scope.test.pem; ssl_certificate_key "
                       "certs/scope.test.key; return 200 " +
                       text + "; }");
    };
    const auto connect = [&] {
      return Client::tls(port.number(), server.dir().path("certs/ca.pem"), "scope.test");
    };
    conf("0");
    server.start();
    auto kept = connect();
    CHECK(kept.get("/").body == "0");
    auto unused = connect();  // shook hands under the old configuration, asks under the new one
    for (int i = 1; i <= 3; ++i) {
      conf(std::to_string(i));
      server.signal(SIGHUP);
      // On the kept connection alone: nothing but it holds what the old configuration built
      REQUIRE(within(kPatience, [&] { return kept.get("/").body == std::to_string(i); }));
    }
    CHECK(unused.get("/").body == "3");
  }
}

TEST_CASE("HUP opens and closes ports", "[both]") {
  for (const auto account : accounts()) {
    CAPTURE(name_of(account));
    ServerProcess server(account);
    FreePort first, second;
    server.configure(answering_for_long(first, "first"));
    server.start();
    CHECK_FALSE(can_connect(second.number()));

    server.configure(answering_for_long(first, "first") + answering_for_long(second, "second"));
    server.signal(SIGHUP);
    REQUIRE(within(kPatience, [&] { return can_connect(second.number()); }));
    CHECK(get(second.number(), "/").body == "second");

    server.configure(answering_for_long(second, "second"));
    server.signal(SIGHUP);
    CHECK(within(kPatience, [&] { return !can_connect(first.number()); }));
    CHECK(get(second.number(), "/").body == "second");
  }
}

TEST_CASE("a broken configuration leaves the running one in place, and the error log says why",
          "[both]") {
  for (const auto account : accounts()) {
    CAPTURE(name_of(account));
    ServerProcess server(account);
    FreePort port, taken;
    taken.listen();
    server.configure(answering_for_long(port, "good"));
    server.start();

    server.configure("server {\n listen 127.0.0.1:" + port.text() + ";\n retrun 200 bad;\n}");
    server.signal(SIGHUP);
    CHECK(server.error_log_says(server.conf_path() + ":8:2"));
    CHECK(contains(server.error_log(), "\"retrun\""));
    CHECK(get(port.number(), "/").body == "good");

    server.configure(answering_for_long(port, "half") + answering_for_long(taken, "half"));
    server.signal(SIGHUP);
    CHECK(server.error_log_says("Address already in use"));
    CHECK(get(port.number(), "/").body == "good");

    server.configure(answering_for_long(port, "better"));
    server.signal(SIGHUP);
    CHECK(within(kPatience, [&] { return get(port.number(), "/").body == "better"; }));
  }
}

TEST_CASE("USR1 opens the logs again after a rename", "[both]") {
  for (const auto account : accounts()) {
    CAPTURE(name_of(account));
    ServerProcess server(account);
    FreePort port;
    server.configure(answering_for_long(port, "ok"));
    server.start();
    get(port.number(), "/before");
    REQUIRE(within(kPatience, [&] { return contains(server.access_log(), "/before"); }));
    for (const char* log : {"access.log", "error.log"})
      std::filesystem::rename(server.dir().path(std::string("logs/") + log),
                              server.dir().path(std::string("logs/old-") + log));
    get(port.number(), "/between");
    CHECK(within(kPatience,
                 [&] { return contains(server.dir().read("logs/old-access.log"), "/between"); }));

    server.signal(SIGUSR1);
    REQUIRE(within(kPatience, [&] {
      return server.dir().has("logs/access.log") && server.dir().has("logs/error.log");
    }));
    // The file may be there a moment before the server writes to it
    CHECK(within(kPatience, [&] {
      get(port.number(), "/after");
      return contains(server.access_log(), "/after");
    }));
    CHECK_FALSE(contains(server.access_log(), "/before"));
  }
}

}  // namespace gatescope::integration
