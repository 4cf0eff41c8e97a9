#include "tests/integration/support/server_process.h"

#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "proxy/base/unique_fd.h"
#include "tests/integration/support/within.h"
#include "tests/support/catch.h"
#include "tests/support/http_version.h"

namespace gatescope::integration {

namespace {

using std::chrono_literals::operator""ms;

const char* const kSanitizerWords[] = {"AddressSanitizer", "LeakSanitizer", "ThreadSanitizer",
                                       "runtime error:"};

}  // namespace

ServerProcess::ServerProcess(Account account) : account_(account) {
  for (const char* folder : {"logs", "html"})
    std::filesystem::create_directory(dir_.path(folder));
  for (const char* folder : {"", "logs", "html"})
    give_to(dir_.path(folder), account_);
}

ServerProcess::~ServerProcess() {
  if (!process_) return;
  const bool died = !process_->running() && !ended_as_asked_;
  process_->signal(SIGTERM);
  const auto status = process_->wait(kPatience);
  if (!ended_as_asked_) {
    INFO(logs());
    CHECK_FALSE(died);
    CHECK(status == 0);
  }
  const std::string said = logs();
  for (const char* word : kSanitizerWords) {
    INFO(said);
    CHECK(said.find(word) == std::string::npos);
  }
}

void ServerProcess::write(std::string_view name, std::string_view text, unsigned mode) {
  give_to(dir_.write(name, text, mode), account_);
}

void ServerProcess::configure(std::string_view http, std::string_view main) {
  std::string text = "daemon off;";
  // The same tests once more with several loops; on the same line, because tests name lines
  const char* loops = std::getenv("GATESCOPE_LOOPS");
  if (loops && main.find("worker_processes") == std::string_view::npos)
    text.append(" worker_processes ").append(loops).append(";");
  text += "\nerror_log logs/error.log info;\n";
  const char* const http2 = test::speaks_http2() ? " http2 on;" : "";
  text.append(main).append("\nevents { }\nhttp {").append(http2).append("\n");
  text.append(http).append("\n}\n");
  write("gatescope.conf", text);
}

std::vector<std::string> ServerProcess::base_args() const {
  return {"-p", dir_.path() + "/", "-c", conf_path()};
}

void ServerProcess::start(const std::vector<std::string>& more_args) {
  ended_as_asked_ = false;
  auto args = base_args();
  args.insert(args.end(), more_args.begin(), more_args.end());
  process_ =
      std::make_unique<Process>(args, dir_.path("stdout"), dir_.path("stderr"), account_, program_);
  const std::string mine = std::to_string(process_->pid()) + "\n";
  within(kPatience,
         [&] { return dir_.read("logs/gatescope.pid") == mine || !process_->running(); });
  INFO(logs());
  REQUIRE(process_->running());
  REQUIRE(dir_.read("logs/gatescope.pid") == mine);
}

int ServerProcess::start_in_vain(const std::vector<std::string>& more_args) {
  auto args = base_args();
  args.insert(args.end(), more_args.begin(), more_args.end());
  process_ =
      std::make_unique<Process>(args, dir_.path("stdout"), dir_.path("stderr"), account_, program_);
  return wait();
}

Outcome ServerProcess::run(const std::vector<std::string>& args) {
  auto all = base_args();
  all.insert(all.end(), args.begin(), args.end());
  return run_gatescope(all, account_);
}

int ServerProcess::wait() {
  const auto status = process_->wait(kPatience);
  INFO(logs());
  REQUIRE(status);
  ended_as_asked_ = true;
  return *status;
}

void ServerProcess::kill_all() {
  const pid_t keeper = pid(), serving = worker();
  const UniqueFd left(static_cast<int>(::syscall(SYS_pidfd_open, serving, 0)));
  REQUIRE(left);
  if (keeper != serving) ::kill(keeper, SIGSTOP);
  ::kill(serving, SIGKILL);
  ::kill(keeper, SIGKILL);
  CHECK(wait() == 128 + SIGKILL);
  // A thread of it that waits for the disk keeps its sockets
  pollfd gone{left.get(), POLLIN, 0};
  CHECK(::poll(&gone, 1, static_cast<int>(kPatience / 1ms)) == 1);
}

pid_t ServerProcess::worker() const {
  if (!we_are_root() || account_ != Account::Own) return pid();
  const auto workers = children_of(pid());
  return workers.empty() ? -1 : workers.front();
}

bool ServerProcess::error_log_says(std::string_view text) const {
  return within(kPatience, [&] { return error_log().find(text) != std::string::npos; });
}

std::string ServerProcess::logs() const {
  return "--- stderr\n" + stderr_text() + "--- error.log\n" + error_log();
}

}  // namespace gatescope::integration
