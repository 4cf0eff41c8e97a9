// gatescope killed in the middle of everything: a fetch, a factorisation, stores, requests.

#include <signal.h>

#include <filesystem>
#include <map>

#include "tests/integration/support/client.h"
#include "tests/integration/support/free_port.h"
#include "tests/integration/support/server_process.h"
#include "tests/integration/support/within.h"
#include "tests/support/catch.h"

namespace gatescope::integration {

namespace {

// RSA-100: more work than the test lasts.
constexpr const char* kHard =
    "15226050279225333605356183781326374297180681149613806886579084945801229632589528976540003506"
    "92006139";

std::string id_of(unsigned number) {
  const auto digits = std::to_string(number);
  return "A" + std::string(6 - digits.size(), '0') + digits;
}

std::string values_of(unsigned number) {
  return "/api/get_oeis_values/" + id_of(number) + "/0";
}

void write_entry(ServerProcess& server, unsigned number, const std::string& terms) {
  const auto id = id_of(number);
  server.write("oeisdata/seq/A000/" + id + ".seq",
               "%I " + id + "\n%S " + id + " " + terms + "\n%N " + id + " Number " +
                   std::to_string(number) + ".\n%O " + id + " 1,1\n");
}

/// While a database starts, who asks is told to come again; nothing else is wrong, ever.
Answer get_at_last(std::uint16_t port, const std::string& path) {
  Answer answer;
  within(2 * kPatience, [&] {
    answer = get(port, path);
    if (answer.status == 503) CHECK(answer.field("Retry-After") != "");
    return answer.status != 503;
  });
  return answer;
}

bool stored(ServerProcess& server, unsigned entries) {
  const auto out = server.run({"db", "status"}).out;
  const auto line = out.substr(std::min(out.find("\ngatescope.entry "), out.size()));
  return line.substr(0, line.find('\n', 1)).find(" " + std::to_string(entries)) !=
         std::string::npos;
}

/// The processes below it, all the way down.
std::vector<pid_t> family_of(pid_t pid) {
  std::vector<pid_t> all{pid};
  for (std::size_t i = 0; i < all.size(); ++i)
    for (const pid_t child : children_of(all[i]))
      all.push_back(child);
  return all;
}

std::string program_of(pid_t pid) {
  std::error_code gone;
  return std::filesystem::read_symlink("/proc/" + std::to_string(pid) + "/exe", gone).filename();
}

}  // namespace

TEST_CASE("killed in the middle of everything, it starts again: nothing is lost, nothing stuck") {
  constexpr unsigned kStored = 20, kLater = 40;
  for (const auto account : accounts()) {
    CAPTURE(name_of(account));
    ServerProcess server(account);
    FreePort port;
    server.configure(
        "server { listen 127.0.0.1:" + port.text() + "; location /api/ { numberscope_api; } }",
        "state_dir state; numberscope { oeis off; oeisdata oeisdata; factor_workers 1; }");
    for (unsigned n = 1; n <= kLater; ++n)
      write_entry(server, n, std::to_string(n) + ",2," + kHard);
    server.start();
    std::map<unsigned, std::string> answered;
    for (unsigned n = 1; n <= kStored; ++n) {
      const auto answer = get_at_last(port.number(), values_of(n));
      REQUIRE(answer.status == 200);
      answered[n] = answer.body;
    }
    REQUIRE(within(2 * kPatience, [&] { return stored(server, kStored); }));

    std::vector<Client> asking;
    const auto ask = [&](const std::string& path) {
      asking.push_back(Client::tcp(port.number()));
      asking.back().send("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    };
    ask("/api/get_oeis_factors/" + id_of(1) + "/3");
    const auto factoring = [&] {
      for (const pid_t pid : family_of(server.pid()))
        if (program_of(pid) == "gatescope-factor") return pid;
      return -1;
    };
    REQUIRE(within(kPatience, [&] { return factoring() > 0; }));
    const pid_t factor_worker = factoring();
    for (unsigned n = kStored + 1; n <= kLater; ++n)
      ask(values_of(n));
    server.kill_all();
    CHECK(within(kPatience, [&] { return !alive(factor_worker); }));

    // Without the files only what was stored is known.
    std::filesystem::rename(server.dir().path("oeisdata"), server.dir().path("elsewhere"));
    server.start();
    for (const auto& [n, body] : answered) {
      const auto answer = get_at_last(port.number(), values_of(n));
      CHECK(answer.status == 200);
      CHECK(answer.body == body);
    }
    std::filesystem::rename(server.dir().path("elsewhere"), server.dir().path("oeisdata"));
    for (unsigned n = kStored + 1; n <= kLater; ++n) {
      const auto answer = get_at_last(port.number(), values_of(n));
      CHECK(answer.status == 200);
      CHECK(answer.body.find("\"2\":\"2\"") != std::string::npos);
    }
    // What the dead one had claimed is free after some seconds; until then what is known is answered.
    CHECK(within(2 * kPatience, [&] {
      const auto factors = get_at_last(port.number(), "/api/get_oeis_factors/" + id_of(1) + "/2");
      return factors.body.find("[2,1]") != std::string::npos;
    }));
    server.signal(SIGTERM);
    CHECK(server.wait() == 0);
  }
}

}  // namespace gatescope::integration
