#pragma once

#include <string>

#include "proxy/base/result.h"

namespace gatescope::server {

/// What a process has given up of root's powers and cannot get back, for the log.
struct Privileges {
  unsigned long long capabilities = 0;  // those that it could still use, a bit each
  bool no_new_privileges = false;
  /// "no capabilities, no new privileges", and what is left instead where something is.
  std::string in_words() const;
  bool none() const { return capabilities == 0 && no_new_privileges; }
};

/// Of this process now.
Privileges privileges_now();

/// Once the worker is the user whom the configuration names: no capability in any set, and nothing
/// that is executed brings one (no_new_privs). The embedded PostgreSQL and gatescope-factor need
/// none. What the kernel refuses stays, and is seen by privileges_now(). Of all threads that are
/// made afterwards: call it while there is one.
void give_up_privileges();

/// Only no_new_privs: for a process that serves without a keeper and may need the capabilities that
/// it was given (to bind port 443) at each reload.
void refuse_new_privileges();

}  // namespace gatescope::server
