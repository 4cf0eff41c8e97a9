// How it comes and goes: the pid file, the background, a port that is taken, QUIT and TERM.

#include <signal.h>
#include <sys/stat.h>

#include <fstream>
#include <iterator>
#include <optional>
#include <thread>

#include "tests/integration/support/client.h"
#include "tests/integration/support/free_port.h"
#include "tests/integration/support/server_process.h"
#include "tests/integration/support/within.h"
#include "tests/support/catch.h"

namespace gatescope::integration {

namespace {

constexpr std::size_t kLarge = 64u << 20;  // more than all buffers between the two ends

std::optional<uid_t> uid_of_file(const std::string& path) {
  struct stat facts {};
  return ::stat(path.c_str(), &facts) == 0 ? std::optional(facts.st_uid) : std::nullopt;
}

void serve_large_file(ServerProcess& server, const FreePort& port) {
  server.configure("server { listen 127.0.0.1:" + port.text() + "; root html; }");
  server.write("html/large", std::string(kLarge, 'x'));
  server.write("html/small", "small");
}

}  // namespace

TEST_CASE("the pid file is there once it listens, and gone when it has ended") {
  for (const auto account : accounts()) {
    CAPTURE(name_of(account));
    ServerProcess server(account);
    FreePort port;
    server.configure("server { listen 127.0.0.1:" + port.text() + "; return 200 ok; }",
                     "pid logs/gatescope.pid;");
    server.start();
    CHECK(get(port.number(), "/").status == 200);  // at once: no retry
    server.signal(SIGTERM);
    CHECK(server.wait() == 0);
    CHECK_FALSE(server.dir().has("logs/gatescope.pid"));
  }
}

TEST_CASE("the file of a unix socket is there while it listens, and gone when it has ended") {
  for (const auto account : accounts()) {
    for (const int signal : {SIGTERM, SIGQUIT}) {
      CAPTURE(name_of(account), signal);
      ServerProcess server(account);
      const auto path = server.dir().path("site.sock");
      server.configure("server { listen unix:" + path + "; return 200 ok; }",
                       "pid logs/gatescope.pid;");
      server.start();
      CHECK(server.dir().has("site.sock"));
      server.signal(signal);
      CHECK(server.wait() == 0);
      CHECK_FALSE(server.dir().has("site.sock"));
    }
  }
}

TEST_CASE("a body that goes into a file has a folder, though only root may write to the prefix",
          "[both]") {
  for (const auto account : accounts()) {
    CAPTURE(name_of(account));
    ServerProcess server(account);
    FreePort port;
    server.configure("server { listen 127.0.0.1:" + port.text() +
                     "; client_body_in_file_only clean; location / { proxy_pass "
                     "http://127.0.0.1:$server_port/inner?; } location /inner { return 200 "
                     "$request_length; } location /other/ { client_body_temp_path named 1; "
                     "proxy_pass http://127.0.0.1:" +
                     port.text() + "/inner; } }");
    server.start();
    for (const char* path : {"/", "/other/"}) {
      auto client = Client::tcp(port.number());
      client.send("POST " + std::string(path) +
                  " HTTP/1.1\r\nHost: a\r\nContent-Length: 40000\r\n\r\n" +
                  std::string(40000, 'x'));
      CHECK(client.answer().status == 200);
    }
    CHECK(server.dir().has("client_body_temp"));
    CHECK(server.dir().has("named"));
    CHECK(uid_of_file(server.dir().path("named")) == uid_of(server.worker()));
  }
}

TEST_CASE("worker_rlimit_nofile is what the process that serves may open") {
  for (const auto account : accounts()) {
    CAPTURE(name_of(account));
    ServerProcess server(account);
    FreePort port;
    server.configure("server { listen 127.0.0.1:" + port.text() + "; return 200 $pid; }",
                     "worker_rlimit_nofile 321;");
    server.start();
    std::ifstream limits("/proc/" + get(port.number(), "/").body + "/limits");
    const std::string text{std::istreambuf_iterator<char>(limits), {}};
    const auto at = text.find("Max open files");
    REQUIRE(at != std::string::npos);
    CHECK(contains(text.substr(at, text.find('\n', at) - at), " 321 "));
  }
}

TEST_CASE("a pid file that a crash left does not disturb") {
  ServerProcess server;
  FreePort port;
  server.configure("server { listen 127.0.0.1:" + port.text() + "; return 200 ok; }");
  server.write("logs/gatescope.pid", "999999999\n");
  server.start();
  CHECK(get(port.number(), "/").body == "ok");
}

TEST_CASE("a port that is taken is an error that names it, and nothing starts") {
  for (const auto account : accounts()) {
    CAPTURE(name_of(account));
    ServerProcess server(account);
    FreePort free, taken;
    taken.listen();
    server.configure("server { listen 127.0.0.1:" + free.text() +
                     "; listen 127.0.0.1:" + taken.text() + "; }");
    CHECK(server.start_in_vain() == 1);
    INFO(server.stderr_text());
    CHECK(contains(server.stderr_text(), "[emerg]"));
    CHECK(contains(server.stderr_text(), "127.0.0.1:" + taken.text()));
    CHECK(contains(server.stderr_text(), "(98: Address already in use)"));
    CHECK_FALSE(server.dir().has("logs/gatescope.pid"));
    CHECK_FALSE(can_connect(free.number()));
  }
}

TEST_CASE("a port that is taken only for a moment is waited for") {
  for (const auto account : accounts()) {
    CAPTURE(name_of(account));
    ServerProcess server(account);
    FreePort port;
    port.listen();
    server.configure("server { listen 127.0.0.1:" + port.text() + "; return 200 ok; }");
    const std::jthread other([&] {
      within(kPatience, [&] { return contains(server.stderr_text(), "it is tried again"); });
      port.stop_listening();
    });
    server.start();
    CHECK(contains(server.stderr_text(), "127.0.0.1:" + port.text()));
    CHECK(get(port.number(), "/").body == "ok");
  }
}

TEST_CASE("in the background: the command returns when it serves, and fails when it cannot") {
  for (const auto account : accounts()) {
    CAPTURE(name_of(account));
    ServerProcess server(account);
    FreePort port;
    const std::string site =
        "http { server { listen 127.0.0.1:" + port.text() + "; return 200 ok; } }";
    server.write("gatescope.conf", "events { }\n" + site);
    const auto started = server.run({});
    REQUIRE(started.status == 0);
    const auto text = server.dir().read("logs/gatescope.pid");
    REQUIRE(text != "");
    const auto pid = std::stoi(text);
    CHECK(get(port.number(), "/").body == "ok");

    const auto second = server.run({});
    CHECK(second.status == 1);
    CHECK(contains(second.err, "127.0.0.1:" + port.text()));
    CHECK(get(port.number(), "/").body == "ok");

    CHECK(server.run({"-s", "stop"}).status == 0);
    CHECK(within(kPatience, [&] { return !alive(pid); }));
    ::kill(pid, SIGKILL);
  }
}

TEST_CASE("QUIT lets a running download finish, and takes nobody new", "[both]") {
  for (const auto account : accounts()) {
    CAPTURE(name_of(account));
    ServerProcess server(account);
    FreePort port;
    serve_large_file(server, port);
    server.start();
    auto client = Client::tcp(port.number());
    client.send("GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
    CHECK(client.answer_head().field("Content-Length") == std::to_string(kLarge));
    client.take(1000);
    auto idle = Client::tcp(port.number());
    CHECK(idle.get("/small").body == "small");

    server.signal(SIGQUIT);
    CHECK(within(kPatience, [&] { return !can_connect(port.number()); }));
    CHECK(idle.closed());  // at once, not after keepalive_timeout
    CHECK(server.running());
    CHECK(client.rest() == std::string(kLarge - 1000, 'x'));
    CHECK(server.wait() == 0);
    CHECK_FALSE(server.dir().has("logs/gatescope.pid"));
  }
}

TEST_CASE("worker_shutdown_timeout ends the patience of QUIT", "[both]") {
  ServerProcess server;
  FreePort port;
  serve_large_file(server, port);
  server.configure("server { listen 127.0.0.1:" + port.text() + "; root html; }",
                   "worker_shutdown_timeout 1s;");
  server.start();
  auto client = Client::tcp(port.number());
  client.send("GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
  client.answer_head();
  server.signal(SIGQUIT);
  CHECK(server.wait() == 0);
  CHECK(client.rest().size() < kLarge);
}

TEST_CASE("TERM and INT end it at once, a download or not", "[both]") {
  for (const auto account : accounts()) {
    for (const int number : {SIGTERM, SIGINT}) {
      CAPTURE(name_of(account), number);
      ServerProcess server(account);
      FreePort port;
      serve_large_file(server, port);
      server.start();
      auto client = Client::tcp(port.number());
      client.send("GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
      client.answer_head();
      server.signal(number);
      CHECK(server.wait() == 0);
      CHECK(client.rest().size() < kLarge);
    }
  }
}

TEST_CASE("the end is logged, and what was served before it", "[both]") {
  ServerProcess server;
  FreePort port;
  server.configure(
      "access_log logs/access.log combined buffer=64k flush=1h; server { listen 127.0.0.1:" +
      port.text() + "; return 200 ok; }");
  server.start();
  get(port.number(), "/remembered");
  server.signal(SIGQUIT);
  CHECK(server.wait() == 0);
  INFO(server.access_log());
  CHECK(contains(server.access_log(), "\"GET /remembered " + protocol_name() + "\" 200 2 "));
  CHECK(contains(server.error_log(), "[notice]"));
  CHECK_FALSE(contains(server.error_log(), "[alert]"));
  CHECK_FALSE(contains(server.error_log(), "[emerg]"));
}

}  // namespace gatescope::integration
