#include "proxy/commands/import_command.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <thread>

#include "api/command_database.h"
#include "proxy/commands/stderr_log.h"
#include "proxy/process.h"

namespace gatescope::commands {

namespace {

constexpr Duration kRedraw{100};
constexpr Duration kNextLine{5000};
constexpr std::size_t kMostProblems = 20;  // shown; the others are counted
constexpr unsigned kBar = 24;              // columns

std::string grouped(std::uint64_t n) {
  std::string text = std::to_string(n);
  for (std::size_t at = text.size(); at > 3; at -= 3)
    text.insert(at - 3, 1, ',');
  return text;
}

std::string time_left(double seconds) {
  const auto s = static_cast<std::uint64_t>(seconds + 0.5);
  if (s >= 3600) return fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
  return fmt::format("{}:{:02}", s / 60, s % 60);
}

std::string bar(double part) {
  const auto full = static_cast<unsigned>(part * kBar);
  return "[" + std::string(full, '#') + std::string(kBar - full, '.') + "]";
}

/// Signals that end a program are taken by a thread of its own: nothing is torn in the middle.
class Interrupts {
 public:
  explicit Interrupts(api::OeisImport& import) {
    ::sigemptyset(&signals_);
    for (const int number : {SIGINT, SIGTERM, SIGHUP})
      ::sigaddset(&signals_, number);
    ::pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
    ::signal(SIGPIPE, SIG_IGN);
    thread_ = std::jthread([this, &import](const std::stop_token& ended) {
      const timespec tick{.tv_sec = 0, .tv_nsec = 100'000'000};
      while (!ended.stop_requested()) {
        const int number = ::sigtimedwait(&signals_, nullptr, &tick);
        if (number < 0) continue;
        if (came_ != 0) ::_exit(128 + number);  // the second time at once: the database rolls back
        came_ = number;
        import.stop();
      }
    });
  }
  /// The signal; 0: none.
  int came() const { return came_; }

 private:
  sigset_t signals_{};
  std::atomic<int> came_{0};
  std::jthread thread_;
};

unsigned columns_of_terminal() {
  if (::isatty(STDERR_FILENO) == 0) return 0;
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

/// Started by root, this becomes the server's user, whom the database knows: that user must be able
/// to read the tree.
Result<std::unique_ptr<api::CommandDatabase>> open_configured(const LaunchOptions& options,
                                                              Log& log) {
  conf::SystemFileReader files;
  const auto plan = server::LaunchPlan::read(options, files);
  if (!plan) return plan.error();
  auto choice = api::choose_database(*plan->document(), options.prefix,
                                     options.conf_path.substr(0, options.conf_path.rfind('/') + 1));
  if (!choice) return choice.error();
  if (::geteuid() == 0)
    if (auto became = server::become_worker(*plan); !became) return became.error();
  return api::CommandDatabase::open(std::move(*choice), log);
}

int import_oeis(const api::OeisImportSettings& settings, bool quiet) {
  const SystemClock clock;
  const MonoTime begun = clock.now();
  ImportDisplay display(clock, columns_of_terminal(), quiet, [](std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stderr);
  });
  api::OeisImport import(settings, display);
  const Interrupts interrupts(import);
  const auto report = import.run();
  display.finish();
  if (!report) {
    if (report.error().kind != ErrorKind::Cancelled || interrupts.came() == 0)
      return failed(report.error());
    fmt::print(stderr,
               "gatescope: interrupted; the database is as before, and the next import goes on\n");
    return 128 + interrupts.came();
  }
  if (!quiet) {
    fmt::print("{} new, {} changed, {} removed, {} as before, {} skipped, in {:.1f} seconds\n",
               grouped(report->added), grouped(report->changed), grouped(report->removed),
               grouped(report->unchanged), grouped(report->problems),
               std::chrono::duration<double>(clock.now() - begun).count());
  }
  return report->problems > 0 ? 2 : 0;
}

}  // namespace

void ImportDisplay::on_progress(const api::ImportProgress& progress) {
  if (quiet_) return;
  const MonoTime now = clock_.now();
  const bool new_step = what_ != progress.what;
  if (new_step) {
    what_ = progress.what;
    since_ = now;
  }
  // On a terminal a new step is seen at once; in a file one that ends at once is not worth a line.
  const bool due = columns_ > 0 ? !shown_ || new_step || now - *shown_ >= kRedraw
                                : now - since_ >= kNextLine && now - *shown_ >= kNextLine;
  if (!shown_) shown_ = now;
  if (!due) return;
  shown_ = now;
  std::string text = what_;
  if (progress.total > 0) {
    const double part = static_cast<double>(progress.done) / static_cast<double>(progress.total);
    const double seconds = std::chrono::duration<double>(now - since_).count();
    if (columns_ > 0) text = bar(part) + " " + text;
    text += fmt::format(": {} of {}", grouped(progress.done), grouped(progress.total));
    if (seconds > 0.5 && progress.done > 0) {
      const double rate = static_cast<double>(progress.done) / seconds;
      text += fmt::format(", {} a second, {} left", grouped(static_cast<std::uint64_t>(rate)),
                          time_left(static_cast<double>(progress.total - progress.done) / rate));
    }
  }
  if (columns_ == 0) return line(text);
  text.resize(std::min<std::size_t>(text.size(), columns_ - 1));
  write_("\r" + text + "\x1b[K");
  bar_ = true;
}

void ImportDisplay::on_problem(const std::string& problem) {
  if (++problems_ <= kMostProblems) line("skipped: " + problem);
}

void ImportDisplay::on_note(const std::string& note) {
  if (!quiet_) line(note);
}

void ImportDisplay::finish() {
  clear_bar();
  if (problems_ > kMostProblems)
    line(fmt::format("skipped: {} more", grouped(problems_ - kMostProblems)));
}

void ImportDisplay::line(const std::string& text) {
  clear_bar();
  write_(text + "\n");
}

void ImportDisplay::clear_bar() {
  if (bar_) write_("\r\x1b[K");
  bar_ = false;
}

int run_import_command(const ImportAsked& asked, const Invocation& invocation) {
  api::OeisImportSettings settings{
      .connection = asked.database, .threads = asked.threads, .prune = asked.prune};
  std::error_code ignored;
  settings.path = std::filesystem::absolute(asked.path, ignored).string();
  StderrLog log;
  std::unique_ptr<api::CommandDatabase> configured;
  if (settings.connection.empty()) {
    auto opened = open_configured(invocation.launch, log);
    if (!opened) return failed(opened.error());
    configured = std::move(*opened);
    settings.connection = configured->connection_string();
  }
  return import_oeis(settings, invocation.quiet);
}

}  // namespace gatescope::commands
