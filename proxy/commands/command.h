#pragma once

#include <memory>
#include <string>
#include <vector>

#include "proxy/base/result.h"
#include "proxy/launch_options.h"

namespace CLI {
class App;
}

namespace gatescope::commands {

using server::LaunchOptions;

/// What is said before a command: nginx's flags.
struct Invocation {
  LaunchOptions launch;  // -p, -c, -g, -e
  bool quiet = false;    // -q
};

/// A word of the command line with all that belongs to it ("certs list | renew | check"): what it
/// takes, and what it does. Made for one run of the program; holds what the command line said.
class Command {
 public:
  virtual ~Command() = default;
  /// Adds the word and its options, which are kept here when the line is parsed; `app` is gone when
  /// run() is called.
  virtual CLI::App& declare(CLI::App& app) = 0;
  /// Only after its word was found. Returns the exit status: 0 done, others as the command says.
  virtual int run(const Invocation& invocation) = 0;
};

/// Says what failed, on standard error; the exit status for it.
int failed(const Error& error);

}  // namespace gatescope::commands
