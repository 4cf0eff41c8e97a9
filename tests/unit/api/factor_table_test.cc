// gatescope-factor itself: the contract's table, what it answers when, and how it is confined.

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <optional>
#include <sstream>

#include "api/factor/confine.h"
#include "proxy/net/uv_loop.h"
#include "tests/support/catch.h"
#include "tests/support/processes.h"
#include "tests/unit/api/api_fixture.h"

using namespace gatescope;
using namespace gatescope::api;

namespace {

/// Whether this kernel has Landlock: without rules it only says its version.
bool has_landlock() {
  return ::syscall(SYS_landlock_create_ruleset, nullptr, 0, 1) >= 1;
}

/// The program, and a conversation by hand.
struct Program : private net::StreamEvents, private net::ProcessEvents, private net::TimerEvents {
  net::OwnSockets sockets;
  MemoryLog log;
  std::unique_ptr<net::UvLoop> loop = net::UvLoop::make(sockets, log);
  std::unique_ptr<net::Process> process;
  std::unique_ptr<net::Stream> stream;
  std::string heard;
  std::optional<int> status;

  Program() {
    net::ProcessOptions options;
    options.argv = {GATESCOPE_FACTOR_PROGRAM};
    options.talks = true;
    options.death_signal = SIGKILL;
    auto started = loop->spawn(options, *this);
    if (!started) FAIL(started.error().detail);
    process = std::move(*started);
    stream = process->take_stream();
    stream->set_events(this);
    stream->start_reading();
    REQUIRE(until([&] { return heard.ends_with('\n'); }));
    hello = std::exchange(heard, {});
  }
  ~Program() override {
    stream.reset();
    process.reset();
  }
  std::string hello;

  void say(const std::string& text) {
    ByteQueue bytes;
    bytes.append_copy(text);
    stream->write(bytes);
  }
  bool until(const std::function<bool()>& holds, Duration within = Duration(60'000)) {
    const auto tick = loop->make_timer(*this);
    const MonoTime end = SystemClock().now() + within;
    while (!holds() && SystemClock().now() < end) {
      tick->start(Duration(20));
      loop->run_turn();
    }
    return holds();
  }
  std::string factor(const std::string& number, unsigned seconds = 60) {
    heard.clear();
    say("7 " + std::to_string(seconds) + " " + number + "\n");
    if (!until([&] { return heard.ends_with('\n') || status; })) return "nothing";
    if (!heard.starts_with("7 ")) return "not understood: " + heard;
    return heard.substr(2, heard.size() - 3);
  }
  std::string proc(const std::string& file) const {
    return test::process_file(process->pid(), file);
  }

 private:
  void on_data(std::span<const std::byte> data) override { heard += as_text(data); }
  void on_end() override {}
  void on_drained() override {}
  void on_failed(const Error&) override {}
  void on_exit(int s) override { status = s; }
  void on_timer(net::Timer&) override {}
};

// Of two primes of 40 digits: minutes.
const std::string kHardTerm =
    "3355241264054922884295380516786309879654455387078417280940618125150699754055589";
const std::string kTwo512 =
    "13407807929942597099574024998205846127479365820592393377723561443721764030073546976801874298"
    "166903427690031858186486050853753882811946569946433649006084096";
const std::string kTwo512Plus1 = kTwo512.substr(0, kTwo512.size() - 1) + "7";
const std::string kTwo513 =
    "26815615859885194199148049996411692254958731641184786755447122887443528060147093953603748596"
    "333806855380063716372972101707507765623893139892867298012168192";

}  // namespace

TEST_CASE("the contract's table of factors, cell by cell") {
  Program program;
  const std::vector<std::pair<std::string, std::string>> cells = {
      {"0", "[0, 1]"},
      {"1", "[]"},
      {"-1", "[-1,1]"},
      {"97", "[97,1]"},
      {"8", "[2,3]"},
      {"12", "[2,2;3,1]"},
      {"360", "[2,3;3,2;5,1]"},
      {"-2", "[2,1;-1,1]"},
      {"-12", "[2,2;3,1;-1,1]"},
      {"-120", "[2,3;3,1;5,1;-1,1]"},
      {"4294967296", "[2,32]"},
      {"-4294967296", "[2,32;-1,1]"},
      {"4294967297", "[641, 1; 6700417, 1]"},
      {"-4294967297", "[-1, 1; 641, 1; 6700417, 1]"},
      {"2305843009213693951", "[2305843009213693951, 1]"},
      {"4611686014132420609", "[2147483647, 2]"},
      {"-36893488147419103232", "[-1, 1; 2, 65]"},
      {kTwo512, "[2, 512]"},
      {"-" + kTwo512, "[-1, 1; 2, 512]"},
      {kTwo512Plus1, "no_fac"},
      {"-" + kTwo512Plus1, "no_fac"},
      {kTwo513, "no_fac"},
  };
  for (const auto& [number, expected] : cells) {
    CAPTURE(number);
    CHECK(program.factor(number) == expected);
  }
}

TEST_CASE("numbers as b-files may have them, and at the borders of how they are factored") {
  Program program;
  const std::vector<std::pair<std::string, std::string>> cells = {
      {"-0", "[0, 1]"},
      {"+12", "[2,2;3,1]"},
      {"00012", "[2,2;3,1]"},
      {"-00012", "[2,2;3,1;-1,1]"},
      {"66049", "[257,2]"},
      {"4294967291", "[4294967291,1]"},
      {"18446744073709551615",
       "[3, 1; 5, 1; 17, 1; 257, 1; 641, 1; 65537, 1; 6700417, 1]"},  // 2^64 - 1
      {"18446744073709551616", "[2, 64]"},
      {"18446744073709551557", "[18446744073709551557, 1]"},  // the last prime below
      {"18446744030759878681", "[4294967291, 2]"},            // the last square of one
      {"18446744073709551629", "[18446744073709551629, 1]"},  // the first above
      {"1000000016000000063", "[1000000007, 1; 1000000009, 1]"},
      // F(271) would take long; F(120) does not.
      {"5358359254990966640871840",
       "[2, 5; 3, 2; 5, 1; 7, 1; 11, 1; 23, 1; 31, 1; 41, 1; 61, 1; 241, 1; 2161, 1; 2521, 1; "
       "20641, 1]"},
  };
  for (const auto& [number, expected] : cells) {
    CAPTURE(number);
    CHECK(program.factor(number) == expected);
  }
}

TEST_CASE("a batch is answered in order") {
  Program program;
  std::string batch;
  for (int i = 1; i <= 500; ++i)
    batch += std::to_string(i) + " 5 " + std::to_string(i * 1000003) + "\n";
  program.say(batch);
  REQUIRE(program.until(
      [&] { return std::count(program.heard.begin(), program.heard.end(), '\n') == 500; }));
  std::istringstream in(program.heard);
  int expected = 1;
  for (std::string line; std::getline(in, line); ++expected)
    CHECK(line.starts_with(std::to_string(expected) + " ["));
}

TEST_CASE("a hard number keeps nothing that was done before it") {
  Program program;
  program.say("1 5 6\n2 5 10\n3 5 " + kHardTerm + "\n4 5 15\n");
  REQUIRE(program.until([&] { return program.heard == "1 [2,1;3,1]\n2 [2,1;5,1]\n"; }));
}

TEST_CASE("the kernel ends it when the CPU time for a number is over") {
  Program program;
  program.say("1 1 " + kHardTerm + "\n");
  REQUIRE(program.until([&] { return program.status.has_value(); }));
  CHECK(WIFSIGNALED(*program.status));
  CHECK(WTERMSIG(*program.status) == SIGXCPU);
}

TEST_CASE("it goes when nobody talks with it any more, and when it is told nonsense") {
  Program leaving;
  leaving.stream->shut_down();
  REQUIRE(leaving.until([&] { return leaving.status.has_value(); }));
  CHECK(WEXITSTATUS(*leaving.status) == 0);
  for (const std::string& nonsense :
       {std::string("hello\n"), std::string("1 5\n"), std::string(2000, '1'),
        "1 5 " + std::string(600, '1') + "\n"}) {
    Program program;
    program.say(nonsense);
    REQUIRE(program.until([&] { return program.status.has_value(); }));
    CHECK(WEXITSTATUS(*program.status) == 1);
  }
}

TEST_CASE("what is no number is refused, and the next one works") {
  Program program;
  CHECK(program.factor("12x") == "! no integer");
  CHECK(program.factor("--3") == "! no integer");
  CHECK(program.factor("15") == "[3,1;5,1]");
}

TEST_CASE("it is confined, of low priority and bounded") {
  Program program;
  CHECK(program.hello ==
        (has_landlock() ? "gatescope-factor 2 filter,landlock\n" : "gatescope-factor 2 filter\n"));
  const int pid = program.process->pid();
  CHECK(::getpriority(PRIO_PROCESS, static_cast<id_t>(pid)) == 10);
  CHECK(::sched_getscheduler(pid) == SCHED_BATCH);
  const std::string status = program.proc("status");
  CHECK(status.find("NoNewPrivs:\t1") != std::string::npos);
  CHECK(status.find("Seccomp:\t2") != std::string::npos);
  CHECK(status.find("Threads:\t1") != std::string::npos);
  const std::string limits = program.proc("limits");
  const auto limit = [&](const std::string& name) {
    std::istringstream in(limits.substr(limits.find(name) + name.size()));
    std::string soft;
    in >> soft;
    return soft;
  };
  CHECK(limit("Max open files") == "0");
  CHECK(limit("Max file size") == "0");
  CHECK(limit("Max core file size") == "0");
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  CHECK(limit("Max address space") == "536870912");
#endif
}

TEST_CASE("without memory it says so or ends") {
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  Program program;
  CHECK(program.factor("15") == "[3,1;5,1]");
  const pid_t pid = program.process->pid();
  rlimit before{};
  REQUIRE(::prlimit(pid, RLIMIT_AS, nullptr, &before) == 0);
  const rlimit tight{1 << 20, before.rlim_max};  // less than it has: nothing more is to be had
  REQUIRE(::prlimit(pid, RLIMIT_AS, &tight, nullptr) == 0);
  // 61 digits, of two primes: needs 20 MB. It may say no or end; it may not hang or take more.
  const std::string answer =
      program.factor("3176170335284675474643152989802798512891134554233282538412137");
  CAPTURE(answer);
  if (!program.status) {
    CHECK(answer.starts_with("! "));
    CHECK(program.factor("21") == "[3,1;7,1]");
  }
#endif
}

TEST_CASE("confined, nothing can be opened, connected or started") {
  // In a child: what is given up does not come back.
  const bool landlock = has_landlock();
  const pid_t pid = ::fork();
  if (pid == 0) {
    factor::limit_resources();
    const auto confined = factor::confine();
    if (!confined.filter || confined.landlock != landlock) ::_exit(100);
    errno = 0;
    if (::open("/etc/passwd", O_RDONLY) >= 0 || errno != EPERM) ::_exit(1);
    if (::socket(AF_INET, SOCK_STREAM, 0) >= 0 || errno != EPERM) ::_exit(2);
    if (::syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) >= 0 || errno != EPERM) ::_exit(3);
    if (::kill(::getppid(), 0) == 0 || errno != EPERM) ::_exit(4);
    char* none[] = {nullptr};
    if (::execve("/bin/true", none, none) == 0 || errno != EPERM) ::_exit(5);
    if (::mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
               0) != MAP_FAILED)
      ::_exit(6);
    void* const data =
        ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (data == MAP_FAILED) ::_exit(7);
    if (::mprotect(data, 4096, PROT_READ | PROT_EXEC) == 0) ::_exit(8);
    const rlimit more{1000, 1000};
    if (::setrlimit(RLIMIT_NOFILE, &more) == 0) ::_exit(9);
    factor::allow_cpu(5);
    rlimit cpu{};
    if (::syscall(SYS_prlimit64, 0, RLIMIT_CPU, nullptr, &cpu) != 0 || cpu.rlim_cur > 60)
      ::_exit(10);
    if (::syscall(SYS_prlimit64, ::getppid(), RLIMIT_CPU, nullptr, &cpu) == 0) ::_exit(11);
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(pid, &status, 0) == pid);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("Landlock alone keeps it from files, for kernels without filters") {
  if (!has_landlock()) return;
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    const int before = ::open("/etc/passwd", O_RDONLY);
    if (before < 0 || !factor::forbid_files()) ::_exit(100);
    errno = 0;
    if (::open("/etc/passwd", O_RDONLY) >= 0 || errno != EACCES) ::_exit(1);
    if (::open("/tmp/gatescope-landlock", O_WRONLY | O_CREAT, 0600) >= 0) ::_exit(2);
    if (::mkdir("/tmp/gatescope-landlock", 0700) == 0) ::_exit(3);
    char* none[] = {nullptr};
    if (::execve("/bin/true", none, none) == 0 || errno != EACCES) ::_exit(4);
    char byte = 0;
    if (::read(before, &byte, 1) != 1) ::_exit(5);
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(pid, &status, 0) == pid);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}
