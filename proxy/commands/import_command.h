#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "api/oeis_import.h"
#include "proxy/base/clock.h"
#include "proxy/commands/command.h"

namespace gatescope::commands {

/// Shows how far an import is: a bar that is drawn again ten times a second on a terminal, else a
/// line every five seconds. One per import, on the stack of the command.
class ImportDisplay final : public api::OeisImportEvents {
 public:
  using Write = std::function<void(std::string_view)>;
  /// `columns` of the terminal; 0: no terminal. `quiet`: problems only.
  ImportDisplay(const Clock& clock, unsigned columns, bool quiet, Write write)
      : clock_(clock), columns_(columns), quiet_(quiet), write_(std::move(write)) {}

  void on_progress(const api::ImportProgress& progress) override;
  void on_problem(const std::string& problem) override;
  void on_note(const std::string& note) override;
  /// Takes the bar away, and says how many problems were not shown.
  void finish();

 private:
  void line(const std::string& text);
  void clear_bar();

  // Constant after construction
  const Clock& clock_;
  const unsigned columns_;
  const bool quiet_;
  const Write write_;

  std::string what_;  // the step that is shown
  MonoTime since_{};  // of it
  std::optional<MonoTime> shown_;
  bool bar_ = false;  // stands on the terminal's last line
  std::size_t problems_ = 0;
};

struct ImportAsked {
  std::string path;
  std::string database;  // in libpq's words; empty: the configured one
  unsigned threads = 0;  // 0: one for each processor
  bool prune = false;
};

/// `gatescope oeis import`: into the database that the configuration names, whether a server runs
/// on it or not. The exit status: 0 all is imported, 2 it is, but something had to be skipped; 1
/// nothing was changed; 130 and 143: ended by a signal, nothing was changed.
int run_import_command(const ImportAsked& asked, const Invocation& invocation);

}  // namespace gatescope::commands
