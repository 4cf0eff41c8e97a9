#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/integration/support/process.h"
#include "tests/integration/support/temp_dir.h"

namespace gatescope::integration {

/// A gatescope in a prefix of its own (logs/, html/, gatescope.conf), started in the foreground.
/// On destruction it is stopped, and a bad end or a sanitizer's report fails the test.
class ServerProcess {
 public:
  explicit ServerProcess(Account account = Account::Own);
  ~ServerProcess();

  TempDir& dir() { return dir_; }
  std::string conf_path() const { return dir_.path("gatescope.conf"); }
  /// Writes the configuration: `http` is what stands inside http { }, `main` stands before it.
  void configure(std::string_view http, std::string_view main = {});
  /// Writes a file below the prefix, readable by the server's account.
  void write(std::string_view name, std::string_view text, unsigned mode = 0644);

  /// Starts and waits until every socket listens. Fails the test with the logs when it does not.
  void start(const std::vector<std::string>& more_args = {});
  /// Starts what cannot start: its exit status.
  int start_in_vain(const std::vector<std::string>& more_args = {});
  /// What is started from now on, instead of the binary under test: a copy of it, or what is to
  /// take its place.
  void use_program(const std::string& path) { program_ = path; }
  /// gatescope -p ... -c ... and these.
  Outcome run(const std::vector<std::string>& args);

  void signal(int number) { process_->signal(number); }
  pid_t pid() const { return process_->pid(); }
  bool running() { return process_ && process_->running(); }
  /// The exit status; fails the test when it does not end.
  int wait();
  /// kill -9 of whoever serves and of the keeper, before it can start another one. Waits for the
  /// end.
  void kill_all();
  /// Who serves: the worker when root started it, else the process itself.
  pid_t worker() const;

  std::string error_log() const { return dir_.read("logs/error.log"); }
  std::string access_log() const { return dir_.read("logs/access.log"); }
  std::string stderr_text() const { return dir_.read("stderr"); }
  /// Waits until the error log holds the text.
  bool error_log_says(std::string_view text) const;
  /// All that was said, for a failed test.
  std::string logs() const;

 private:
  std::vector<std::string> base_args() const;
  const Account account_;
  std::string program_ = gatescope_binary();
  TempDir dir_;
  std::unique_ptr<Process> process_;
  bool ended_as_asked_ = false;  // the test has waited for the end and judged it
};

}  // namespace gatescope::integration
