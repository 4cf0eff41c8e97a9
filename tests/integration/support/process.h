#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/processes.h"

namespace gatescope::integration {

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// How often.
inline std::size_t count(const std::string& text, std::string_view part) {
  std::size_t n = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++n;
  return n;
}

/// Who starts a program. Only root can choose.
enum class Account { Own, Nobody };

/// The accounts that a server must work under: a run as root tries root and an ordinary user.
std::vector<Account> accounts();
const char* name_of(Account account);
bool we_are_root();
/// For what only root can try. ctest reads the word that it prints, and counts the test as not run.
bool skipped_without_root();
/// Gives a file, or a folder and all in it, to that account. No effect for Own.
void give_to(const std::string& path, Account account);

/// The binary under test.
std::string gatescope_binary();

/// A started gatescope, or another `program` (no script). Killed with this object if it still runs.
class Process {
 public:
  /// Output goes to the two files, which are made.
  Process(const std::vector<std::string>& args, const std::string& out, const std::string& err,
          Account account = Account::Own, const std::string& program = gatescope_binary());
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }
  void signal(int number) const;
  bool running();
  /// The exit status, 128 + n when signal n ended it; nullopt: still runs after `patience`.
  std::optional<int> wait(std::chrono::milliseconds patience);

 private:
  void look();
  pid_t pid_ = -1;
  std::optional<int> status_;
};

struct Outcome {
  int status = 0;
  std::string out, err;
};
/// Runs gatescope to its end.
Outcome run_gatescope(const std::vector<std::string>& args, Account account = Account::Own);

/// A process that runs: one that nobody has reaped yet does not (in a container init may be lazy).
bool alive(pid_t pid);
/// The processes whose parent is `parent`.
using test::children_of;
/// The real uid of a process; nullopt: there is no such process.
std::optional<uid_t> uid_of(pid_t pid);

}  // namespace gatescope::integration
