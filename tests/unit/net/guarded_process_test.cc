#include "proxy/net/guarded_process.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "tests/support/processes.h"
#include "tests/unit/net/net_fixture.h"

using namespace gatescope;
using namespace gatescope::net;

namespace {

struct EndRecorder : ProcessEvents {
  void on_exit(int s) override {
    ++exits;
    status = s;
  }
  int exits = 0, status = 0;
};

/// A program under guard that does `first`, writes its number to a file and does `script`.
struct Guarded {
  explicit Guarded(LoopFixture& f, const std::string& first = ":",
                   const std::string& script = "exec sleep 1000")
      : fixture(f), folder(std::filesystem::temp_directory_path() / ("guard" + number())) {
    std::filesystem::create_directories(folder);
    users = UsersFile::open(users_path()).value();
    REQUIRE(users.enter());
    ProcessOptions options;
    options.argv = {"/bin/sh", "-c",
                    first + "; echo $$ > " + (folder / "pid").string() + "; " + script};
    options.environment = {"PATH=/usr/bin:/bin"};
    auto spawned = spawn_guarded(*f.loop, options, users_path(), events);
    REQUIRE(spawned);
    process = std::move(*spawned);
    polls(f, [&] { return program() > 0; });
  }
  ~Guarded() {
    process.reset();
    users = {};
    const int pid = program();
    polls(fixture, [&] { return !runs(pid); });
    std::filesystem::remove_all(folder);
  }
  /// Nothing wakes the loop when a file appears or a stranger ends.
  static void polls(LoopFixture& f, const std::function<bool()>& holds) {
    f.until([&] {
      f.turns(1);
      return holds();
    });
  }
  static std::string number() {
    static int count = 0;
    return std::to_string(::getpid()) + "-" + std::to_string(++count);
  }
  std::string users_path() const { return folder / "users"; }
  int program() const {
    int pid = 0;
    std::ifstream(folder / "pid") >> pid;
    return pid;
  }
  /// A zombie does not run; who has no parent may wait for an init that is lazy.
  static bool runs(int pid) {
    const char state = gatescope::test::process_state(pid).state;
    return state != 'X' && state != 'Z';
  }

  LoopFixture& fixture;
  std::filesystem::path folder;
  UsersFile users;
  EndRecorder events;
  std::unique_ptr<Process> process;
};

}  // namespace

TEST_CASE("guarded: the program lives as long as somebody uses it, not as long as its Process") {
  LoopFixture f;
  Guarded guarded(f);
  const int pid = guarded.program();
  auto second = UsersFile::open(guarded.users_path()).value();
  CHECK(guarded.users.is_guarded());
  CHECK_FALSE(guarded.users.has_others());
  REQUIRE(second.enter());
  CHECK(guarded.users.has_others());
  guarded.process.reset();
  guarded.users = {};
  CHECK(Guarded::runs(pid));
  EndRecorder watched;
  const auto stranger = watch_process(*f.loop, pid, watched);
  REQUIRE(stranger);
  second = {};
  f.until([&] { return watched.exits == 1; });
  Guarded::polls(f, [&] { return !Guarded::runs(pid); });
}

TEST_CASE("guarded: signals are passed on, and the end of the program is the end of the guard") {
  LoopFixture f;
  Guarded guarded(f, "trap 'exit 7' INT", "while :; do sleep 0.05; done");
  guarded.process->signal(SIGINT);
  f.until([&] { return guarded.events.exits == 1; });
  CHECK(WIFEXITED(guarded.events.status));
  CHECK(WEXITSTATUS(guarded.events.status) == 7);
  CHECK_FALSE(guarded.users.is_guarded());
}

TEST_CASE("guarded: a program that is killed is told as killed") {
  LoopFixture f;
  Guarded guarded(f);
  ::kill(guarded.program(), SIGKILL);
  f.until([&] { return guarded.events.exits == 1; });
  CHECK(WIFSIGNALED(guarded.events.status));
  CHECK(WTERMSIG(guarded.events.status) == SIGKILL);
}

TEST_CASE("guarded: with its guard killed the program ends, too") {
  LoopFixture f;
  Guarded guarded(f);
  const int pid = guarded.program();
  guarded.process->signal(SIGKILL);
  f.until([&] { return guarded.events.exits == 1; });
  Guarded::polls(f, [&] { return !Guarded::runs(pid); });
}

TEST_CASE("guarded: a program that is not there is an error that names it") {
  LoopFixture f;
  Guarded other(f);  // for its folder
  EndRecorder events;
  ProcessOptions options;
  options.argv = {"/nonexistent/program"};
  const auto file = (other.folder / "others").string();
  auto users = UsersFile::open(file).value();
  REQUIRE(users.enter());
  const auto spawned = spawn_guarded(*f.loop, options, file, events);
  REQUIRE_FALSE(spawned);
  CHECK(spawned.error().detail.find("execve() \"/nonexistent/program\"") != std::string::npos);
  CHECK(events.exits == 0);
}
