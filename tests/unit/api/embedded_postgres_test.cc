#include "api/embedded_postgres.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <iterator>

#include "tests/unit/api/pg_fixture.h"

namespace gatescope::api {
namespace {

using State = EmbeddedPostgres::State;

bool exists(const std::string& path) {
  return std::filesystem::exists(path);
}

std::string content(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST_CASE("a cluster is made once, started, and stopped in order") {
  PgFixture f;
  f.is_made = false;
  f.start();
  CHECK(f.postgres->state() == State::Ready);
  CHECK(content(f.data("pg_hba.conf")) == "local all all peer map=own\n");
  CHECK(content(f.data("pg_ident.conf")).find(" gatescope\n") != std::string::npos);
  CHECK(exists(f.data("postmaster.pid")));
  f.stop();
  CHECK(f.postgres->state() == State::Stopped);
  CHECK(!exists(f.data("postmaster.pid")));
  const auto made = std::filesystem::last_write_time(f.data("PG_VERSION"));
  f.postgres = f.make();
  f.start();
  CHECK(std::filesystem::last_write_time(f.data("PG_VERSION")) == made);
  CHECK(f.stats.counter("embedded_postgres_starts", "starts", "").value() == 2);
  CHECK(f.stats.counter("embedded_postgres_state", "state", "").value() ==
        static_cast<int>(State::Ready));
}

TEST_CASE("what a crash left of a cluster is made anew") {
  PgFixture f;
  f.is_made = false;
  std::filesystem::create_directories(f.state_dir() + "/postgres/data.new/base");
  std::ofstream(f.state_dir() + "/postgres/data.new/PG_VERSION") << "15\n";
  ::chmod(f.state_dir().c_str(), 0755);
  f.start();
  CHECK(!exists(f.state_dir() + "/postgres/data.new"));
}

TEST_CASE("a server that is killed comes back with what was committed, who asks waits") {
  PgFixture f;
  f.start();
  f.open_store();
  CHECK(f.sql("CREATE TABLE kept AS SELECT 7 AS n") == "");
  const pid_t before = f.postgres->server_pid();
  REQUIRE(::kill(before, SIGKILL) == 0);
  CHECK(f.load(40));
  CHECK(f.sql("SELECT n FROM kept") == "7");
  CHECK(f.postgres->server_pid() != before);
  CHECK(f.log.has("was ended by signal 9"));
}

TEST_CASE("a server that outlived its gatescope is stopped, and the data is used again") {
  PgFixture f;
  f.start();
  f.open_store();
  CHECK(f.sql("CREATE TABLE kept AS SELECT 7 AS n") == "");
  f.store.reset();
  f.lane.reset();
  f.stop();
  // One without parent and without lock, as after kill -9 of a gatescope whose signal got lost.
  const auto user = postgres_os_user().value();
  const std::string folder = f.state_dir() + "/postgres";
  const std::string program = find_postgres_binaries().value() + "/postgres";
  const std::string data = f.data("").substr(0, f.data("").size() - 1);
  const std::string sockets = "unix_socket_directories=" + folder + "/run";
  const pid_t child = ::fork();
  if (child == 0) {
    if (::fork() != 0) ::_exit(0);
    ::setsid();
    if (::geteuid() == 0 &&
        (::setgroups(0, nullptr) != 0 || ::setgid(user.gid) != 0 || ::setuid(user.uid) != 0))
      ::_exit(1);
    const int null = ::open("/dev/null", O_RDWR);
    for (int fd : {0, 1, 2})
      ::dup2(null, fd);
    for (int fd = 3; fd < 256; ++fd)
      ::close(fd);
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    if (::chdir(folder.c_str()) != 0) ::_exit(1);
    ::execl(program.c_str(), program.c_str(), "-D", data.c_str(), "-c", "listen_addresses=", "-c",
            sockets.c_str(), nullptr);
    ::_exit(1);
  }
  ::waitpid(child, nullptr, 0);
  REQUIRE(f.until(
      [&] { return content(f.data("postmaster.pid")).find("ready") != std::string::npos; }));
  const pid_t orphan = living_postmaster(data).value();
  f.postgres = f.make();
  f.start();
  CHECK(f.log.has("was left by a gatescope that ended"));
  CHECK(f.postgres->server_pid() != orphan);
  // Gone, or waiting for an init that does not reap
  CHECK(!exists("/proc/" + std::to_string(orphan) + "/cwd"));
  f.open_store();
  CHECK(f.sql("SELECT n FROM kept") == "7");
}

TEST_CASE(
    "a second gatescope uses the server of the first, and has it, running, when that has gone") {
  PgFixture f;
  f.start();
  const pid_t server = f.postgres->server_pid();
  auto first = std::move(f.postgres);
  f.postgres = f.make();
  f.start();
  CHECK(f.postgres->state() == State::Adopted);
  CHECK(f.postgres->server_pid() == -1);
  f.open_store();
  CHECK(f.load(40));
  bool stopped = false;
  first->stop([&] { stopped = true; });
  REQUIRE(f.until([&] { return stopped; }));
  REQUIRE(f.until([&] { return f.postgres->state() == State::Ready; }));
  CHECK(f.load(40));
  CHECK(f.postgres->server_pid() == server);
  CHECK(f.log.has("is left to another gatescope"));
  // It is stopped by whoever uses it last
  f.store.reset();
  f.lane.reset();
  f.stop();
  CHECK(!exists("/proc/" + std::to_string(server) + "/cwd"));
}

TEST_CASE("a server that nobody uses any more ends by itself, whatever became of its gatescope") {
  PgFixture f;
  f.start();
  const pid_t server = f.postgres->server_pid();
  f.postgres.reset();  // as when it is killed: nothing is stopped
  CHECK(f.until([&] { return !exists("/proc/" + std::to_string(server) + "/cwd"); }));
  f.postgres = f.make();
  f.start();
  CHECK(f.postgres->server_pid() != server);
}

TEST_CASE("a gatescope that dies leaves its server to the one beside it, at once") {
  PgFixture f;
  f.start();
  const pid_t server = f.postgres->server_pid();
  auto first = std::move(f.postgres);
  f.postgres = f.make();
  f.start();
  first.reset();
  REQUIRE(f.until([&] { return f.postgres->state() == State::Ready; }));
  CHECK(f.postgres->server_pid() == server);
  f.open_store();
  CHECK(f.load(40));
}

TEST_CASE("a pid file whose number is a stranger's does no harm") {
  PgFixture f;
  f.start();
  f.stop();
  std::ofstream(f.data("postmaster.pid")) << ::getpid() << "\n" << f.data("") << "\n1\n5432\n";
  f.postgres = f.make();
  f.start();
  CHECK(f.postgres->ready());
}

TEST_CASE("a state folder that is too deep or closed is an error that says the mend") {
  PgFixture f;
  std::string deep = f.folder.path();
  SECTION("too deep") {
    while (deep.size() < 90)
      deep += "/deeper";
    f.postgres = std::make_unique<EmbeddedPostgres>(
        *f.loop, f.log, EmbeddedPostgresSettings{.state_dir = deep}, nullptr);
    f.postgres->start();
    CHECK(f.log.has("the system allows 107: choose a state_dir that is shorter by"));
  }
  SECTION("closed") {
    if (::geteuid() != 0) {
      WARN("not tried: only root runs PostgreSQL as somebody else");
      return;
    }
    ::chmod(f.folder.path().c_str(), 0700);
    f.postgres->start();
    CHECK(f.log.has("may not enter \"" + f.folder.path() + "\": chmod o+x"));
    CHECK(f.postgres->state() == State::BackingOff);
    ::chmod(f.folder.path().c_str(), 0755);  // mended: it goes on by itself
    CHECK(f.until([&] { return f.postgres->ready(); }));
  }
}

TEST_CASE("stopping while the cluster is being made, and before anything began") {
  PgFixture f;
  SECTION("idle") {}
  SECTION("initdb runs") {
    f.postgres->start();
    CHECK(f.postgres->state() == State::Initialising);
  }
  f.stop();
  CHECK(f.postgres->state() == State::Stopped);
  CHECK(!exists(f.data("PG_VERSION")));
}

TEST_CASE("an ordinary user's gatescope runs its PostgreSQL as that user", "[ordinary-user]") {
  if (::geteuid() == 0) {
    // The same test again, as somebody else; this program must be where he may read it.
    const auto user = os_user("nobody").value();
    const pid_t child = ::fork();
    if (child == 0) {
      if (::setgroups(0, nullptr) != 0 || ::setgid(user.gid) != 0 || ::setuid(user.uid) != 0)
        ::_exit(100);
      const int null = ::open("/dev/null", O_RDWR);
      ::dup2(null, 1);
      ::execl("/proc/self/exe", "test_api", "[ordinary-user]", nullptr);
      ::_exit(101);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);
    return;
  }
  PgFixture f;
  f.is_made = false;
  f.start();
  f.open_store();
  CHECK(f.load(40));
  struct stat info {};
  REQUIRE(::stat(f.data("PG_VERSION").c_str(), &info) == 0);
  CHECK(info.st_uid == ::geteuid());
  CHECK(content(f.data("pg_ident.conf")) == "own " + own_os_user()->name + " gatescope\n");
}

}  // namespace
}  // namespace gatescope::api
