#include "proxy/commands/progress_bar.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace gatescope::commands {

namespace {

constexpr Duration kDrawnAfter{100};
constexpr unsigned kBarWidth = 24;

unsigned terminal_columns() {
  if (::isatty(STDOUT_FILENO) == 0) return 0;
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

}  // namespace

ProgressBar::ProgressBar(const Clock& clock) : clock_(clock), columns_(terminal_columns()) {}

void ProgressBar::line(const std::string& text) {
  clear();
  fmt::print("{}\n", text);
  std::fflush(stdout);
}

void ProgressBar::show(const std::string& what, std::uint64_t done, std::uint64_t total) {
  const auto now = clock_.now();
  if (columns_ == 0 || total == 0 || (drawn_ && now - at_ < kDrawnAfter && done < total)) return;
  const auto full = static_cast<unsigned>(done * kBarWidth / total);
  auto text = fmt::format("[{:#<{}}{:.<{}}] {} {:3} %", "", full, "", kBarWidth - full, what,
                          done * 100 / total);
  if (text.size() >= columns_) text.resize(columns_ - 1);
  fmt::print("\r{}\x1b[K", text);
  std::fflush(stdout);
  drawn_ = true;
  at_ = now;
}

void ProgressBar::clear() {
  if (!drawn_) return;
  fmt::print("\r\x1b[K");
  std::fflush(stdout);
  drawn_ = false;
}

}  // namespace gatescope::commands
