// Commands for a running gatescope: the socket, who may ask, and what each says.

#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cstring>

#include "tests/integration/support/client.h"
#include "tests/integration/support/free_port.h"
#include "tests/integration/support/server_process.h"
#include "tests/integration/support/wire.h"
#include "tests/integration/support/within.h"
#include "tests/support/catch.h"

namespace gatescope::integration {

namespace {

std::string answering_with(const FreePort& port, const std::string& text) {
  return "server { listen 127.0.0.1:" + port.text() + "; return 200 " + text + "; }";
}

/// The value that stands behind "KEY": in the output of `status --json`.
std::string value_of(const std::string& json, const std::string& key) {
  const auto at = json.find("\"" + key + "\":");
  if (at == std::string::npos) return "(none)";
  const auto begin = at + key.size() + 3;
  return json.substr(begin, json.find_first_of(",}]", begin) - begin);
}

std::string ask_raw(const std::string& path, const std::string& bytes) {
  Wire wire(Wire::to_unix_socket(path));
  wire.write(bytes);
  std::string all;
  char part[4096];
  while (const auto got = wire.read(part, sizeof part))
    all.append(part, got);
  return all;
}

}  // namespace

TEST_CASE("control: the socket is there while it serves, for its user and root alone") {
  for (const auto account : accounts()) {
    CAPTURE(name_of(account));
    ServerProcess server(account);
    FreePort port;
    server.configure(answering_with(port, "ok"));
    server.start();
    struct stat facts {};
    REQUIRE(::stat(server.dir().path("logs/gatescope.sock").c_str(), &facts) == 0);
    CHECK(S_ISSOCK(facts.st_mode));
    CHECK((facts.st_mode & 0777) == 0600);
    CHECK(facts.st_uid == *uid_of(server.worker()));
    server.signal(SIGTERM);
    CHECK(server.wait() == 0);
    CHECK_FALSE(server.dir().has("logs/gatescope.sock"));
  }
}

TEST_CASE(
    "control: it lies where it is named, else beside the pid file, and with off there is none") {
  for (const auto account : accounts()) {
    CAPTURE(name_of(account));
    ServerProcess server(account);
    FreePort port;
    server.configure(answering_with(port, "ok"), "state_dir state;");
    server.start();
    CHECK(server.dir().has("logs/gatescope.sock"));
    CHECK(server.run({"status"}).status == 0);
    server.configure(answering_with(port, "ok"), "state_dir state; control logs/other;");
    CHECK(server.run({"-s", "reload"}).status == 0);
    CHECK(within(kPatience, [&] { return server.dir().has("logs/other"); }));
    CHECK(within(kPatience, [&] { return !server.dir().has("logs/gatescope.sock"); }));
    CHECK(server.run({"status"}).status == 0);
    server.configure(answering_with(port, "ok"), "state_dir state; control off;");
    CHECK(server.run({"-s", "reload"}).status == 0);
    CHECK(within(kPatience, [&] { return !server.dir().has("logs/other"); }));
    const auto status = server.run({"status"});
    CHECK(status.status == 2);
    CHECK(contains(status.err, "\"control off\""));
    CHECK(get(port.number(), "/").body == "ok");
  }
}

TEST_CASE("control: the folder of the pid file is made before the socket beside it") {
  for (const auto account : accounts()) {
    CAPTURE(name_of(account));
    ServerProcess server(account);
    FreePort port;
    // As /run/gatescope after each start of the machine
    server.configure(answering_with(port, "ok"), "pid logs/run/gatescope.pid;");
    Process process({"-p", server.dir().path() + "/", "-c", server.conf_path()},
                    server.dir().path("stdout"), server.dir().path("stderr"), account);
    CHECK(within(kPatience, [&] { return server.dir().has("logs/run/gatescope.pid"); }));
    CHECK(server.dir().has("logs/run/gatescope.sock"));
    CHECK(server.run({"status"}).status == 0);
    process.signal(SIGTERM);
    INFO(server.logs());
    CHECK(process.wait(kPatience) == 0);
  }
}

TEST_CASE("control: a path that is too long is an error with its place") {
  ServerProcess server;
  FreePort port;
  server.configure(answering_with(port, "ok"), "control " + std::string(120, 'x') + ";");
  CHECK(server.start_in_vain() == 1);
  INFO(server.logs());
  CHECK(contains(server.stderr_text(), "a unix socket may have 107: choose one that is shorter"));
  CHECK(contains(server.stderr_text(), server.conf_path() + ":3:"));
}

TEST_CASE("control: a file that a crash left is replaced, a socket of another is left alone") {
  for (const auto account : accounts()) {
    CAPTURE(name_of(account));
    ServerProcess server(account), other(account);
    FreePort port, second;
    server.configure(answering_with(port, "ok"));
    server.start();
    if (server.worker() != server.pid()) ::kill(server.worker(), SIGKILL);
    server.signal(SIGKILL);
    CHECK(server.wait() == 128 + SIGKILL);
    REQUIRE(server.dir().has("logs/gatescope.sock"));
    server.start();
    CHECK(within(kPatience, [&] { return server.run({"status"}).status == 0; }));

    other.configure(answering_with(second, "other"),
                    "control " + server.dir().path("logs/gatescope.sock") + ";");
    other.start();
    CHECK(other.error_log_says("no command reaches this gatescope"));
    CHECK(get(second.number(), "/").body == "other");
    CHECK(value_of(server.run({"status", "--json"}).out, "pid") == std::to_string(server.worker()));
  }
}

TEST_CASE("control: a server that listens at the name of its socket serves there") {
  ServerProcess server;
  const auto path = server.dir().path("logs/gatescope.sock");  // pid logs/gatescope.pid
  server.configure("server { listen unix:" + path + "; return 200 ok; }");
  server.start();
  CHECK(ask_raw(path, "GET / HTTP/1.0\r\nHost: a\r\n\r\n").starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(server.error_log_says("no command reaches this gatescope: \"listen unix:" + path + "\""));
}

TEST_CASE("control: what is no question is answered, and does no harm") {
  ServerProcess server;
  FreePort port;
  server.configure(answering_with(port, "ok"));
  server.start();
  const auto path = server.dir().path("logs/gatescope.sock");
  CHECK(ask_raw(path, "nonsense\n").starts_with("failed\nunknown command \"nonsense\""));
  CHECK(ask_raw(path, "\n").starts_with("failed\n"));
  CHECK(ask_raw(path, "cache clear everything\n").starts_with("failed\n"));
  CHECK(ask_raw(path, std::string(5000, 'x')).starts_with("failed\na question has at most"));
  {
    Wire gone(Wire::to_unix_socket(path));
    gone.write("stat");
  }
  CHECK(ask_raw(path, "status\n").starts_with("healthy\n{"));
  CHECK(get(port.number(), "/").body == "ok");
}

TEST_CASE("reload says what came of it, with the place of an error") {
  for (const auto account : accounts()) {
    CAPTURE(name_of(account));
    ServerProcess server(account);
    FreePort port, taken;
    taken.listen();
    server.configure(answering_with(port, "one"));
    server.start();
    server.configure(answering_with(port, "two"));
    auto done = server.run({"reload"});
    CHECK(done.status == 0);
    CHECK(done.out == "configuration 2 serves\n");
    CHECK(get(port.number(), "/").body == "two");

    server.configure("server {\n listen 127.0.0.1:" + port.text() + ";\n retrun 200 bad;\n}");
    done = server.run({"reload"});
    CHECK(done.status == 1);
    CHECK(contains(done.err, server.conf_path() + ":8:2"));
    CHECK(contains(done.err, "the running configuration goes on"));
    server.configure(answering_with(port, "half") + answering_with(taken, "half"));
    done = server.run({"reload"});
    CHECK(done.status == 1);
    CHECK(contains(done.err, "127.0.0.1:" + taken.text()));
    server.write("gatescope.conf", "events { ");
    done = server.run({"reload"});
    CHECK(done.status == 1);
    CHECK(contains(done.err, server.conf_path() + ":1:"));
    CHECK(get(port.number(), "/").body == "two");
    server.configure(answering_with(port, "two"));
    CHECK(server.run({"status", "--json"}).out.find("\"good\":false") != std::string::npos);
  }
}

TEST_CASE("status tells what happens, and its exit status whether it is well") {
  for (const auto account : accounts()) {
    CAPTURE(name_of(account));
    ServerProcess server(account);
    FreePort port;
    server.write("html/page", "page");
    server.configure("server { listen 127.0.0.1:" + port.text() +
                         "; root html; location /bad { return 500; } location /api { "
                         "numberscope_api; } }",
                     "numberscope { database host=/nonexistent dbname=x; oeis off; }");
    server.start();
    const auto json = [&] { return server.run({"status", "--json"}); };
    CHECK(value_of(json().out, "generation") == "1");
    for (int i = 0; i < 3; ++i)
      CHECK(get(port.number(), "/page").body == "page");
    CHECK(within(kPatience, [&] { return value_of(json().out, "2xx") == "3"; }));
    CHECK(value_of(json().out, "hits") != "0");
    get(port.number(), "/bad");
    CHECK(within(kPatience, [&] { return value_of(json().out, "5xx") == "1"; }));
    auto kept = Client::tcp(port.number());
    kept.get("/page");
    CHECK(value_of(json().out, "active") == "1");
    CHECK(server.run({"reload"}).status == 0);
    CHECK(value_of(json().out, "generation") == "2");
    // The database that is not there is what is wrong
    REQUIRE(within(kPatience, [&] { return json().status == 1; }));
    const auto screen = server.run({"status"});
    CHECK(screen.status == 1);
    INFO(screen.out);
    CHECK(contains(screen.out, "DOWN"));
    CHECK(contains(screen.out, "NOT GOOD"));
    CHECK(contains(screen.out, "  ! "));
    CHECK_FALSE(contains(screen.out, "\033"));  // no terminal, no colours
    std::size_t longest = 0, lines = 0, begin = 0;
    for (auto end = screen.out.find('\n'); end != std::string::npos;
         begin = end + 1, end = screen.out.find('\n', begin), ++lines)
      longest = std::max(longest, end - begin);
    CHECK(longest <= 80);
    CHECK(lines <= 24);
  }
}

TEST_CASE("cache clear: what was in memory is read anew") {
  ServerProcess server;
  FreePort port;
  server.write("html/page", "page");
  server.configure("server { listen 127.0.0.1:" + port.text() + "; root html; }");
  server.start();
  CHECK(get(port.number(), "/page").body == "page");
  CHECK(contains(server.run({"cache", "clear", "files"}).out, "1 files are not in memory"));
  CHECK(contains(server.run({"cache", "clear"}).out, "0 answers of the API"));
  CHECK(get(port.number(), "/page").body == "page");
  const auto wrong = server.run({"cache", "clear", "all"});
  CHECK(wrong.status != 0);
  CHECK(contains(wrong.err, "files"));
}

TEST_CASE("conf show prints what runs, not what the file says now") {
  ServerProcess server;
  FreePort port;
  server.write("inner.conf", answering_with(port, "one"));
  server.configure("include inner.conf;");
  server.start();
  server.write("inner.conf", answering_with(port, "two"));
  const auto shown = server.run({"conf", "show"});
  CHECK(shown.status == 0);
  CHECK(contains(shown.out, "# configuration file " + server.conf_path()));
  CHECK(contains(shown.out, "# configuration file " + server.dir().path("inner.conf")));
  CHECK(contains(shown.out, "return 200 one"));
  CHECK_FALSE(contains(shown.out, "return 200 two"));
}

TEST_CASE("logs says that there is no access log where the configuration wants none") {
  ServerProcess server;
  FreePort port;
  server.write("logs/access.log", "of another time\n");
  server.configure("access_log off; " + answering_with(port, "ok"));
  const auto none = server.run({"logs", "access"});
  CHECK(none.status == 2);
  CHECK(none.out == "");
  CHECK(contains(none.err, "writes no access log to a file"));
  // Only there it is off
  server.configure("server { listen 127.0.0.1:" + port.text() +
                   "; location /q { access_log off; } }");
  CHECK(server.run({"logs", "access"}).out == "of another time\n");
}

TEST_CASE("logs prints the last lines, and goes on over a rotation") {
  ServerProcess server;
  FreePort port;
  server.configure("log_format f $uri; access_log logs/a.log f; " + answering_with(port, "ok"));
  server.start();
  for (const char* path : {"/1", "/2", "/3"})
    get(port.number(), path);
  REQUIRE(within(kPatience, [&] { return server.dir().read("logs/a.log") == "/1\n/2\n/3\n"; }));
  CHECK(server.run({"logs", "access", "-n", "2"}).out == "/2\n/3\n");
  CHECK(server.run({"logs", "access", "-n", "0"}).out.empty());
  CHECK(server.run({"logs", "access", "-n", "99"}).out == "/1\n/2\n/3\n");
  CHECK(server.run({"logs", "api"}).status == 2);
  CHECK(contains(server.run({"logs", "-n", "50"}).out, "[notice]"));

  TempDir out;
  Process follower({"-p", server.dir().path() + "/", "-c", server.conf_path(), "logs", "access",
                    "-f", "-n", "1"},
                   out.path("out"), out.path("err"));
  REQUIRE(within(kPatience, [&] { return out.read("out") == "/3\n"; }));
  get(port.number(), "/4");
  CHECK(within(kPatience, [&] { return out.read("out") == "/3\n/4\n"; }));
  std::filesystem::rename(server.dir().path("logs/a.log"), server.dir().path("logs/a.log.1"));
  get(port.number(), "/5");
  CHECK(within(kPatience, [&] { return out.read("out") == "/3\n/4\n/5\n"; }));
  CHECK(server.run({"-s", "reopen"}).status == 0);
  REQUIRE(within(kPatience, [&] { return server.dir().has("logs/a.log"); }));
  CHECK(within(kPatience, [&] {
    get(port.number(), "/6");
    return contains(out.read("out"), "/6\n");
  }));
}

TEST_CASE("stop waits for the end, and says when there is none") {
  for (const auto account : accounts()) {
    CAPTURE(name_of(account));
    ServerProcess server(account);
    FreePort port;
    server.write("html/large", std::string(64u << 20, 'x'));
    server.configure("server { listen 127.0.0.1:" + port.text() + "; root html; }");
    server.start();
    auto client = Client::tcp(port.number());
    client.send("GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
    client.answer_head();
    const auto waiting = server.run({"stop", "--wait", "0"});
    CHECK(waiting.status == 1);
    CHECK(contains(waiting.err, "stop --now"));
    CHECK(server.running());
    CHECK(server.run({"stop", "--now", "--wait", "60"}).status == 0);
    CHECK(server.wait() == 0);
  }
}

TEST_CASE("commands without a running gatescope say so, and how to start it") {
  ServerProcess server;
  FreePort port;
  server.configure(answering_with(port, "ok"));
  const auto says_so = [&] {
    for (const std::vector<std::string>& words : {std::vector<std::string>{"status"},
                                                  {"status", "--json"},
                                                  {"reload"},
                                                  {"stop"},
                                                  {"cache", "clear"},
                                                  {"conf", "show"},
                                                  {"upgrade"}}) {
      const auto outcome = server.run(words);
      CAPTURE(words, outcome.err);
      CHECK(outcome.status == 2);
      CHECK(contains(outcome.err, "it does not run: "));
      CHECK(contains(outcome.err, "gatescope -c " + server.conf_path()));
      CHECK(outcome.out.empty());
    }
  };
  says_so();
  server.write("logs/gatescope.pid", "999999999\n");
  says_so();
  server.write("logs/gatescope.pid", "nonsense\n");
  const auto outcome = server.run({"status"});
  CHECK(outcome.status == 2);
  CHECK(contains(outcome.err, "invalid PID number \"nonsense\""));
}

}  // namespace gatescope::integration
