#pragma once

#include <optional>
#include <string>
#include <vector>

#include "proxy/base/result.h"

namespace gatescope::server {

/// What the command line asks for: nginx's flags, and our own commands.
struct CommandLine {
  enum class Action {
    Serve,
    Test,
    TestAndDump,
    Signal,
    Version,
    VersionAndBuild,
    CertDev,
    OeisSample,
    OeisImport,
    ConfReference,
    Database,
    Certificates,
    Help
  };
  enum class DatabaseAction { Status, Init, Clear, Reset };
  enum class CertificateAction { List, Renew, Check };
  Action action = Action::Serve;
  std::string prefix, conf, error_log, extra, signal;
  bool quiet = false;
  std::string folder;              // of cert dev, oeis sample, oeis import
  std::string database;            // oeis import; empty: the configured one
  unsigned threads = 0;            // oeis import
  bool prune = false;              // oeis import
  std::vector<std::string> names;  // cert dev; certs renew: empty: all
  std::string text;                // of Help
  DatabaseAction database_action = DatabaseAction::Status;
  bool yes = false;  // db clear, db reset: do not ask
  CertificateAction certificate_action = CertificateAction::List;
  bool json = false;      // certs, certs check
  bool dry_run = false;   // certs renew
  std::string directory;  // certs renew: instead of the issuer's; empty: that one
  std::string host;       // certs check: HOST[:PORT]
  std::string ca_file;    // certs check: empty: whom the system trusts
};
/// Error Invalid: what is wrong and how to ask for help.
Result<CommandLine> parse_command_line(int argc, char** argv);

}  // namespace gatescope::server
