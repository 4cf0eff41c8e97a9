// Several event loops, many reloads and the death of the worker, under clients that ask without a
// pause: a short run of what tests/bench measures at length.

#include <signal.h>

#include <atomic>
#include <functional>
#include <iostream>
#include <optional>
#include <thread>

#include "tests/integration/support/client.h"
#include "tests/integration/support/free_port.h"
#include "tests/integration/support/server_process.h"
#include "tests/integration/support/site_certificate.h"
#include "tests/integration/support/within.h"
#include "tests/support/catch.h"

namespace gatescope::integration {

namespace {

std::string loops(int number) {
  return "worker_processes " + std::to_string(number) + ";";
}

/// A client that asks without a pause, on one connection or a new one each time. `bears_cuts`: it
/// goes on when an answer does not come, and counts.
class Asker {
 public:
  using Connect = std::function<Client()>;
  Asker(Connect connect, bool keep, bool bears_cuts = false)
      : thread_([=, this] { ask(connect, keep, bears_cuts); }) {}
  ~Asker() { finish(); }
  /// What went wrong first; "" when nothing did.
  std::string finish() {
    over_ = true;
    if (thread_.joinable()) thread_.join();
    return trouble_;
  }
  int answers() const { return answers_; }
  int cuts() const { return cuts_; }

 private:
  void ask(const Connect& connect, bool keep, bool bears_cuts) {
    std::optional<Client> kept;
    while (!over_) {
      try {
        if (!kept || !keep) kept.emplace(connect());
        const auto answer = kept->get("/");
        if (answer.status != 200) throw std::runtime_error(answer.head);
        ++answers_;
      } catch (const std::exception& error) {
        kept.reset();
        ++cuts_;
        if (bears_cuts) continue;
        trouble_ = error.what();
        return;
      }
    }
  }

  std::atomic<bool> over_{false};
  std::atomic<int> answers_{0}, cuts_{0};
  std::string trouble_;  // read after join
  std::thread thread_;
};

}  // namespace

TEST_CASE("fifty reloads under load, with other certificates and broken files: no request fails",
          "[both]") {
  for (const auto account : accounts())
    for (const int number : {1, 2}) {
      CAPTURE(name_of(account), number);
      ServerProcess server(account);
      FreePort plain, tls;
      for (const char* folder : {"certs", "other"}) {
        make_certificate(server.dir().path(folder), "scope.test");
        give_to(server.dir().path(folder), account);
      }
      const auto conf = [&](int i, const char* folder, const char* more) {
        const std::string answer =
            "; return 200 " + std::to_string(i) + "; keepalive_requests 1000000; }";
        server.configure("server { listen 127.0.0.1:" + plain.text() + answer +
                             "server { listen 127.0.0.1:" + tls.text() + " ssl; ssl_certificate " +
                             folder + "/scope.test.pem; ssl_certificate_key " + folder +
                             "/scope.test.key" + answer + more,
                         loops(number));
      };
      conf(0, "certs", "");
      server.start();
      const auto over_tls = [&] {
        return Client::tls(tls.number(), server.dir().path("certs/ca.pem"), "scope.test");
      };
      const auto in_clear = [&] { return Client::tcp(plain.number()); };
      // Each folder has an authority of its own: with the other certificate only kept connections
      // go on
      Asker kept(in_clear, true), fresh(in_clear, false), kept_tls(over_tls, true);
      REQUIRE(within(kPatience, [&] { return kept_tls.answers() > 0; }));
      for (int i = 1; i <= 50; ++i) {
        const bool broken = i % 10 == 3;
        conf(i, i % 10 >= 7 ? "other" : "certs", broken ? "server { retrun 200; }" : "");
        const auto before = server.error_log().size();
        server.signal(SIGHUP);
        INFO(server.logs());
        REQUIRE(within(kPatience, [&] {
          return server.error_log().find(broken ? "goes on" : " serves", before) !=
                 std::string::npos;
        }));
      }
      CHECK(get(plain.number(), "/").body == "50");
      CHECK(within(kPatience, [&] { return kept.answers() > 100 && kept_tls.answers() > 100; }));
      CHECK(kept.finish() == "");
      CHECK(fresh.finish() == "");
      CHECK(kept_tls.finish() == "");
    }
}

TEST_CASE("keeper: a killed worker is replaced, clients wait, only what it held is cut", "[both]") {
  if (skipped_without_root()) return;
  for (const int number : {1, 2}) {
    CAPTURE(number);
    ServerProcess server(Account::Own);
    FreePort port;
    server.configure("server { listen 127.0.0.1:" + port.text() + "; return 200 ok; }",
                     loops(number));
    server.start();
    Asker fresh([&] { return Client::tcp(port.number()); }, false, true);
    REQUIRE(within(kPatience, [&] { return fresh.answers() > 10; }));
    for (int i = 0; i < 3; ++i) {
      const pid_t killed = server.worker();
      const int before = fresh.answers();
      ::kill(killed, SIGKILL);
      REQUIRE(within(kPatience, [&] { return fresh.answers() > before + 10; }));
      CHECK(within(kPatience, [&] { return server.worker() > 0 && server.worker() != killed; }));
    }
    fresh.finish();
    CHECK(fresh.cuts() <= 6);  // one that was being answered at each kill, at most two
  }
}

TEST_CASE("keeper: a worker killed while its configuration is broken serves the one before",
          "[both]") {
  if (skipped_without_root()) return;
  ServerProcess server(Account::Own);
  FreePort port;
  const auto site = [&](const char* text) {
    return "server { listen 127.0.0.1:" + port.text() + "; return 200 " + text + "; }";
  };
  server.configure(site("first"));
  server.start();
  server.configure(site("second"));
  server.signal(SIGHUP);
  REQUIRE(server.error_log_says("configuration 2 serves"));
  REQUIRE(get(port.number(), "/").body == "second");
  server.configure("server { retrun 200; }");
  const pid_t killed = server.worker();
  ::kill(killed, SIGKILL);
  REQUIRE(within(kPatience, [&] {
    try {
      return server.worker() != killed && get(port.number(), "/").body == "second";
    } catch (const std::exception&) {
      return false;
    }
  }));
  CHECK(server.error_log_says("serving the configuration as it was before"));
  CHECK(server.error_log_says("exited on signal 9, starting it again"));
  server.configure(site("third"));
  server.signal(SIGHUP);
  CHECK(within(kPatience, [&] { return get(port.number(), "/").body == "third"; }));
}

TEST_CASE("a certificate bundle larger than a packet between worker and keeper is served",
          "[both]") {
  for (const auto account : accounts()) {
    CAPTURE(name_of(account));
    ServerProcess server(account);
    FreePort port;
    make_certificate(server.dir().path("certs"), "scope.test");
    const auto pem = server.dir().read("certs/scope.test.pem");
    server.write("certs/scope.test.pem", pem + "\n" + std::string(300'000, '#') + "\n", 0600);
    give_to(server.dir().path("certs"), account);
    server.configure("server { listen 127.0.0.1:" + port.text() +
                     " ssl; ssl_certificate certs/scope.test.pem; ssl_certificate_key "
                     "certs/scope.test.key; return 200 ok; }");
    server.start();
    CHECK(
        Client::tls(port.number(), server.dir().path("certs/ca.pem"), "scope.test").get("/").body ==
        "ok");
  }
}

}  // namespace gatescope::integration
