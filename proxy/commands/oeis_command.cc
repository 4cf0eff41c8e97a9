#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <string>

#include "api/sample/write_sample.h"
#include "proxy/commands/commands.h"
#include "proxy/commands/import_command.h"

namespace gatescope::commands {

namespace {

int make_sample(const std::string& folder) {
  auto report = api::write_sample(folder, [](std::size_t done, std::size_t total) {
    if (::isatty(2))
      fmt::print(stderr, "\r{} of {} sequences{}", done, total, done == total ? "\n" : "");
  });
  if (!report) return failed(report.error());
  fmt::print("{}: the sample is there\n", folder);
  return 0;
}

/// `gatescope oeis sample | import`: data of sequences.
class OeisCommand final : public Command {
  CLI::App& declare(CLI::App& app) override {
    auto* oeis = app.add_subcommand("oeis", "sequence data");
    auto* sample = oeis->add_subcommand("sample", "compute the sample of classical sequences");
    sample->add_option("folder", folder_, "folder to write to")->required();
    sample->callback([this] { sampling_ = true; });
    auto* import = oeis->add_subcommand(
        "import", "store a clone of oeis/oeisdata, or names.gz and stripped.gz");
    import->add_option("path", import_.path, "the clone, a list, or a folder with lists")
        ->required();
    import->add_option("--database", import_.database,
                       "another database than the configured one, in libpq's words");
    import->add_option("--threads", import_.threads, "that read files; one for each processor")
        ->check(CLI::Range(0u, 64u));
    import->add_flag("--prune", import_.prune, "remove what is gone, even if that is much");
    import->fallthrough();
    oeis->require_subcommand(1);
    oeis->fallthrough();
    return *oeis;
  }

  int run(const Invocation& invocation) override {
    return sampling_ ? make_sample(folder_) : run_import_command(import_, invocation);
  }

  bool sampling_ = false;
  std::string folder_;  // of sample
  ImportAsked import_;
};

}  // namespace

std::unique_ptr<Command> oeis_command() {
  return std::make_unique<OeisCommand>();
}

}  // namespace gatescope::commands
