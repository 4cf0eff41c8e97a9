#pragma once

#include <signal.h>

#include <string>

#include "tests/integration/support/server_process.h"

namespace gatescope::integration {

/// A server whose program is exchanged (USR2). The program lies in the server's own folder, where a
/// test can put another one in its place and every account may run it. Ends whatever the pid files
/// name, before the server is ended and judged.
class Upgraded {
 public:
  explicit Upgraded(ServerProcess& server, Account account = Account::Own);
  ~Upgraded();

  /// The program under test, or a script, where the server finds its program.
  void put_program();
  void put_script(const std::string& text);
  pid_t pid() const { return read("logs/gatescope.pid"); }
  pid_t old_pid() const { return read("logs/gatescope.pid.oldbin"); }  // -1: there is none
  /// USR2 to whom the pid file names, until another one serves: its number. Fails the test.
  pid_t change();
  /// WINCH and QUIT to the old one, until it has ended.
  void end_old();
  /// QUIT to the new one, until the old one has the pid file again.
  void end_new();
  /// Nobody lives that has this number, or it is nobody's child any more.
  static bool ended(pid_t pid);

 private:
  pid_t read(const std::string& name) const;
  ServerProcess& server_;
  const Account account_;
};

}  // namespace gatescope::integration
