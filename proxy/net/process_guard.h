#pragma once

namespace gatescope::net {

/// What the guard of a program (guarded_process.h) was made for. Private to proxy/net.
struct GuardedProgram {
  const char* path;
  char* const* argv;
  char* const* environment;
  int users;   // descriptor of the UsersFile, of an open file description of its own
  int report;  // where an errno is written when the program cannot be run; closed when it can
};

/// In a forked process: runs the program and watches over it to its end. Async-signal-safe.
[[noreturn]] void guard(const GuardedProgram& program);

}  // namespace gatescope::net
