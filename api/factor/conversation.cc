#include "api/factor/conversation.h"

#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>

namespace gatescope::factor {

namespace {

long now_ms() {
  timespec t{};
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000 + t.tv_nsec / 1'000'000;
}

ssize_t read_some(int fd, std::array<char, 16 * 1024>& room) {
  ssize_t count = 0;
  while ((count = ::read(fd, room.data(), room.size())) < 0 && errno == EINTR) {
  }
  return count;
}

/// Takes a count and the blank behind it off; false: there is none.
bool take_count(std::string_view& text, unsigned long& count) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || end == text.data() + text.size() || *end != ' ') return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()) + 1);
  return true;
}

/// An answer is one line, whatever PARI had to say.
std::string on_one_line(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');
  return text.substr(0, 200);
}

}  // namespace

bool Conversation::run(std::string_view confinement) {
  waiting_ = "gatescope-factor 2 " + std::string(confinement) + "\n";
  std::string asked;
  std::array<char, 16 * 1024> room;
  while (true) {
    if (!flush()) return false;
    const ssize_t count = read_some(in_, room);
    if (count <= 0) return count == 0 && asked.empty();
    asked.append(room.data(), static_cast<std::size_t>(count));
    std::size_t begin = 0;
    for (std::size_t end; (end = asked.find('\n', begin)) != std::string::npos; begin = end + 1)
      if (!answer(std::string_view(asked).substr(begin, end - begin))) return false;
    asked.erase(0, begin);
    if (asked.size() > kLongestLine) return false;
  }
}

bool Conversation::answer(std::string_view line) {
  unsigned long number = 0, seconds = 0;
  if (line.size() > kLongestLine || !take_count(line, number) || !take_count(line, seconds))
    return false;
  if (line.size() > kLongDigits && !flush()) return false;
  std::string error;
  const std::string text = factor_(line, static_cast<unsigned>(seconds), error);
  const long now = now_ms();
  if (waiting_.empty()) waiting_since_ = now;
  waiting_ += std::to_string(number);
  waiting_ += text.empty() ? " ! " + on_one_line(error) : " " + text;
  waiting_ += '\n';
  return now - waiting_since_ < kKeepMs || flush();
}

bool Conversation::flush() {
  std::string_view rest = waiting_;
  while (!rest.empty()) {
    const ssize_t count = ::write(out_, rest.data(), rest.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    rest.remove_prefix(static_cast<std::size_t>(count));
  }
  waiting_.clear();
  return true;
}

}  // namespace gatescope::factor
