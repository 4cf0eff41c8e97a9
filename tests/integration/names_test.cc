// Names that change while requests run, a start with a name that nobody knows, and servers that
// are checked.

#include <atomic>
#include <csignal>
#include <thread>

#include "tests/integration/support/backend.h"
#include "tests/integration/support/client.h"
#include "tests/integration/support/free_port.h"
#include "tests/integration/support/server_process.h"
#include "tests/integration/support/within.h"
#include "tests/support/catch.h"
#include "tests/support/dns_server.h"

namespace gatescope::integration {

namespace {

using test::DnsServer;

/// A front, and behind it servers on one port of 127.0.0.2, .3 and .4 that say which they are.
struct Site {
  ServerProcess server;
  FreePort front, behind;
  DnsServer dns;

  void configure(const std::string& group, const std::string& locations,
                 const std::string& main = "worker_processes 2;") {
    std::string text = "resolver " + dns.address() +
                       " valid=1s ipv6=off; resolver_timeout 1s;\nkeepalive_requests 100000000;\n" +
                       group + "\nserver { listen 127.0.0.1:" + front.text() + ";\n" + locations +
                       "}\n";
    for (const char* host : {"2", "3", "4"})
      text += std::string("server { listen 127.0.0.") + host + ":" + behind.text() +
              "; return 200 " + host + "; }\n";
    server.configure(text, main);
  }
  std::string ask(const std::string& path = "/") {
    const auto answer = get(front.number(), path);
    return answer.status == 200 ? answer.body : std::to_string(answer.status);
  }
};

}  // namespace

TEST_CASE("a name whose addresses change while requests run loses none of them", "[both]") {
  Site site;
  site.dns.set("app.test", {"127.0.0.2"});
  site.configure("upstream u { server app.test:" + site.behind.text() + " resolve; }",
                 "location / { proxy_pass http://u; }");
  site.server.start();
  REQUIRE(within(kPatience, [&] { return site.ask() == "2"; }));
  std::atomic<bool> stop = false;
  std::atomic<int> asked = 0, lost = 0;
  std::vector<std::thread> clients;
  for (int i = 0; i < 2; ++i)
    clients.emplace_back([&] {
      try {
        auto client = Client::tcp(site.front.number());
        while (!stop) {
          ++asked;
          if (client.get("/").status != 200) ++lost;
        }
      } catch (const std::exception&) {
        ++lost;
      }
    });
  site.dns.set("app.test", {"127.0.0.3"});
  CHECK(within(kPatience, [&] { return site.ask() == "3"; }));
  site.dns.set("app.test", {"127.0.0.3", "127.0.0.4"});
  CHECK(within(kPatience, [&] { return site.ask() == "4"; }));
  site.dns.fail("app.test", DnsServer::kServerFailure);
  CHECK(site.server.error_log_says("app.test could not be resolved (2: Server failure)"));
  CHECK(site.ask() != "502");
  site.server.signal(SIGHUP);  // what is known of the name is known afterwards
  CHECK(site.server.error_log_says("reconfiguring"));
  CHECK(site.ask() != "502");
  stop = true;
  for (auto& client : clients)
    client.join();
  CHECK(asked > 10);
  CHECK(lost == 0);
}

TEST_CASE("a start with a name that nobody knows: 502 until somebody does", "[both]") {
  Site site;
  site.configure("upstream u { server none.test:" + site.behind.text() +
                     " resolve; } upstream both { server none.test:" + site.behind.text() +
                     " resolve; server 127.0.0.4:" + site.behind.text() + "; }",
                 "location / { proxy_pass http://u; } location /both { proxy_pass http://both; } "
                 "location /named/ { proxy_pass http://$arg_host:" +
                     site.behind.text() + "; }");
  site.server.start();
  CHECK(site.ask() == "502");
  CHECK(site.ask("/both") == "4");
  CHECK(site.server.error_log_says("none.test could not be resolved (3: Host not found)"));
  CHECK(site.ask("/named/?host=none.test") == "502");
  site.dns.set("none.test", {"127.0.0.2"});
  CHECK(site.ask("/named/?host=none.test") == "2");
  CHECK(within(kPatience, [&] { return site.ask() == "2"; }));

  ServerProcess plain;
  plain.configure("upstream u { server none.invalid; } server { listen 127.0.0.1:" +
                  site.front.text() + "; location / { proxy_pass http://u; } }");
  CHECK(plain.start_in_vain() == 1);
  CHECK(plain.logs().find("host not found in upstream \"none.invalid\"") != std::string::npos);
}

TEST_CASE("services: where the records lead", "[both]") {
  Site site;
  site.dns.set_service("_http._tcp.app.test",
                       {{1, 1, site.behind.number(), "a.test"}, {2, 1, 1, "b.test"}});
  site.dns.set("a.test", {"127.0.0.2"});
  site.dns.set("b.test", {"127.0.0.3"});
  site.configure("upstream u { server app.test resolve service=http; }",
                 "location / { proxy_pass http://u; }");
  site.server.start();
  CHECK(within(kPatience, [&] { return site.ask() == "2"; }));
}

TEST_CASE("a backend that goes bad gets no requests until it is good again, over a reload too",
          "[both]") {
  Site site;
  const auto socket = site.server.dir().path("app.sock");
  std::atomic<bool> good = true;
  Backend backend(socket, [&](const std::string& head) {
    const bool check = head.starts_with("GET /health ");
    return Backend::Reply{"", check ? (good ? "all good" : "not so well") : "app"};
  });
  give_to(socket, Account::Nobody);
  site.configure("upstream u { server unix:" + socket + "; server 127.0.0.2:" + site.behind.text() +
                     " backup; }\n"
                     "match well { status 200; body ~ good; }",
                 "location / { proxy_pass http://u; } location /checked { proxy_pass http://u; "
                 "health_check uri=/health interval=50ms match=well; }");
  // The server behind answers its check in the same words.
  site.server.start();
  REQUIRE(within(kPatience, [&] { return site.ask() == "app"; }));
  good = false;
  // The backup says "2" to its check, which is not good either.
  for (const auto& peer : {"unix:" + socket, "127.0.0.2:" + site.behind.text()})
    CHECK(
        site.server.error_log_says("peer is unhealthy while checking response body, health check "
                                   "\"/health\" of peer " +
                                   peer));
  CHECK(site.ask() == "502");
  site.server.signal(SIGHUP);
  CHECK(within(kPatience,
               [&] { return site.server.error_log().find("reconfiguring") != std::string::npos; }));
  for (int i = 0; i < 20; ++i)
    CHECK(site.ask() == "502");
  good = true;
  CHECK(within(kPatience, [&] { return site.ask() == "app"; }));
}

TEST_CASE("the PROXY protocol out, read by the server behind", "[both]") {
  ServerProcess server;
  FreePort front, behind;
  server.configure(
      "server { listen 127.0.0.1:" + front.text() +
      "; location /v1 { proxy_pass http://127.0.0.1:" + behind.text() +
      "; proxy_send_proxy_protocol v1; } location /v2 { proxy_pass http://127.0.0.1:" +
      behind.text() +
      "; proxy_send_proxy_protocol v2; } }\nserver { listen 127.0.0.1:" + behind.text() +
      " proxy_protocol; return 200 $proxy_protocol_server_addr:"
      "$proxy_protocol_server_port; }");
  server.start();
  CHECK(get(front.number(), "/v1").body == "127.0.0.1:" + front.text());
  CHECK(get(front.number(), "/v2").body == "127.0.0.1:" + front.text());
}

}  // namespace gatescope::integration
