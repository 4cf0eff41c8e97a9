#include "tests/integration/support/process.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <stdexcept>

#include "tests/integration/support/temp_dir.h"
#include "tests/integration/support/within.h"

namespace gatescope::integration {

namespace {

const passwd& nobody() {
  const passwd* user = ::getpwnam("nobody");
  if (!user) throw std::runtime_error("there is no user nobody");
  return *user;
}

int open_output(const std::string& path) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd < 0) throw std::runtime_error("cannot write " + path);
  return fd;
}

}  // namespace

bool we_are_root() {
  return ::geteuid() == 0;
}

bool skipped_without_root() {
  if (we_are_root()) return false;
  std::cout << "SKIPPED: needs root\n";
  return true;
}

std::vector<Account> accounts() {
  if (we_are_root()) return {Account::Own, Account::Nobody};
  return {Account::Own};
}

const char* name_of(Account account) {
  if (account == Account::Nobody) return "as an ordinary user";
  return we_are_root() ? "as root" : "as an ordinary user";
}

void give_to(const std::string& path, Account account) {
  if (account == Account::Own) return;
  const auto give = [](const std::string& one) {
    if (::lchown(one.c_str(), nobody().pw_uid, nobody().pw_gid) != 0)
      throw std::runtime_error("chown " + one);
  };
  give(path);
  if (!std::filesystem::is_directory(path)) return;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path))
    give(entry.path());
}

std::string gatescope_binary() {
  const char* given = std::getenv("GATESCOPE_BINARY");
  return given && *given ? given : GATESCOPE_BINARY;
}

Process::Process(const std::vector<std::string>& args, const std::string& out,
                 const std::string& err, Account account, const std::string& binary) {
  // Everything that allocates comes before fork: the test may have other threads
  std::vector<std::string> words{binary};
  words.insert(words.end(), args.begin(), args.end());
  std::vector<char*> argv;
  for (auto& word : words)
    argv.push_back(word.data());
  argv.push_back(nullptr);
  // Opened here, because another user may not be allowed to come as far as the build folder
  const int program = ::open(binary.c_str(), O_RDONLY | O_CLOEXEC);
  if (program < 0) throw std::runtime_error("no binary to test: " + binary);
  const int fds[] = {::open("/dev/null", O_RDONLY | O_CLOEXEC), open_output(out), open_output(err)};
  const passwd& user = nobody();
  const uid_t uid = user.pw_uid;
  const gid_t gid = user.pw_gid;

  pid_ = ::fork();
  if (pid_ == 0) {
    for (int i = 0; i < 3; ++i)
      ::dup2(fds[i], i);
    if (account == Account::Nobody &&
        (::setgroups(0, nullptr) != 0 || ::setgid(gid) != 0 || ::setuid(uid) != 0))
      ::_exit(126);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // no server outlives a test that crashed
    ::fexecve(program, argv.data(), environ);
    ::_exit(127);
  }
  ::close(program);
  for (int fd : fds)
    ::close(fd);
  if (pid_ < 0) throw std::runtime_error("fork");
}

Process::~Process() {
  if (running()) {
    ::kill(pid_, SIGKILL);
    wait(kPatience);
  }
}

void Process::signal(int number) const {
  if (!status_) ::kill(pid_, number);
}

void Process::look() {
  int status = 0;
  if (status_ || ::waitpid(pid_, &status, WNOHANG) != pid_) return;
  status_ = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

bool Process::running() {
  look();
  return !status_;
}

std::optional<int> Process::wait(std::chrono::milliseconds patience) {
  within(patience, [this] { return !running(); });
  return status_;
}

Outcome run_gatescope(const std::vector<std::string>& args, Account account) {
  TempDir dir;
  Process process(args, dir.path("out"), dir.path("err"), account);
  const auto status = process.wait(4 * kPatience);  // it may make a database, and end it
  if (!status) throw std::runtime_error("gatescope does not end: " + dir.read("err"));
  return {*status, dir.read("out"), dir.read("err")};
}

bool alive(pid_t pid) {
  const char state = test::process_state(pid).state;
  return state != 'X' && state != 'Z';
}

std::optional<uid_t> uid_of(pid_t pid) {
  std::istringstream status(test::process_file(pid, "status"));
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("Uid:")) return static_cast<uid_t>(std::stoul(line.substr(4)));
  return std::nullopt;
}

}  // namespace gatescope::integration
