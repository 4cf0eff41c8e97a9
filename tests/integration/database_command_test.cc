// `gatescope db`: beside a server and alone, as root and as an ordinary user.

#include <signal.h>

#include <thread>

#include "tests/integration/support/client.h"
#include "tests/integration/support/free_port.h"
#include "tests/integration/support/server_process.h"
#include "tests/integration/support/within.h"
#include "tests/support/catch.h"

namespace gatescope::integration {

namespace {

void configure(ServerProcess& server, const FreePort& port, const std::string& more = {}) {
  server.configure(
      "server { listen 127.0.0.1:" + port.text() + "; location /api/ { numberscope_api; } }",
      "state_dir state; numberscope { oeis off; oeisdata oeisdata; " + more + " }");
  server.write("oeisdata/seq/A000/A000040.seq",
               "%I A000040\n%S A000040 2,3,5\n%N A000040 The prime numbers.\n%O A000040 1,1\n");
}

std::string rows(const Outcome& outcome, const std::string& table) {
  const auto at = outcome.out.find("\n" + table + " ");
  if (at == std::string::npos) return "?";
  const auto begin = outcome.out.find_first_not_of(' ', at + 1 + table.size());
  return outcome.out.substr(begin, outcome.out.find(' ', begin) - begin);
}

}  // namespace

TEST_CASE("db init, status, clear and reset beside a running server, and after it") {
  for (const auto account : accounts()) {
    CAPTURE(name_of(account));
    ServerProcess server(account);
    FreePort port;
    configure(server, port);
    server.start();
    Answer answer;
    CHECK(within(2 * kPatience, [&] {
      answer = get(port.number(), "/api/get_oeis_values/A000040/0");
      return answer.status == 200;
    }));
    auto status = server.run({"db", "status"});
    CHECK(status.err == "");
    CHECK(status.status == 0);
    CHECK(contains(status.out, "embedded PostgreSQL in " + server.dir().path("state")));
    CHECK(contains(status.out, "up to date"));
    CHECK(rows(status, "gatescope.entry") == "1");
    CHECK(server.run({"db", "init"}).status == 0);
    CHECK(rows(server.run({"db", "clear"}), "gatescope.entry") == "0");
    CHECK(server.run({"db", "reset"}).status == 0);
    CHECK(get(port.number(), "/api/get_oeis_values/A000040/0").body == answer.body);
    server.signal(SIGTERM);
    CHECK(server.wait() == 0);

    status = server.run({"db", "status"});
    CHECK(status.err == "");
    CHECK(status.status == 0);
    CHECK(contains(status.out, "connections   0 of gatescope"));
  }
}

TEST_CASE("db clear in production asks, and does nothing without an answer") {
  ServerProcess server;
  FreePort port;
  server.write(".env", "APP_ENVIRONMENT=production\n");
  configure(server, port, "env_file .env;");
  CHECK(server.run({"db", "init"}).status == 0);
  for (const char* command : {"clear", "reset"}) {
    const auto refused = server.run({"db", command});
    CHECK(refused.status == 1);
    CHECK(contains(refused.err, std::string(command) + " embedded PostgreSQL"));
    CHECK(contains(refused.err, "nothing done: say --yes"));
    CHECK(server.run({"db", command, "--yes"}).status == 0);
  }
}

TEST_CASE("several gatescopes make one database at the same time") {
  ServerProcess server;
  FreePort port;
  configure(server, port);
  std::vector<std::thread> threads;
  std::vector<Outcome> outcomes(3);
  for (auto& outcome : outcomes)
    threads.emplace_back([&] { outcome = server.run({"db", "init"}); });
  for (auto& thread : threads)
    thread.join();
  for (const auto& outcome : outcomes) {
    CHECK(outcome.err == "");
    CHECK(outcome.status == 0);
  }
}

TEST_CASE("db commands say what is wrong with the configuration or the database") {
  ServerProcess server;
  server.configure("");
  auto outcome = server.run({"db", "status"});
  CHECK(outcome.status == 1);
  CHECK(contains(outcome.err, "no block \"numberscope { }\""));
  server.configure("", "numberscope { database host=/nonexistent dbname=x; }");
  outcome = server.run({"db", "status"});
  CHECK(outcome.status == 1);
  CHECK(contains(outcome.err, "/nonexistent"));
  CHECK(server.run({"db"}).status == 1);
  CHECK(contains(server.run({"db", "drop"}).err, "no command \"gatescope db drop\", there are: "));
}

}  // namespace gatescope::integration
