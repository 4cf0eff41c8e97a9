#include "proxy/command_line.h"

#include <CLI/CLI.hpp>

namespace gatescope::server {

Result<CommandLine> parse_command_line(int argc, char** argv) {
  CommandLine line;
  CLI::App app{"gatescope: TLS, files, proxy and the numberscope API in one process", "gatescope"};
  app.set_help_flag("-h,-?,--help", "this text");
  bool test = false, dump = false, version = false, build = false;
  app.add_flag("-t", test, "test the configuration and exit");
  app.add_flag("-T", dump, "test the configuration, print it and exit");
  app.add_flag("-q", line.quiet, "say nothing but errors while testing");
  app.add_flag("-v", version, "print the version and exit");
  app.add_flag("-V", build, "print the version and what it was built with, and exit");
  app.add_option("-s", line.signal, "send a signal to the running gatescope")
      ->check(CLI::IsMember({"stop", "quit", "reopen", "reload"}));
  app.add_option("-p", line.prefix, "prefix: where relative paths begin");
  app.add_option("-c", line.conf, "configuration file");
  app.add_option("-e", line.error_log, "error log until the configuration names one");
  app.add_option("-g", line.extra, "directives that are read before the file");
  app.require_subcommand(0, 1);

  auto* cert = app.add_subcommand("cert", "certificates");
  auto* dev = cert->add_subcommand("dev", "make a development CA and a certificate");
  dev->add_option("--dir", line.folder, "folder to write to")->required();
  dev->add_option("--name", line.names, "DNS name or IP address, several allowed")->required();
  cert->require_subcommand(1);
  auto* oeis = app.add_subcommand("oeis", "sequence data");
  auto* sample = oeis->add_subcommand("sample", "compute the sample of classical sequences");
  sample->add_option("folder", line.folder, "folder to write to")->required();
  auto* import =
      oeis->add_subcommand("import", "store a clone of oeis/oeisdata, or names.gz and stripped.gz");
  import->add_option("path", line.folder, "the clone, a list, or a folder with lists")->required();
  import->add_option("--database", line.database,
                     "another database than the configured one, in libpq's words");
  import->add_option("--threads", line.threads, "that read files; one for each processor")
      ->check(CLI::Range(0u, 64u));
  import->add_flag("--prune", line.prune, "remove what is gone, even if that is much");
  import->fallthrough();
  oeis->require_subcommand(1);
  oeis->fallthrough();
  auto* conf = app.add_subcommand("conf", "the configuration language");
  auto* reference = conf->add_subcommand("reference", "print the directive reference");
  conf->require_subcommand(1);
  auto* database = app.add_subcommand("db", "the database that the configuration names");
  using DatabaseAction = CommandLine::DatabaseAction;
  const auto database_command = [&](const char* name, DatabaseAction action, const char* help) {
    auto* command = database->add_subcommand(name, help);
    command->callback([&line, action] { line.database_action = action; });
    command->fallthrough();
    if (action == DatabaseAction::Clear || action == DatabaseAction::Reset)
      command->add_flag("--yes", line.yes, "do not ask");
  };
  database_command("status", DatabaseAction::Status, "what it is and what it holds");
  database_command("init", DatabaseAction::Init, "make its tables, or bring them up to date");
  database_command("clear", DatabaseAction::Clear, "empty its tables");
  database_command("reset", DatabaseAction::Reset, "drop its tables and make them again");
  database->require_subcommand(1);
  database->fallthrough();
  auto* certs = app.add_subcommand("certs", "the certificates of the configuration");
  using CertificateAction = CommandLine::CertificateAction;
  const auto certs_command = [&](const char* name, CertificateAction action, const char* help) {
    auto* command = certs->add_subcommand(name, help);
    command->callback([&line, action] { line.certificate_action = action; });
    command->fallthrough();
    return command;
  };
  certs->add_flag("--json", line.json, "for programs");
  certs_command("list", CertificateAction::List,
                "names, issuers, keys, days left, next renewals and errors");
  auto* renew =
      certs_command("renew", CertificateAction::Renew, "obtain those of acme_issuer anew, now");
  renew->add_option("name", line.names, "a name of the certificate; all of them without");
  renew->add_flag("--dry-run", line.dry_run,
                  "only try, at the authority's directory for that; nothing is stored");
  renew->add_option("--server", line.directory, "directory of the authority for a dry run (URL)");
  auto* check = certs_command("check", CertificateAction::Check, "look at a server from outside");
  check->add_option("host", line.host, "HOST or HOST:PORT")->required();
  check->add_option("--ca", line.ca_file,
                    "who is trusted (PEM), instead of whom the system trusts");
  certs->require_subcommand(0, 1);
  certs->fallthrough();

  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    line.action = CommandLine::Action::Help;
    line.text = app.help();
    return line;
  } catch (const CLI::ParseError& error) {
    return make_error(ErrorKind::Invalid, Origin::Internal,
                      std::string(error.what()) + "; \"gatescope -h\" lists what there is");
  }
  using Action = CommandLine::Action;
  if (dev->parsed()) {
    line.action = Action::CertDev;
  } else if (sample->parsed()) {
    line.action = Action::OeisSample;
  } else if (import->parsed()) {
    line.action = Action::OeisImport;
  } else if (reference->parsed()) {
    line.action = Action::ConfReference;
  } else if (database->parsed()) {
    line.action = Action::Database;
  } else if (certs->parsed()) {
    line.action = Action::Certificates;
  } else if (build) {
    line.action = Action::VersionAndBuild;
  } else if (version) {
    line.action = Action::Version;
  } else if (!line.signal.empty()) {
    line.action = Action::Signal;
  } else if (dump) {
    line.action = Action::TestAndDump;
  } else if (test) {
    line.action = Action::Test;
  }
  return line;
}

}  // namespace gatescope::server
