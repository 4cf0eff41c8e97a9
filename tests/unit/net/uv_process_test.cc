#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>

#include "tests/support/processes.h"
#include "tests/unit/net/net_fixture.h"

using namespace gatescope;
using namespace gatescope::net;

namespace {

struct ExitRecorder : ProcessEvents {
  void on_exit(int s) override {
    ++exits;
    status = s;
  }
  int exits = 0;
  int status = 0;
};

ProcessOptions shell(const std::string& script) {
  ProcessOptions options;
  options.argv = {"/bin/sh", "-c", script};
  options.environment = {"PATH=/usr/bin:/bin", "GREETING=hello"};
  return options;
}

std::string content(const std::string& path) {
  std::ifstream in(path);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

bool exists(int pid) {
  return ::kill(pid, 0) == 0;
}

// Runs to the end and gives what it printed.
std::string output_of(LoopFixture& f, ProcessOptions options, const std::string& file) {
  options.output = file;
  ExitRecorder events;
  const auto process = f.loop->spawn(options, events);
  REQUIRE(process);
  f.until([&] { return events.exits == 1; });
  CHECK(events.status == 0);
  return content(file);
}

}  // namespace

TEST_CASE("the exit status is told once and the child is reaped") {
  LoopFixture f;
  ExitRecorder events;
  const auto process = f.loop->spawn(shell("exit 7"), events);
  REQUIRE(process);
  const int pid = (*process)->pid();
  CHECK(events.exits == 0);
  f.until([&] { return events.exits == 1; });
  CHECK(WIFEXITED(events.status));
  CHECK(WEXITSTATUS(events.status) == 7);
  CHECK(!exists(pid));
  (*process)->signal(SIGTERM);  // nobody is hit
  f.turns(3);
  CHECK(events.exits == 1);
}

TEST_CASE("signals reach the child, whatever this process blocks") {
  LoopFixture f;
  ExitRecorder events;
  const auto process = f.loop->spawn(shell("exec sleep 1000"), events);
  REQUIRE(process);
  (*process)->signal(SIGPIPE);  // blocked in the loop's thread
  f.until([&] { return events.exits == 1; });
  CHECK(WIFSIGNALED(events.status));
  CHECK(WTERMSIG(events.status) == SIGPIPE);
}

TEST_CASE("destroying a process kills and reaps it") {
  LoopFixture f;
  ExitRecorder events;
  auto process = f.loop->spawn(shell("trap '' TERM; while :; do sleep 1000; done"), events);
  REQUIRE(process);
  const int pid = (*process)->pid();
  CHECK(exists(pid));
  process.value().reset();
  CHECK(!exists(pid));
  f.turns(3);
  CHECK(events.exits == 0);
}

TEST_CASE("a process may be destroyed by its own event") {
  LoopFixture f;
  struct Owner : ExitRecorder {
    void on_exit(int status) override {
      process.reset();
      ExitRecorder::on_exit(status);
    }
    std::unique_ptr<Process> process;
  } owner;
  auto process = f.loop->spawn(shell("exit 0"), owner);
  REQUIRE(process);
  owner.process = std::move(process).value();
  f.until([&] { return owner.exits == 1; });
}

TEST_CASE("a program that cannot run is an error of spawn") {
  const TempFolder folder;
  LoopFixture f;
  ExitRecorder events;
  ProcessOptions options;
  options.argv = {folder / "none"};
  const auto missing = f.loop->spawn(options, events);
  REQUIRE(!missing);
  CHECK(missing.error().kind == ErrorKind::NotFound);
  CHECK(missing.error().detail ==
        "execve() \"" + folder / "none" + "\" failed (2: No such file or directory)");

  options = shell("true");
  options.directory = folder / "nowhere";
  CHECK(f.loop->spawn(options, events).error().detail.starts_with("chdir() for"));

  options = shell("true");
  options.output = folder / "nowhere/log";
  CHECK(!f.loop->spawn(options, events));

  options = shell("true");
  options.run_as = "no-such-user-here";
  CHECK(f.loop->spawn(options, events).error().kind == ErrorKind::NotFound);

  CHECK(!f.loop->spawn({}, events));
  f.turns(3);
  CHECK(events.exits == 0);
  CHECK(::waitpid(-1, nullptr, WNOHANG) == -1);  // no zombie is left
  CHECK(errno == ECHILD);
}

TEST_CASE("directory, environment, output, umask and descriptors are as asked") {
  const TempFolder folder;
  LoopFixture f;
  const UniqueFd leaked(::open("/dev/null", O_RDONLY));  // not CLOEXEC, on purpose
  ProcessOptions options =
      shell("pwd; echo $GREETING $HOME; umask; echo err >&2; ls /proc/self/fd | wc -l");
  options.directory = folder.path();
  // ls has one more descriptor than its parent: the directory it reads.
  CHECK(output_of(f, options, folder / "log") == folder.path() + "\nhello\n0077\nerr\n4\n");
  // Appended, not overwritten.
  output_of(f, shell("echo again"), folder / "log");
  CHECK(content(folder / "log").ends_with("4\nagain\n"));
}

TEST_CASE("signals are as after login, and the terminal's are not for the child") {
  const TempFolder folder;
  LoopFixture f;
  const std::string text = output_of(
      f, shell("grep -E '^Sig(Blk|Ign)' /proc/self/status; cut -d' ' -f1,6 /proc/$$/stat"),
      folder / "log");
  CHECK(text.find("SigBlk:\t0000000000000000") != std::string::npos);
  CHECK(text.find("SigIgn:\t0000000000000000") != std::string::npos);
  // Pid and session are equal: it leads its own.
  const std::string last = text.substr(text.find('\n', text.find("SigIgn")) + 1);
  CHECK(last.substr(0, last.find(' ')) + "\n" == last.substr(last.find(' ') + 1));
}

TEST_CASE("run_as drops the user, the group and all other groups when we are root") {
  const TempFolder folder;
  LoopFixture f;
  ProcessOptions options = shell("id -u; id -g; id -G; echo $0");
  options.run_as = "nobody";
  if (::geteuid() == 0) {
    options.death_signal = SIGKILL;
    const std::string text = output_of(f, options, folder / "log");
    CHECK(text == "65534\n65534\n65534\n/bin/sh\n");
  } else {
    options.run_as = "root";  // we may be nobody already
    ExitRecorder events;
    const auto refused = f.loop->spawn(options, events);
    REQUIRE(!refused);
    CHECK(refused.error().kind == ErrorKind::Forbidden);
    CHECK(refused.error().detail.starts_with("changing the user of"));
  }
}

TEST_CASE("the death signal is set") {
  const TempFolder folder;
  LoopFixture f;
  // A process in between spawns a grandchild by its own loop and dies; the grandchild must follow.
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  const UniqueFd reader(ends[0]);
  UniqueFd writer(ends[1]);
  const pid_t between = ::fork();
  if (between == 0) {
    LoopFixture inner;
    ExitRecorder events;
    ProcessOptions options = shell("exec sleep 1000");
    options.death_signal = SIGKILL;
    auto process = inner.loop->spawn(options, events);
    const int pid = process ? (*process)->pid() : -1;
    [[maybe_unused]] const auto n = ::write(writer.get(), &pid, sizeof(pid));
    ::kill(::getpid(), SIGKILL);
  }
  writer.reset();
  int pid = -1;
  REQUIRE(::read(reader.get(), &pid, sizeof(pid)) == sizeof(pid));
  REQUIRE(pid > 0);
  ::waitpid(between, nullptr, 0);
  // An orphan is reaped by whoever adopts it; a zombie is dead enough.
  f.until([&] {
    f.turns(1);
    const char state = test::process_state(pid).state;
    return state == 'X' || state == 'Z';
  });
}

TEST_CASE("many children at once") {
  LoopFixture f;
  std::vector<std::unique_ptr<ExitRecorder>> events;
  std::vector<std::unique_ptr<Process>> processes;
  for (int i = 0; i < 20; ++i) {
    events.push_back(std::make_unique<ExitRecorder>());
    auto process = f.loop->spawn(shell("exit " + std::to_string(i)), *events.back());
    REQUIRE(process);
    processes.push_back(std::move(process).value());
  }
  f.until([&] {
    return std::all_of(events.begin(), events.end(), [](const auto& e) { return e->exits == 1; });
  });
  for (int i = 0; i < 20; ++i)
    CHECK(WEXITSTATUS(events[static_cast<std::size_t>(i)]->status) == i);
}

TEST_CASE("a child that talks hears on descriptor 0 and answers on 3, apart from what it prints") {
  LoopFixture f;
  ExitRecorder events;
  ProcessOptions options = shell(
      "echo noise; echo noise >&2; while read line; do echo \"you said $line\" >&3; done; exit 5");
  options.talks = true;
  const auto process = f.loop->spawn(options, events);
  REQUIRE(process);
  const auto stream = (*process)->take_stream();
  REQUIRE(stream);
  CHECK(!(*process)->take_stream());
  StreamRecorder heard;
  stream->set_events(&heard);
  stream->start_reading();
  send(*stream, "one\ntwo\n");
  f.until([&] { return heard.data == "you said one\nyou said two\n"; });
  stream->shut_down();  // it sees the end of its input
  f.until([&] { return events.exits == 1 && heard.ended; });
  CHECK(WEXITSTATUS(events.status) == 5);
}

TEST_CASE("what a child said before it was killed is still heard") {
  LoopFixture f;
  ExitRecorder events;
  ProcessOptions options = shell("echo done >&3; echo more >&3; kill -9 $$");
  options.talks = true;
  const auto process = f.loop->spawn(options, events);
  REQUIRE(process);
  f.until([&] { return events.exits == 1; });
  CHECK(WTERMSIG(events.status) == SIGKILL);
  const auto stream = (*process)->take_stream();
  StreamRecorder heard;
  stream->set_events(&heard);
  stream->start_reading();
  f.until([&] { return heard.ended || heard.failures > 0; });
  CHECK(heard.data == "done\nmore\n");
}

TEST_CASE("a child that does not listen holds up nobody but itself") {
  LoopFixture f;
  ExitRecorder events;
  ProcessOptions options = shell("exec sleep 1000");
  options.talks = true;
  auto process = f.loop->spawn(options, events);
  REQUIRE(process);
  const auto stream = (*process)->take_stream();
  StreamRecorder heard;
  stream->set_events(&heard);
  stream->start_reading();
  CHECK(send(*stream, std::string(4u << 20, 'x')) == Flow::Wait);
  f.turns(3);
  CHECK(stream->unsent() > Stream::kHighWater);
  (*process)->signal(SIGKILL);
  f.until([&] { return events.exits == 1 && heard.failures == 1; });
}

TEST_CASE("the lowest priority: a session's too") {
  LoopFixture f;
  ExitRecorder events;
  const auto process = f.loop->spawn(shell("exec sleep 1000"), events);
  REQUIRE(process);
  const int pid = (*process)->pid();
  (*process)->lower_priority();
  CHECK(::getpriority(PRIO_PROCESS, static_cast<id_t>(pid)) == 19);
  CHECK(::sched_getscheduler(pid) == SCHED_IDLE);
  const std::string group = test::process_file(pid, "autogroup");
  if (!group.empty()) CHECK(group.ends_with(" nice 19\n"));
  (*process)->signal(SIGKILL);
  f.until([&] { return events.exits == 1; });
  (*process)->lower_priority();  // nobody is hit
}
