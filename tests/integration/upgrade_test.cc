// USR2: another program takes over, with the sockets; and the ways back.

#include <signal.h>
#include <sys/stat.h>

#include "tests/integration/support/client.h"
#include "tests/integration/support/saying_site.h"
#include "tests/integration/support/site_asker.h"
#include "tests/integration/support/site_certificate.h"
#include "tests/integration/support/within.h"
#include "tests/support/catch.h"

namespace gatescope::integration {

namespace {

std::string worker_of_answer(const FreePort& port) {
  return get(port.number(), "/").body;
}

}  // namespace

TEST_CASE("upgrade: USR2, WINCH, QUIT under requests, and none fails", "[both]") {
  for (const auto account : accounts()) {
    CAPTURE(name_of(account));
    SayingSite site("$pid", account);
    auto& [server, upgraded, port] = site;
    const auto connect = [&] { return Client::tcp(port.number()); };
    SiteAsker kept(connect, true), fresh(connect, false);
    for (int i = 0; i < 3; ++i) {
      const auto served_before = worker_of_answer(port);
      upgraded.change();
      upgraded.end_old();
      CHECK(worker_of_answer(port) != served_before);
    }
    const int answers = kept.answers();
    CHECK(within(kPatience, [&] { return kept.answers() > answers + 10; }));
    INFO(server.logs());
    CHECK(kept.finish() == "");
    CHECK(fresh.finish() == "");
  }
}

TEST_CASE("upgrade: twenty times in a row over TLS under requests, and none fails", "[both]") {
  ServerProcess server;
  Upgraded upgraded(server);
  FreePort port;
  make_certificate(server.dir().path("certs"), "scope.test");
  server.configure("server { listen 127.0.0.1:" + port.text() +
                   " ssl; ssl_certificate certs/scope.test.pem; ssl_certificate_key "
                   "certs/scope.test.key; keepalive_requests 1000000; return 200 $pid; }");
  server.start();
  const auto connect = [&] {
    return Client::tls(port.number(), server.dir().path("certs/ca.pem"), "scope.test");
  };
  SiteAsker kept(connect, true), fresh(connect, false);
  for (int i = 0; i < 20; ++i) {
    upgraded.change();
    upgraded.end_old();
  }
  INFO(server.logs());
  CHECK(within(kPatience, [&] { return kept.answers() > 100; }));
  CHECK(kept.finish() == "");
  CHECK(fresh.finish() == "");
}

TEST_CASE("upgrade: the file at the program's place is started, and the configuration read anew",
          "[both]") {
  for (const auto account : accounts()) {
    CAPTURE(name_of(account));
    SayingSite site("one", account);
    auto& [server, upgraded, port] = site;
    site.configure("two");
    upgraded.put_program();
    const pid_t fresh = upgraded.change();
    upgraded.end_old();
    CHECK(get(port.number(), "/").body == "two");
    CHECK(upgraded.pid() == fresh);
  }
}

TEST_CASE("upgrade: a download that the old program has begun is finished by it", "[both]") {
  for (const auto account : accounts()) {
    CAPTURE(name_of(account));
    ServerProcess server(account);
    Upgraded upgraded(server, account);
    FreePort port;
    constexpr std::size_t kSize = 64u << 20;
    server.write("html/large", std::string(kSize, 'x'));
    server.configure("server { listen 127.0.0.1:" + port.text() + "; root html; }");
    server.start();
    auto client = Client::tcp(port.number());
    client.send("GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
    client.answer_head();
    client.take(1000);
    const pid_t old = server.pid();
    upgraded.change();
    ::kill(old, SIGWINCH);
    ::kill(old, SIGQUIT);
    CHECK(get(port.number(), "/nothing").status == 404);
    CHECK(client.rest() == std::string(kSize - 1000, 'x'));
    CHECK(server.wait() == 0);
  }
}

TEST_CASE("upgrade: HUP to the old one and QUIT to the new one go back, under requests", "[both]") {
  for (const auto account : accounts()) {
    CAPTURE(name_of(account));
    SayingSite site("one", account);
    auto& [server, upgraded, port] = site;
    const pid_t old = server.pid();
    const auto connect = [&] { return Client::tcp(port.number()); };
    SiteAsker kept(connect, true), fresh(connect, false);
    // What is back is what it was: what has been written since is another program's
    site.configure("two");
    upgraded.change();
    ::kill(old, SIGWINCH);
    // Sent at once, HUP would be handled first, as with nginx: the system orders signals by number.
    CHECK(server.error_log_says(": exit"));
    CHECK(get(port.number(), "/").body == "two");
    ::kill(old, SIGHUP);
    INFO(server.logs());
    CHECK(within(kPatience, [&] { return get(port.number(), "/").body == "one"; }));
    upgraded.end_new();
    CHECK(get(port.number(), "/").body == "one");
    CHECK(kept.finish() == "");
    CHECK(fresh.finish() == "");
    CHECK(upgraded.pid() == old);
    // And once more is possible
    upgraded.change();
    upgraded.end_old();
    CHECK(get(port.number(), "/").body == "two");
  }
}

TEST_CASE("upgrade: when the new one dies before or after WINCH the old one serves on by itself") {
  for (const auto account : accounts()) {
    CAPTURE(name_of(account));
    SayingSite site("$pid", account);
    auto& [server, upgraded, port] = site;
    const pid_t old = server.pid();
    for (const bool before : {true, false}) {
      CAPTURE(before);
      const pid_t fresh = upgraded.change();
      const auto died = "(process " + std::to_string(fresh) + ") was ended by signal 9; this one";
      if (before) {
        // Both signals wait for it, and the system delivers the child's end first.
        ::kill(old, SIGSTOP);
        ::kill(fresh, SIGKILL);
        CHECK(within(kPatience, [&] { return test::process_state(fresh).state == 'Z'; }));
        ::kill(old, SIGWINCH);
        ::kill(old, SIGCONT);
      } else {
        ::kill(old, SIGWINCH);
        ::kill(fresh, SIGKILL);
      }
      INFO(server.logs());
      CHECK(server.error_log_says(died));
      CHECK(within(kPatience, [&] { return upgraded.pid() == old && upgraded.old_pid() == -1; }));
      CHECK(get(port.number(), "/").status == 200);
    }
  }
}

TEST_CASE("upgrade: a program that cannot start changes nothing, and the error log says why") {
  for (const auto account : accounts()) {
    CAPTURE(name_of(account));
    SayingSite site("ok", account);
    auto& [server, upgraded, port] = site;
    const pid_t old = server.pid();
    const auto fails = [&](const std::string& why) {
      INFO(server.logs());
      server.signal(SIGUSR2);
      CHECK(server.error_log_says(why));
      CHECK(within(kPatience, [&] { return upgraded.pid() == old && upgraded.old_pid() == -1; }));
      CHECK(get(port.number(), "/").body == "ok");
    };
    upgraded.put_script("#!/bin/sh\nexit 3\n");
    fails("ended with status 3 before it served");
    upgraded.put_script("no program at all");
    fails("execve() \"" + server.dir().path("gatescope") + "\" failed (8: Exec format error)");
    ::chmod(server.dir().path("gatescope").c_str(), 0644);
    fails("execve() \"" + server.dir().path("gatescope") + "\" failed (13: Permission denied)");
    std::filesystem::remove(server.dir().path("gatescope"));
    fails("(2: No such file or directory)");
    upgraded.put_program();
    server.write("gatescope.conf", "nonsense;\n");
    fails("ended with status 1 before it served");
    CHECK(contains(server.error_log(), server.conf_path() + ":1:1"));
  }
}

TEST_CASE("upgrade: USR2 is refused while another one is under way, on both sides") {
  for (const auto account : accounts()) {
    CAPTURE(name_of(account));
    SayingSite site("ok", account);
    auto& [server, upgraded, port] = site;
    const pid_t fresh = upgraded.change();
    server.signal(SIGUSR2);
    INFO(server.logs());
    CHECK(server.error_log_says("signal USR2 is ignored: a new program runs already, process " +
                                std::to_string(fresh)));
    ::kill(fresh, SIGUSR2);
    CHECK(server.error_log_says("signal USR2 is ignored: process " + std::to_string(server.pid()) +
                                ", which this one replaces"));
    upgraded.end_old();
    CHECK(server.error_log_says("has ended, this one serves alone"));
  }
}

TEST_CASE("upgrade: a unix socket stays when the old one ends, and when the new one does") {
  for (const auto account : accounts()) {
    CAPTURE(name_of(account));
    ServerProcess server(account);
    Upgraded upgraded(server, account);
    const auto path = server.dir().path("site.sock");
    server.configure("server { listen unix:" + path + "; return 200 $pid; }");
    server.start();
    upgraded.change();
    upgraded.end_new();
    CHECK(Client::unix_socket(path).get("/").status == 200);
    upgraded.change();
    upgraded.end_old();
    CHECK(Client::unix_socket(path).get("/").status == 200);
  }
}

TEST_CASE("upgrade: a socket that the new configuration does not name is closed with the old one") {
  for (const auto account : accounts()) {
    CAPTURE(name_of(account));
    ServerProcess server(account);
    Upgraded upgraded(server, account);
    FreePort first, second;
    server.configure(SayingSite::block(first, "a") + SayingSite::block(second, "a"));
    server.start();
    server.configure(SayingSite::block(second, "b"));
    upgraded.change();
    CHECK(can_connect(first.number()));
    upgraded.end_old();
    CHECK_FALSE(can_connect(first.number()));
    CHECK(get(second.number(), "/").body == "b");
  }
}

TEST_CASE("upgrade: the embedded database runs on, and questions to it are answered all the time") {
  for (const auto account : accounts()) {
    CAPTURE(name_of(account));
    ServerProcess server(account);
    Upgraded upgraded(server, account);
    FreePort port;
    server.write("oeisdata/seq/A000/A000045.seq",
                 "%I A000045\n%S A000045 0,1,1,2,3,5,8\n%N A000045 Fibonacci.\n%O A000045 0,4\n");
    server.configure(
        "server { listen 127.0.0.1:" + port.text() +
            "; keepalive_requests 1000000; location = / { rewrite ^ "
            "/api/get_oeis_values/A000045/0 last; } location /api/ { numberscope_api; } }",
        "state_dir state; numberscope { oeis off; oeisdata oeisdata; }");
    server.start();
    REQUIRE(within(2 * kPatience, [&] { return get(port.number(), "/").status == 200; }));
    const auto postmaster = [&] {
      const auto text = server.dir().read("state/postgres/data/postmaster.pid");
      return text.substr(0, text.find('\n'));
    };
    const auto database = postmaster();
    REQUIRE(database != "");
    SiteAsker kept([&] { return Client::tcp(port.number()); }, true);
    for (int i = 0; i < 2; ++i) {
      upgraded.change();
      upgraded.end_old();
      // It is this one's to stop now
      const auto taken = "embedded PostgreSQL: process " + database +
                         " of a gatescope that ended is this one's now";
      REQUIRE(within(kPatience, [&] {
        return count(server.error_log(), taken) > static_cast<std::size_t>(i);
      }));
    }
    upgraded.change();
    upgraded.end_new();
    CHECK(get(port.number(), "/").status == 200);
    INFO(server.logs());
    CHECK(kept.finish() == "");
    CHECK(postmaster() == database);
    ::kill(upgraded.pid(), SIGTERM);
    CHECK(within(kPatience, [&] { return !alive(std::stoi(database)); }));
  }
}

TEST_CASE("upgrade: WINCH and HUP without a new program rest and begin again") {
  for (const auto account : accounts()) {
    CAPTURE(name_of(account));
    SayingSite site("one", account);
    auto& [server, upgraded, port] = site;
    server.signal(SIGWINCH);
    INFO(server.logs());
    CHECK(server.error_log_says("exit"));
    site.configure("two");
    server.signal(SIGHUP);
    CHECK(get(port.number(), "/").body == "two");  // waits in the socket until somebody serves
    server.signal(SIGWINCH);
    server.signal(SIGQUIT);
    CHECK(server.wait() == 0);
  }
}

}  // namespace gatescope::integration
