#include "proxy/commands/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/base/text.h"
#include "proxy/commands/commands.h"

namespace gatescope::commands {

namespace {

std::vector<std::string_view> names_of(const std::vector<const CLI::App*>& commands) {
  std::vector<std::string_view> names;
  for (const CLI::App* one : commands)
    names.emplace_back(one->get_name());
  return names;
}

/// What is wrong, and where help is to be had: of the command that was meant.
std::string explain(const CLI::ParseError& error, const CLI::App& app) {
  const CLI::App* meant = &app;
  std::string words = app.get_name();
  while (!meant->get_subcommands().empty()) {
    meant = meant->get_subcommands().front();
    words += " " + meant->get_name();
  }
  const auto help = fmt::format("; \"{} -h\" tells more", words);
  const auto extra = app.remaining(true);
  const auto known = meant->get_subcommands({});
  const bool word_is_wrong = !known.empty() && !extra.empty() && !extra.front().starts_with('-');
  if (word_is_wrong) {
    const auto near = nearest_word(extra.front(), names_of(known));
    return fmt::format("there is no command \"{} {}\", {}", words, extra.front(),
                       near ? fmt::format("did you mean \"{}\"?", *near)
                            : fmt::format("there are: {}", fmt::join(names_of(known), ", ")));
  }
  if (dynamic_cast<const CLI::ExtrasError*>(&error) && !extra.empty())
    return fmt::format("\"{}\" is too much here{}", fmt::join(extra, " "), help);
  if (dynamic_cast<const CLI::RequiredError*>(&error) && !known.empty())
    return fmt::format("\"{}\" wants a word more: {}", words, fmt::join(names_of(known), ", "));
  return error.what() + help;
}

}  // namespace

Result<CommandLine> parse_command_line(int argc, char** argv) {
  CommandLine line;
  CLI::App app{"gatescope: TLS, files, proxy and the numberscope API in one process", "gatescope"};
  app.set_help_flag("-h,-?,--help", "this text");
  bool test = false, dump = false, version = false, build = false;
  app.add_flag("-t", test, "test the configuration and exit");
  app.add_flag("-T", dump, "test the configuration, print it and exit");
  app.add_flag("-q", line.quiet, "say nothing but errors while testing");
  app.add_flag("-v,--version", version, "print the version and exit");
  app.add_flag("-V", build, "print the version and what it was built with, and exit");
  app.add_option("-s", line.signal, "send a signal to the running gatescope")
      ->check(CLI::IsMember({"stop", "quit", "reopen", "reload"}));
  app.add_option("-p", line.prefix, "prefix: where relative paths begin");
  app.add_option("-c", line.conf, "configuration file");
  app.add_option("-e", line.error_log, "error log until the configuration names one");
  app.add_option("-g", line.extra, "directives that are read before the file");
  app.require_subcommand(0, 1);

  auto commands = all_commands();
  std::vector<CLI::App*> words;
  for (auto& command : commands)
    words.push_back(&command->declare(app));

  using Action = CommandLine::Action;
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    line.action = Action::Help;
    line.text = app.help();
    return line;
  } catch (const CLI::ParseError& error) {
    return make_error(ErrorKind::Invalid, Origin::Internal, explain(error, app));
  }
  for (std::size_t i = 0; i < commands.size(); ++i)
    if (words[i]->parsed()) line.command = std::move(commands[i]);
  if (line.command) {
    line.action = Action::Command;
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

}  // namespace gatescope::commands
