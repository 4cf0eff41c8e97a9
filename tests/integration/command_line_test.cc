// The flags that nginx users have in their fingers, and the commands of our own.

#include <signal.h>
#include <sys/stat.h>

#include "tests/integration/support/client.h"
#include "tests/integration/support/free_port.h"
#include "tests/integration/support/server_process.h"
#include "tests/integration/support/within.h"
#include "tests/support/catch.h"

namespace gatescope::integration {

TEST_CASE("flag -v names the version, -V what it was built with, -h the flags") {
  const auto version = run_gatescope({"-v"});
  CHECK(version.status == 0);
  CHECK(version.err.starts_with("gatescope version: gatescope/"));
  CHECK(version.out == "");  // on standard error, as nginx

  const auto build = run_gatescope({"-V"});
  CHECK(build.status == 0);
  CHECK(build.err.starts_with(version.err.substr(0, version.err.find('\n'))));
  CHECK(contains(build.err, "OpenSSL"));

  const auto help = run_gatescope({"-h"});
  CHECK(help.status == 0);
  for (const char* flag : {"-t", "-T", "-p", "-c", "-e", "-g", "-q", "-s"})
    CHECK(contains(help.out, flag));
}

TEST_CASE("server_tokens on names the version that flag -v names, in the Server field") {
  ServerProcess server;
  FreePort port;
  server.configure("server { listen 127.0.0.1:" + port.text() +
                   "; location / { return 204; } location /on { server_tokens on; return 204; } }");
  server.start();
  CHECK(get(port.number(), "/").field("Server") == "gatescope");
  const auto version = run_gatescope({"-v"}).err;
  CHECK("gatescope version: " + get(port.number(), "/on").field("Server") + "\n" == version);
}

TEST_CASE("an unknown flag is an error that says where to look") {
  const auto outcome = run_gatescope({"--no-such-flag"});
  CHECK(outcome.status == 1);
  CHECK(contains(outcome.err, "--no-such-flag"));
  CHECK(contains(outcome.err, "-h"));
}

TEST_CASE("a command that is not there, or not all of one: what there is, and where to look") {
  struct Case {
    std::vector<std::string> words;
    std::string said;
  };
  const Case kCases[] = {
      {{"statsu"},
       "gatescope: there is no command \"gatescope statsu\", did you mean \"status\"?\n"},
      {{"cache", "claer"},
       "there is no command \"gatescope cache claer\", did you mean \"clear\"?"},
      {{"frobnicate"}, "there is no command \"gatescope frobnicate\", there are: "},
      {{"cache"}, "gatescope: \"gatescope cache\" wants a word more: clear\n"},
      {{"status", "--jsn"}, "\"--jsn\" is too much here; \"gatescope status -h\" tells more"},
      {{"conf", "explain"}, "directive is required; \"gatescope conf explain -h\" tells more"},
      {{"cache", "clear", "all"}, "\"gatescope cache clear -h\" tells more"},
  };
  for (const auto& c : kCases) {
    const auto outcome = run_gatescope(c.words);
    CAPTURE(c.said, outcome.err);
    CHECK(outcome.status == 1);
    CHECK(contains(outcome.err, c.said));
  }
  CHECK(run_gatescope({"--version"}).err == run_gatescope({"-v"}).err);
}

TEST_CASE("flag -t says that a good configuration is good, and starts nothing") {
  for (const auto account : accounts()) {
    CAPTURE(name_of(account));
    ServerProcess server(account);
    FreePort port;
    server.configure("server { listen 127.0.0.1:" + port.text() + "; return 200 ok; }");
    const auto outcome = server.run({"-t"});
    CHECK(outcome.status == 0);
    CHECK(contains(outcome.err,
                   "gatescope: the configuration file " + server.conf_path() + " syntax is ok\n"));
    CHECK(contains(outcome.err, "gatescope: configuration file " + server.conf_path() +
                                    " test is successful\n"));
    CHECK(outcome.out == "");
    CHECK_FALSE(server.dir().has("logs/gatescope.pid"));
    CHECK_FALSE(can_connect(port.number()));
  }
}

TEST_CASE("flag -t names file, line and column of what is wrong, and the nearest known word") {
  ServerProcess server;
  server.configure("server {\n  listen 127.0.0.1:1;\n  retrun 200 ok;\n}");
  const auto outcome = server.run({"-t"});
  CHECK(outcome.status == 1);
  INFO(outcome.err);
  CHECK(contains(outcome.err, "[emerg]"));
  // daemon, error_log, (main), events, http, server, listen: the word is on line 8
  CHECK(contains(outcome.err, server.conf_path() + ":8:3"));
  CHECK(contains(outcome.err, "\"retrun\""));
  CHECK(contains(outcome.err, "\"return\""));
  CHECK(contains(outcome.err,
                 "gatescope: configuration file " + server.conf_path() + " test failed\n"));
}

TEST_CASE("flag -t names the place inside an included file") {
  ServerProcess server;
  server.configure("include sites/*.conf;");
  server.write("sites/one.conf", "server {\n    listen 127.0.0.1:1;\n    root;\n}\n");
  const auto outcome = server.run({"-t"});
  CHECK(outcome.status == 1);
  INFO(outcome.err);
  CHECK(contains(outcome.err, server.dir().path("sites/one.conf") + ":3:5"));
}

TEST_CASE("flag -t of a file that is not there says which") {
  ServerProcess server;
  const auto outcome = server.run({"-t"});
  CHECK(outcome.status == 1);
  CHECK(contains(outcome.err, "\"" + server.conf_path() + "\""));
  CHECK(contains(outcome.err, "(2: No such file or directory)"));
}

TEST_CASE("flag -T prints every file of the configuration") {
  ServerProcess server;
  server.configure("include sites/*.conf;");
  server.write("sites/one.conf", "server { listen 127.0.0.1:1; return 204; }  # the one\n");
  const auto outcome = server.run({"-T"});
  CHECK(outcome.status == 0);
  CHECK(contains(outcome.err, "test is successful"));
  CHECK(contains(outcome.out, "# configuration file " + server.conf_path() + ":\n"));
  CHECK(
      contains(outcome.out, "# configuration file " + server.dir().path("sites/one.conf") + ":\n"));
  CHECK(contains(outcome.out, "server { listen 127.0.0.1:1; return 204; }  # the one\n"));
}

TEST_CASE("flag -q -t is silent about what is good") {
  ServerProcess server;
  server.configure("server { listen 127.0.0.1:1; return 204; }");
  const auto good = server.run({"-t", "-q"});
  CHECK(good.status == 0);
  CHECK(good.out + good.err == "");
  server.configure("serve { }");
  const auto bad = server.run({"-q", "-t"});
  CHECK(bad.status == 1);
  CHECK(contains(bad.err, "[emerg]"));
}

TEST_CASE("flag -g gives directives before the file's") {
  ServerProcess server;
  FreePort port;
  server.write("gatescope.conf", "events { } http { server { listen 127.0.0.1:" + port.text() +
                                     "; return 200 ok; } }\n");
  server.start({"-g", "daemon off; error_log logs/other.log info;"});
  CHECK(get(port.number(), "/").body == "ok");
  CHECK(within(kPatience, [&] { return server.dir().has("logs/other.log"); }));
}

TEST_CASE("flag -e names the error log until the configuration does") {
  ServerProcess server;
  server.write("gatescope.conf", "daemon off; nonsense;");
  CHECK(server.start_in_vain({"-e", "early.log"}) == 1);
  CHECK(contains(server.dir().read("early.log"), "nonsense"));
  CHECK(contains(server.stderr_text(), "nonsense"));
}

TEST_CASE("flag -s sends the signals") {
  for (const auto& [account, last] :
       {std::pair{accounts().front(), "stop"}, {accounts().back(), "quit"}}) {
    CAPTURE(name_of(account), last);
    ServerProcess server(account);
    FreePort port;
    const auto conf = [&](const std::string& answer) {
      server.configure("server { listen 127.0.0.1:" + port.text() + "; return 200 " + answer +
                       "; }");
    };
    conf("one");
    server.start();
    CHECK(get(port.number(), "/").body == "one");

    conf("two");
    CHECK(server.run({"-s", "reload"}).status == 0);
    CHECK(within(kPatience, [&] { return get(port.number(), "/").body == "two"; }));

    conf("three; nonsense on");
    const auto refused = server.run({"-s", "reload"});
    CHECK(refused.status == 1);
    CHECK(contains(refused.err, "[emerg] unknown directive \"nonsense\" in " + server.conf_path()));
    CHECK(get(port.number(), "/").body == "two");
    CHECK_FALSE(contains(server.error_log(), "nonsense"));  // it was not asked

    std::filesystem::rename(server.dir().path("logs/access.log"),
                            server.dir().path("logs/access.log.1"));
    CHECK(server.run({"-s", "reopen"}).status == 0);
    CHECK(within(kPatience, [&] { return server.dir().has("logs/access.log"); }));

    CHECK(server.run({"-s", last}).status == 0);
    CHECK(server.wait() == 0);
    CHECK_FALSE(can_connect(port.number()));
  }
}

TEST_CASE("flag -s without a running server says which pid file is missing") {
  ServerProcess server;
  server.configure("server { listen 127.0.0.1:1; }");
  const auto outcome = server.run({"-s", "reload"});
  CHECK(outcome.status == 1);
  INFO(outcome.err);
  CHECK(contains(outcome.err, "\"" + server.dir().path("logs/gatescope.pid") +
                                  "\" failed (2: No such file or directory)"));
}

TEST_CASE("flag -s of a word that is no signal is an error") {
  const auto outcome = run_gatescope({"-s", "restart"});
  CHECK(outcome.status == 1);
  CHECK(contains(outcome.err, "reload"));
}

TEST_CASE("cert dev makes an authority and a certificate once") {
  TempDir dir;
  const std::vector<std::string> args = {"cert",   "dev",        "--dir",  dir.path("certs"),
                                         "--name", "scope.test", "--name", "127.0.0.1"};
  const auto made = run_gatescope(args);
  REQUIRE(made.status == 0);
  CHECK(contains(made.out, "made " + dir.path("certs/scope.test.pem") + "\ngood until 20"));
  CHECK(contains(made.out, "curl --cacert " + dir.path("certs/ca.pem") + " https://scope.test/"));
  CHECK(contains(made.out, "certutil -d sql:$HOME/.pki/nssdb -A -t C,, "));
  const auto ca = dir.read("certs/ca.pem");
  const auto leaf = dir.read("certs/scope.test.pem");
  const auto key = dir.read("certs/scope.test.key");
  CHECK(contains(ca, "BEGIN CERTIFICATE"));
  CHECK(contains(leaf, "BEGIN CERTIFICATE"));
  CHECK(contains(key, "PRIVATE KEY"));
  struct stat facts {};
  REQUIRE(::stat(dir.path("certs/scope.test.key").c_str(), &facts) == 0);
  CHECK((facts.st_mode & 0777) == 0600);

  const auto again = run_gatescope(args);
  REQUIRE(again.status == 0);
  CHECK(contains(again.out, "still good: " + dir.path("certs/scope.test.pem") + "\ngood until 20"));
  CHECK(dir.read("certs/ca.pem") == ca);
  CHECK(dir.read("certs/scope.test.pem") == leaf);
  CHECK(dir.read("certs/scope.test.key") == key);
}

TEST_CASE("oeis sample writes the sample once, and refuses a folder that is somebody's clone") {
  TempDir dir;
  REQUIRE(run_gatescope({"oeis", "sample", dir.path("oeisdata")}).status == 0);
  const auto primes = dir.read("oeisdata/seq/A000/A000040.seq");
  CHECK(contains(primes, "%S A000040 2,3,5,7,11,13"));
  const auto made = std::filesystem::last_write_time(dir.path("oeisdata/seq/A000/A000040.seq"));
  REQUIRE(run_gatescope({"oeis", "sample", dir.path("oeisdata")}).status == 0);
  CHECK(std::filesystem::last_write_time(dir.path("oeisdata/seq/A000/A000040.seq")) == made);

  dir.write("clone/seq/A000/A000040.seq", "theirs");
  CHECK(run_gatescope({"oeis", "sample", dir.path("clone")}).status == 1);
  CHECK(dir.read("clone/seq/A000/A000040.seq") == "theirs");
}

}  // namespace gatescope::integration
