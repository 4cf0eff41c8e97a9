// Where lines go, and who can read them.

#include <arpa/inet.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/integration/support/client.h"
#include "tests/integration/support/free_port.h"
#include "tests/integration/support/server_process.h"
#include "tests/integration/support/within.h"
#include "tests/support/catch.h"

namespace gatescope::integration {

namespace {

using nlohmann::json;

constexpr char kGoaccess[] = "/usr/bin/goaccess";

/// A syslog daemon's ear on loopback.
class LogDaemon {
 public:
  LogDaemon() : fd_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
    socklen_t size = sizeof(address);
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
  }
  ~LogDaemon() { ::close(fd_); }
  std::string server() const { return "syslog:server=127.0.0.1:" + std::to_string(port_); }
  /// A line that holds the text, of those that have come since the last one; "" when there is none.
  std::string heard(std::string_view text) {
    char room[16384];
    for (ssize_t size; (size = ::recv(fd_, room, sizeof(room), MSG_DONTWAIT)) > 0;) {
      const std::string line(room, static_cast<std::size_t>(size));
      if (line.find(text) != std::string::npos) return line;
    }
    return {};
  }
  /// Waits for it.
  std::string hears(std::string_view text) {
    std::string line;
    within(kPatience, [&] { return !(line = heard(text)).empty(); });
    return line;
  }

 private:
  const int fd_;
  std::uint16_t port_ = 0;
};

}  // namespace

TEST_CASE("goaccess reads the access log as it is") {
  if (::access(kGoaccess, X_OK) != 0) {
    std::cout << "SKIPPED: there is no goaccess here\n";
    return;
  }
  ServerProcess server;
  FreePort port;
  server.configure("server { listen 127.0.0.1:" + port.text() +
                   "; location /good { return 200 1234567890; } location /bad { return 404; } }");
  server.start();
  for (int i = 0; i < 3; ++i)
    CHECK(get(port.number(), "/good?a=\"b\"").status == 200);
  CHECK(get(port.number(), "/bad").status == 404);
  server.signal(SIGTERM);
  CHECK(server.wait() == 0);
  const auto report = server.dir().path("report.json");
  Process goaccess({server.dir().path("logs/access.log"), "--log-format=COMBINED", "--no-progress",
                    "-o", report},
                   server.dir().path("out"), server.dir().path("err"), Account::Own, kGoaccess);
  REQUIRE(goaccess.wait(kPatience) == 0);
  const auto general = json::parse(read_file(report)).at("general");
  CHECK(general.at("valid_requests") == 4);
  CHECK(general.at("failed_requests") == 0);
  CHECK(general.at("unique_not_found") == 1);
}

TEST_CASE("a named format makes JSON of each request, whatever clients write") {
  ServerProcess server;
  FreePort port;
  server.configure(
      "log_format json escape=json '{\"uri\":\"$request_uri\",\"status\":$status,"
      "\"agent\":\"$http_user_agent\",\"seconds\":$request_time}';\n"
      "server { listen 127.0.0.1:" +
      port.text() + "; access_log logs/json.log json; return 200 ok; }");
  server.start();
  auto client = Client::tcp(port.number(), {}, Http::One);
  CHECK(client.get("/a?b=%22", "localhost", "User-Agent: \"quoted\\\" \x01\xc3\xa9\r\n").status ==
        400);  // a control character is none of a field
  auto other = Client::tcp(port.number(), {}, Http::One);
  CHECK(other.get("/a?b=%22", "localhost", "User-Agent: \"quoted\\\" \tx\xc3\xa9\r\n").status ==
        200);
  std::string last;
  CHECK(within(kPatience, [&] {
    std::istringstream lines(server.dir().read("logs/json.log"));
    for (std::string line; std::getline(lines, line);)
      last = line;
    return last.find("\"status\":200") != std::string::npos;
  }));
  const auto parsed = json::parse(last);
  CHECK(parsed.at("uri") == "/a?b=%22");
  CHECK(parsed.at("agent") == "\"quoted\\\" \tx\xc3\xa9");
  CHECK(parsed.at("seconds").is_number());
}

TEST_CASE("error and access lines go to a syslog daemon, over a reload too") {
  LogDaemon daemon;
  ServerProcess server;
  FreePort port;
  const auto site = [&](const std::string& tag) {
    return "server { listen 127.0.0.1:" + port.text() + "; access_log " + daemon.server() +
           ",facility=user,tag=" + tag + " combined; error_log " + daemon.server() +
           ",nohostname; root html; }";
  };
  server.configure(site("one"));
  server.start();
  CHECK(get(port.number(), "/missing").status == 404);
  CHECK(contains(daemon.hears("\"GET /missing HTTP/1.1\" 404"), " one: 127.0.0.1 - - ["));
  CHECK(get(port.number(), "/gone").status == 404);
  const auto error = daemon.hears("/gone\" failed (2: No such file");
  CHECK(error.starts_with("<187>"));
  CHECK(contains(error, " nginx: "));
  CHECK(contains(error, " [error] "));
  server.configure(site("two"));
  server.signal(SIGHUP);
  CHECK(within(kPatience, [&] {
    get(port.number(), "/again");
    return !daemon.heard(" two: ").empty();
  }));
}

TEST_CASE("under a service manager lines on standard error carry their level") {
  ServerProcess server;
  FreePort port;
  server.configure("server { listen 127.0.0.1:" + port.text() + "; }", "error_log stderr notice;");
  // The file is the journal when this names it, systemd.exec(5)
  server.dir().write("stderr", "");
  struct stat info {};
  REQUIRE(::stat(server.dir().path("stderr").c_str(), &info) == 0);
  ::setenv("JOURNAL_STREAM",
           (std::to_string(info.st_dev) + ":" + std::to_string(info.st_ino)).c_str(), 1);
  server.start();
  ::unsetenv("JOURNAL_STREAM");
  server.signal(SIGHUP);
  CHECK(within(kPatience, [&] {
    std::istringstream lines(server.stderr_text());
    for (std::string line; std::getline(lines, line);)
      if (line.starts_with("<5>20") && contains(line, "[notice]")) return true;
    return false;
  }));
}

TEST_CASE("what is wrong with a syslog target is said with its place") {
  ServerProcess server;
  server.configure("access_log syslog:server=127.0.0.1,facility=nowhere;");
  const auto tested = server.run({"-t"});
  CHECK(tested.status == 1);
  CHECK(contains(tested.err, "unknown syslog facility \"nowhere\"; one of kern"));
  CHECK(contains(tested.err, "gatescope.conf:6:1"));
  server.configure("access_log syslog:server=127.0.0.1 combined buffer=4k;");
  CHECK(contains(server.run({"-t"}).err, "cannot buffer, compress or rotate what goes to syslog"));
  server.configure("error_log syslog:server=nobody.invalid; server { listen 127.0.0.1:8080; }");
  CHECK(contains(server.run({"-t"}).err, "\"nobody.invalid\" that is not found"));
}

}  // namespace gatescope::integration
