// Started by root: a keeper stays root and guards, a worker that is somebody else serves.

#include <signal.h>
#include <sys/stat.h>

#include <iostream>

#include "tests/integration/support/client.h"
#include "tests/integration/support/client_authority.h"
#include "tests/integration/support/free_port.h"
#include "tests/integration/support/server_process.h"
#include "tests/integration/support/site_certificate.h"
#include "tests/integration/support/within.h"
#include "tests/support/catch.h"

namespace gatescope::integration {

namespace {

std::string answering(const FreePort& port, const std::string& text) {
  return "server { listen 127.0.0.1:" + port.text() + "; return 200 " + text + "; }";
}

}  // namespace

TEST_CASE("keeper: the worker is not root, and the pid file names the keeper") {
  if (skipped_without_root()) return;
  ServerProcess server;
  FreePort port;
  server.configure(answering(port, "ok"));
  server.start();
  CHECK(uid_of(server.pid()) == 0u);
  const auto worker = server.worker();
  REQUIRE(worker > 0);
  CHECK(worker != server.pid());
  REQUIRE(uid_of(worker));
  CHECK(*uid_of(worker) != 0);
  CHECK(get(port.number(), "/").body == "ok");
}

TEST_CASE("keeper: a key that only root may read works, also after a reload", "[both]") {
  if (skipped_without_root()) return;
  ServerProcess server;
  FreePort port;
  make_certificate(server.dir().path("private"), "scope.test");
  ::chmod(server.dir().path("private").c_str(), 0700);
  ::chmod(server.dir().path("private/scope.test.key").c_str(), 0600);
  const auto conf = [&](const std::string& text) {
    server.configure("server { listen 127.0.0.1:" + port.text() +
                     " ssl; ssl_certificate private/scope.test.pem; ssl_certificate_key "
                     "private/scope.test.key; return 200 " +
                     text + "; }");
  };
  const auto ask = [&] {
    return Client::tls(port.number(), server.dir().path("private/ca.pem"), "scope.test")
        .get("/")
        .body;
  };
  conf("one");
  server.start();
  CHECK(ask() == "one");
  conf("two");
  server.signal(SIGHUP);
  INFO(server.logs());
  CHECK(within(kPatience, [&] { return ask() == "two"; }));
}

TEST_CASE("keeper: every TLS file may be root's alone, also after a reload") {
  if (skipped_without_root()) return;
  ServerProcess server;
  FreePort port;
  ClientAuthority clients;
  make_certificate(server.dir().path("private"), "scope.test");
  const auto hide = [&](const std::string& name, const std::string& text) {
    server.write("private/" + name, text, 0600);
    REQUIRE(::chown(server.dir().path("private/" + name).c_str(), 0, 0) == 0);
  };
  hide("clients.pem", clients.certificate());
  hide("more.pem", clients.certificate());
  hide("clients.crl", clients.revocations(false));
  hide("dh.pem", dh_parameters());
  hide("new.ticket", std::string(80, 'n'));
  hide("old.ticket", std::string(48, 'o'));
  hide("passwords", "unused\n");
  ::chmod(server.dir().path("private").c_str(), 0700);
  const auto conf = [&](const std::string& text) {
    server.configure("server { listen 127.0.0.1:" + port.text() + R"( ssl;
      ssl_certificate private/scope.test.pem; ssl_certificate_key private/scope.test.key;
      ssl_password_file private/passwords; ssl_dhparam private/dh.pem;
      ssl_verify_client on; ssl_client_certificate private/clients.pem;
      ssl_trusted_certificate private/more.pem; ssl_crl private/clients.crl;
      ssl_session_ticket_key private/new.ticket; ssl_session_ticket_key private/old.ticket;
      ssl_conf_command Certificate private/scope.test.pem;
      ssl_conf_command PrivateKey private/scope.test.key;
      return 200 )" + text +
                     "; }");
  };
  // Read by root before it gives up being root; the authority lies in the folder that is closed.
  const auto ca = server.dir().path("ca.pem");
  std::filesystem::copy_file(server.dir().path("private/ca.pem"), ca);
  const auto own = clients.issue("somebody");
  const auto ask = [&] {
    return Client::tls(port.number(), ca, "scope.test", own).get("/", "scope.test").body;
  };
  conf("one");
  server.start();
  CHECK(ask() == "one");
  conf("two");
  server.signal(SIGHUP);
  INFO(server.logs());
  CHECK(within(kPatience, [&] { return ask() == "two"; }));
}

TEST_CASE("keeper: an env_file that only root may read names the database, also after a reload") {
  if (skipped_without_root()) return;
  ServerProcess server;
  FreePort port;
  server.write(".env", "POSTGRES_DB=one\nPOSTGRES_HOST=/nonexistent\n", 0600);
  ::chown(server.dir().path(".env").c_str(), 0, 0);
  server.configure(
      "server { listen 127.0.0.1:" + port.text() + "; location /api/ { numberscope_api; } }",
      "numberscope { database env; oeis off; env_file " + server.dir().path(".env") + "; }\n");
  server.start();
  CHECK(get(port.number(), "/api/get_commit").status == 200);
  server.write(".env", "POSTGRES_USER=nobody\n", 0600);
  server.signal(SIGHUP);
  CHECK(server.error_log_says("needs POSTGRES_DB in \"" + server.dir().path(".env")));
  CHECK(get(port.number(), "/api/get_commit").status == 200);
}

TEST_CASE("keeper: ended while a worker is being started, it ends in order") {
  if (skipped_without_root()) return;
  for (int round = 0; round < 8; ++round) {
    ServerProcess server;
    FreePort port;
    server.configure(answering(port, "ok"));
    server.start();
    server.signal(SIGWINCH);
    REQUIRE(server.error_log_says("exit"));
    server.signal(SIGHUP);  // another worker, which is told to end before it can listen to signals
    server.signal(SIGTERM);
    CHECK(server.wait() == 0);
  }
}

TEST_CASE("keeper: logs in a folder of root's are opened again after a rename") {
  if (skipped_without_root()) return;
  ServerProcess server;
  FreePort port;
  ::chmod(server.dir().path("logs").c_str(), 0700);
  server.configure(answering(port, "ok"));
  server.start();
  std::filesystem::rename(server.dir().path("logs/access.log"), server.dir().path("logs/old.log"));
  server.signal(SIGUSR1);
  REQUIRE(within(kPatience, [&] { return server.dir().has("logs/access.log"); }));
  CHECK(within(kPatience, [&] {
    get(port.number(), "/after");
    return server.access_log().find("/after") != std::string::npos;
  }));
}

TEST_CASE("keeper: a log in a folder of root's is rotated by size, no line is lost") {
  if (skipped_without_root()) return;
  ServerProcess server;
  FreePort port;
  ::chmod(server.dir().path("logs").c_str(), 0700);
  const auto log = server.dir().path("logs/rotated.log");
  server.configure("log_format f $uri; access_log " + log + " f rotate=4k keep=2; " +
                   answering(port, "ok"));
  server.start();
  const std::string path = "/" + std::string(499, 'x');
  for (int i = 0; i < 20; ++i) {
    get(port.number(), path);
    INFO(server.logs());
    // Eight lines fill a file. One after the other: lines that are written together stay together.
    REQUIRE(within(kPatience, [&] {
      std::size_t lines = 0;
      for (const char* name : {"logs/rotated.log", "logs/rotated.log.1", "logs/rotated.log.2"})
        if (server.dir().has(name)) lines += server.dir().read(name).size() / 501;
      return lines == static_cast<std::size_t>(i + 1);
    }));
  }
  CHECK(server.dir().read("logs/rotated.log.2").size() == 4008);
  CHECK(server.dir().read("logs/rotated.log.1").size() == 4008);
  CHECK(server.dir().read("logs/rotated.log").size() == 4 * 501);
}

TEST_CASE("keeper: api.log in a folder of root's is opened, reopened, and another one on reload") {
  if (skipped_without_root()) return;
  ServerProcess server;
  FreePort port;
  ::chmod(server.dir().path("logs").c_str(), 0700);
  const auto conf = [&](const std::string& name) {
    server.configure(answering(port, "ok"),
                     "numberscope { database host=/nonexistent dbname=x; oeis off; api_log logs/" +
                         name + " size=4k keep=2; }");
  };
  const auto has_lines = [&](const std::string& name) {
    return within(kPatience, [&] {
      return server.dir().has(name) &&
             server.dir().read(name).starts_with(R"({"event":"configuration")");
    });
  };
  conf("api.log");
  server.start();
  INFO(server.logs());
  CHECK(has_lines("logs/api.log"));
  std::filesystem::rename(server.dir().path("logs/api.log"), server.dir().path("logs/old.log"));
  server.signal(SIGUSR1);
  CHECK(within(kPatience, [&] { return server.dir().has("logs/api.log"); }));
  server.signal(SIGHUP);
  CHECK(has_lines("logs/api.log"));
  conf("other.log");
  server.signal(SIGHUP);
  CHECK(has_lines("logs/other.log"));
}

TEST_CASE("keeper: a worker that dies is replaced, and nobody who comes after it is turned away",
          "[both]") {
  if (skipped_without_root()) return;
  ServerProcess server;
  FreePort port;
  server.configure(answering(port, "ok"));
  server.start();
  const auto first = server.worker();
  REQUIRE(first > 0);
  ::kill(first, SIGKILL);
  CHECK(get(port.number(), "/").body == "ok");  // the socket is the keeper's: this one waits in it
  CHECK(within(kPatience, [&] { return server.worker() > 0 && server.worker() != first; }));
  CHECK(server.error_log_says("[alert]"));
  CHECK(server.running());
}

TEST_CASE("keeper: a keeper that is killed takes its worker along") {
  if (skipped_without_root()) return;
  ServerProcess server;
  FreePort port;
  server.configure(answering(port, "ok"));
  server.start();
  const auto worker = server.worker();
  REQUIRE(worker > 0);
  server.signal(SIGKILL);
  CHECK(server.wait() == 128 + SIGKILL);
  CHECK(within(kPatience, [&] { return !can_connect(port.number()); }));
  CHECK(within(kPatience, [&] { return !alive(worker); }));
}

TEST_CASE("keeper: state_dir is made and belongs to the worker") {
  if (skipped_without_root()) return;
  ServerProcess server;
  FreePort port;
  server.configure(answering(port, "ok"), "state_dir state;");
  server.start();
  struct stat facts {};
  REQUIRE(::stat(server.dir().path("state").c_str(), &facts) == 0);
  CHECK(facts.st_uid == *uid_of(server.worker()));
  CHECK((facts.st_mode & 0077) == 0);
}

TEST_CASE("keeper: a user that does not exist is an error that says how to make it") {
  if (skipped_without_root()) return;
  ServerProcess server;
  FreePort port;
  server.configure(answering(port, "ok"), "user nosuchuser;");
  CHECK(server.start_in_vain() == 1);
  INFO(server.logs());
  CHECK(server.stderr_text().find("nosuchuser") != std::string::npos);
  CHECK(server.stderr_text().find("useradd") != std::string::npos);
}

}  // namespace gatescope::integration
