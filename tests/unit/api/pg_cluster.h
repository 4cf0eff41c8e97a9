#pragma once

// PostgreSQL servers as an administrator runs them, for tests: not ours to start or to stop. Each
// has a folder, a socket there, and no port. Run as somebody else when we are root.

#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "api/postgres_files.h"
#include "tests/support/processes.h"

namespace gatescope::api {

class PgCluster {
 public:
  /// `folder` exists, and PostgreSQL's user may enter it.
  explicit PgCluster(std::string folder) : folder_(std::move(folder)) {
    (void)make_folder(folder_, 0700, user_);
  }
  ~PgCluster() { stop(SIGKILL); }
  PgCluster(const PgCluster&) = delete;
  PgCluster& operator=(const PgCluster&) = delete;

  void init() {
    run({"initdb", "-D", data(), "-U", "postgres", "-A", "trust", "--encoding=UTF8",
         "--locale=C.UTF-8", "--no-sync", "--no-instructions"});
    std::ofstream(data() + "/pg_hba.conf") << "local all all trust\nlocal replication all trust\n";
  }
  /// A streaming standby of the other, which runs.
  void init_as_standby_of(const PgCluster& primary) {
    run({"pg_basebackup", "-D", data(), "-R", "-X", "stream", "-c", "fast", "--no-sync", "-d",
         primary.connection("postgres")});
  }
  /// Returns when it takes connections, or as soon as it is gone again: see running().
  void start(std::vector<std::string> settings = {}, rlim_t largest_file = RLIM_INFINITY) {
    std::vector<std::string> argv{binaries_ + "/postgres", "-D", data()};
    settings.insert(settings.end(),
                    {"listen_addresses=", "unix_socket_directories=" + folder_, "fsync=off",
                     "shared_buffers=16MB", "dynamic_shared_memory_type=mmap"});
    for (const auto& setting : settings) {
      argv.emplace_back("-c");
      argv.push_back(setting);
    }
    std::filesystem::remove(data() + "/postmaster.pid");
    pid_ = spawn(argv, largest_file);
    wait_for([&] { return !running() || status_line() == "ready" || status_line() == "standby"; });
  }
  /// SIGINT: in order; SIGKILL: not. Returns when it has gone.
  void stop(int signal = SIGINT) {
    if (pid_ <= 0) return;
    // A killed one's processes would go on for a moment, and nobody's children are not found.
    if (signal == SIGKILL)
      signal_all(SIGKILL);
    else
      ::kill(pid_, signal);
    if (running()) ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
  void promote() { run({"pg_ctl", "promote", "-w", "-s", "-D", data()}); }
  bool running() {
    if (pid_ > 0 && ::waitpid(pid_, nullptr, WNOHANG) == pid_) pid_ = -1;
    return pid_ > 0;
  }
  pid_t pid() const { return pid_; }
  const std::string& socket_folder() const { return folder_; }
  std::string data() const { return folder_ + "/data"; }
  std::string connection(const std::string& database, const std::string& user = "postgres") const {
    return "host=" + folder_ + " dbname=" + database + " user=" + user;
  }
  /// Sends all of its processes a signal: SIGSTOP makes it silent.
  void signal_all(int number) {
    for (const pid_t child : test::children_of(pid_))
      ::kill(child, number);
    ::kill(pid_, number);
  }
  /// The text of a program of PostgreSQL's that ends well.
  void run(std::vector<std::string> argv) {
    argv[0] = binaries_ + "/" + argv[0];
    const pid_t child = spawn(argv, RLIM_INFINITY);
    int status = 0;
    ::waitpid(child, &status, 0);
    if (status != 0) throw std::runtime_error(argv[0] + " failed: " + log());
  }
  std::string log() const {
    std::ifstream in(folder_ + "/log");
    return {std::istreambuf_iterator<char>(in), {}};
  }

 private:
  template <class Condition>
  static void wait_for(const Condition& holds) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!holds()) {
      if (std::chrono::steady_clock::now() > end) throw std::runtime_error("it does not start");
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  }
  /// The last line of postmaster.pid: "starting", "ready", "standby", "stopping".
  std::string status_line() const {
    std::ifstream in(data() + "/postmaster.pid");
    std::string line, last;
    for (int n = 0; std::getline(in, line); ++n)
      if (n == 7) last = line.substr(0, line.find(' '));
    return last;
  }
  pid_t spawn(const std::vector<std::string>& argv, rlim_t largest_file) const {
    std::vector<char*> words;
    for (const auto& word : argv)
      words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);
    const std::string log = folder_ + "/log";
    const pid_t child = ::fork();
    if (child != 0) return child;
    if (::geteuid() == 0 &&
        (::setgroups(0, nullptr) != 0 || ::setgid(user_.gid) != 0 || ::setuid(user_.uid) != 0))
      ::_exit(100);
    ::umask(077);
    if (largest_file != RLIM_INFINITY) {
      const rlimit limit{largest_file, largest_file};
      ::setrlimit(RLIMIT_FSIZE, &limit);
      ::signal(SIGXFSZ, SIG_IGN);
    }
    const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    ::dup2(::open("/dev/null", O_RDONLY), 0);
    ::dup2(out, 1);
    ::dup2(out, 2);
    for (int fd = 3; fd < 256; ++fd)
      ::close(fd);
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::setenv("LC_ALL", "C.UTF-8", 1);
    if (::chdir(folder_.c_str()) != 0) ::_exit(101);
    ::execv(words[0], words.data());
    ::_exit(102);
  }

  const std::string folder_;
  const OsUser user_ = postgres_os_user().value();
  const std::string binaries_ = find_postgres_binaries().value();
  pid_t pid_ = -1;  // -1: not running
};

}  // namespace gatescope::api
