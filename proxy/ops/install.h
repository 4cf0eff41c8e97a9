#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/result.h"
#include "proxy/ops/run_program.h"

namespace gatescope::ops {

/// What becomes of one step.
enum class Step {
  Done,
  Would,  // with --dry-run
  AsIs,   // it was so already
  Note,   // nothing to be done by us: something to know
};
std::string_view name_of(Step step);

class InstallEvents {
 public:
  virtual ~InstallEvents() = default;
  virtual void on_step(Step step, const std::string& text) = 0;
};

struct InstallRequest {
  std::string root;           // everything below it, for a chroot or a package; empty: this machine
  std::string program;        // the running gatescope
  bool dry_run = false;       // only say what would be done
  bool from_package = false;  // files are dpkg's, which keeps those that were edited
  bool purge = false;         // uninstall: data, logs and configuration, too
  bool systemd = false;       // runs on this machine: systemctl is to be called
};

/// Makes a machine ready to serve: user "scope", folders, the configuration, the programs and the
/// unit numberscope.service. Says each step. May be called again: what is there stays, and a
/// configuration file that was edited is never overwritten (a new one is put beside it as
/// FILE.new). Starts nothing: the certificate is not there yet, or another server still has the
/// ports.
Result<void> install(const InstallRequest& request, ProgramRunner& programs, InstallEvents& events);

/// Stops the service, and takes away unit and programs. Data, logs and configuration stay unless
/// `purge`; then the user goes, too, if install() made it.
Result<void> uninstall(const InstallRequest& request, ProgramRunner& programs,
                       InstallEvents& events);

}  // namespace gatescope::ops
