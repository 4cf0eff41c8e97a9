// What an intruder into the worker would find: nothing of root's powers.

#include <signal.h>
#include <sys/stat.h>

#include "tests/integration/support/client.h"
#include "tests/integration/support/free_port.h"
#include "tests/integration/support/server_process.h"
#include "tests/integration/support/within.h"
#include "tests/support/catch.h"

namespace gatescope::integration {

namespace {

/// A field of /proc/PID/status.
std::string proc_field(pid_t pid, const std::string& name) {
  const std::string status = read_file("/proc/" + std::to_string(pid) + "/status");
  const auto at = status.find("\n" + name + ":\t");
  if (at == std::string::npos) return "";
  const auto begin = at + name.size() + 3;
  return status.substr(begin, status.find('\n', begin) - begin);
}

std::string one_site(const FreePort& port) {
  return "server { listen 127.0.0.1:" + port.text() + "; return 200 ok; }";
}

}  // namespace

TEST_CASE("the worker of a server that root started has no capability and can get none",
          "[release]") {
  if (skipped_without_root()) return;
  ServerProcess server;
  FreePort port;
  server.configure(one_site(port));
  server.start();
  const auto worker = server.worker();
  REQUIRE(worker > 0);
  for (const char* set : {"CapInh", "CapPrm", "CapEff", "CapAmb"}) {
    CAPTURE(set);
    CHECK(proc_field(worker, set) == "0000000000000000");
  }
  CHECK(proc_field(worker, "NoNewPrivs") == "1");
  CHECK(server.error_log_says("the worker runs as user \""));
  CHECK(contains(server.error_log(), "\": no capabilities, no new privileges"));
  // One that is started again is no other.
  ::kill(worker, SIGKILL);
  REQUIRE(within(kPatience, [&] { return server.worker() > 0 && server.worker() != worker; }));
  REQUIRE(within(kPatience, [&] { return get(port.number(), "/").body == "ok"; }));
  CHECK(proc_field(server.worker(), "CapEff") == "0000000000000000");
  CHECK(proc_field(server.worker(), "NoNewPrivs") == "1");
}

TEST_CASE("a server that nobody guards gets no new privileges either") {
  ServerProcess server(Account::Nobody);
  FreePort port;
  server.configure(one_site(port));
  server.start();
  CHECK(proc_field(server.worker(), "NoNewPrivs") == "1");
  CHECK(server.error_log_says("no capabilities, no new privileges"));
}

TEST_CASE("who makes root the worker's user is warned") {
  if (skipped_without_root()) return;
  ServerProcess server;
  FreePort port;
  server.configure(one_site(port), "user root;");
  server.start();
  CHECK(proc_field(server.worker(), "NoNewPrivs") == "1");
  CHECK(server.error_log_says("; name a \"user\" that is not root"));
  CHECK(contains(server.error_log(), "[warn]"));
}

}  // namespace gatescope::integration
