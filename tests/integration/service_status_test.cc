// What a service manager is told (sd_notify(3)): the worker says so, also when it is not root.

#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "tests/integration/support/client.h"
#include "tests/integration/support/free_port.h"
#include "tests/integration/support/server_process.h"
#include "tests/integration/support/site_certificate.h"
#include "tests/integration/support/upgraded.h"
#include "tests/integration/support/within.h"
#include "tests/support/catch.h"

namespace gatescope::integration {

namespace {

/// The manager's end, and $NOTIFY_SOCKET for what is started meanwhile. The kernel keeps some ten
/// messages for who does not read.
class NotifySocket {
 public:
  explicit NotifySocket(const std::string& path)
      : fd_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    REQUIRE(path.size() < sizeof address.sun_path);
    std::memcpy(address.sun_path, path.data(), path.size());
    REQUIRE(::bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    ::chmod(path.c_str(), 0777);
    ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
  }
  ~NotifySocket() {
    ::unsetenv("NOTIFY_SOCKET");
    ::close(fd_);
  }
  /// The next message; "" when there is none within kPatience.
  std::string next() const {
    char text[512];
    ssize_t size = -1;
    within(kPatience, [&] {
      size = ::recv(fd_, text, sizeof text, MSG_DONTWAIT);
      return size >= 0;
    });
    return size < 0 ? std::string() : std::string(text, static_cast<std::size_t>(size));
  }
  /// Whether the message comes, after whatever comes before it.
  bool hears(const std::string& wanted) const {
    return within(kPatience, [&] {
      char text[512];
      ssize_t size = -1;
      while ((size = ::recv(fd_, text, sizeof text, MSG_DONTWAIT)) >= 0)
        if (wanted == std::string_view(text, static_cast<std::size_t>(size))) return true;
      return false;
    });
  }
  /// Until no more goes in.
  void fill() const {
    sockaddr_un address{};
    socklen_t size = sizeof address;
    REQUIRE(::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    const int full = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    while (::sendto(full, "STATUS=full", 11, MSG_DONTWAIT,
                    reinterpret_cast<const sockaddr*>(&address), size) == 11)
      continue;
    ::close(full);
  }

 private:
  const int fd_;
};

}  // namespace

TEST_CASE("the status line of a service says how long the certificate lasts, and what goes on") {
  for (const auto account : accounts()) {
    CAPTURE(name_of(account));
    ServerProcess server(account);
    FreePort port;
    make_certificate(server.dir().path("certs"), "scope.test");
    give_to(server.dir().path("certs"), account);
    server.configure("server { listen 127.0.0.1:" + port.text() +
                     " ssl; ssl_certificate certs/scope.test.pem; ssl_certificate_key "
                     "certs/scope.test.key; }");
    const NotifySocket manager(server.dir().path("notify"));
    server.start();
    CHECK(
        manager.hears("STATUS=serving; 0 connections, 0.0 requests/s; certificate scope.test: "
                      "396 days left"));
    const auto client = Client::tls(port.number(), server.dir().path("certs/ca.pem"), "scope.test");
    CHECK(
        manager.hears("STATUS=serving; 1 connection, 0.0 requests/s; certificate scope.test: "
                      "396 days left"));
  }
}

TEST_CASE("a service manager hears when every socket listens, of each reload, and of us in time") {
  for (const auto account : accounts()) {
    CAPTURE(name_of(account));
    ServerProcess server(account);
    FreePort port;
    server.configure("server { listen 127.0.0.1:" + port.text() + "; return 200 ok; }",
                     "worker_processes 2;");
    const NotifySocket manager(server.dir().path("notify"));
    const auto next_but = [&](const std::string& unwanted) {
      auto message = manager.next();
      while (message == unwanted || message.starts_with("STATUS="))
        message = manager.next();
      return message;
    };
    ::setenv("WATCHDOG_USEC", "400000", 1);
    server.start();
    ::unsetenv("WATCHDOG_USEC");
    const std::string fed = "WATCHDOG=1";
    const auto ready = "READY=1\nMAINPID=" + std::to_string(server.pid());
    CHECK(next_but(fed) == ready);
    CHECK(next_but("") == fed);
    CHECK(next_but("") == fed);
    server.signal(SIGHUP);
    CHECK(next_but(fed) == "RELOADING=1");
    CHECK(next_but(fed) == ready);
    // Also when it came to nothing: else the unit would be reloading for ever.
    server.write("gatescope.conf", "nonsense;");
    server.signal(SIGHUP);
    CHECK(next_but(fed) == "RELOADING=1");
    CHECK(next_but(fed) == ready);
  }
}

TEST_CASE("a service manager follows an upgrade to the new program, and back") {
  for (const auto account : accounts()) {
    CAPTURE(name_of(account));
    ServerProcess server(account);
    Upgraded upgraded(server, account);
    FreePort port;
    server.configure("server { listen 127.0.0.1:" + port.text() + "; return 200 ok; }");
    const NotifySocket manager(server.dir().path("notify"));
    // The watch is for the first process by its number, and goes on for the next. Within the
    // upgrade nobody reads, so it is fed seldom.
    ::setenv("WATCHDOG_USEC", "6000000", 1);
    server.start();
    ::unsetenv("WATCHDOG_USEC");
    CHECK(manager.hears("READY=1\nMAINPID=" + std::to_string(server.pid())));
    const pid_t fresh = upgraded.change();
    CHECK(manager.hears("READY=1\nMAINPID=" + std::to_string(fresh)));
    upgraded.end_new();
    CHECK(manager.hears("READY=1\nMAINPID=" + std::to_string(server.pid())));
    CHECK(manager.hears("WATCHDOG=1"));
  }
}

TEST_CASE("a service manager that does not read for a moment misses neither reload nor readiness") {
  ServerProcess server;
  FreePort port;
  server.configure("server { listen 127.0.0.1:" + port.text() + "; return 200 ok; }");
  const NotifySocket manager(server.dir().path("notify"));
  server.start();
  CHECK(manager.hears("READY=1\nMAINPID=" + std::to_string(server.pid())));
  manager.fill();
  server.signal(SIGHUP);
  CHECK(server.error_log_says("(Hangup) received"));
  CHECK(manager.hears("RELOADING=1"));
  CHECK(manager.hears("READY=1\nMAINPID=" + std::to_string(server.pid())));
}

TEST_CASE("who is not watched feeds no watchdog") {
  ServerProcess server;
  FreePort port;
  server.configure("server { listen 127.0.0.1:" + port.text() + "; return 200 ok; }");
  const NotifySocket manager(server.dir().path("notify"));
  ::setenv("WATCHDOG_USEC", "400000", 1);
  ::setenv("WATCHDOG_PID", "1", 1);  // neither the process nor its parent
  server.start();
  ::unsetenv("WATCHDOG_USEC");
  ::unsetenv("WATCHDOG_PID");
  for (auto message = manager.next(); !message.starts_with("READY=1"); message = manager.next())
    REQUIRE(message.starts_with("STATUS="));
  server.signal(SIGHUP);
  CHECK(manager.next() == "RELOADING=1");  // and nothing before it
}

}  // namespace gatescope::integration
