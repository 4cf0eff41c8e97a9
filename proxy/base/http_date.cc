#include <algorithm>
#include <array>
#include <chrono>

#include "proxy/base/text.h"

namespace gatescope {
namespace {

constexpr std::array<std::string_view, 7> kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 7> kLongDays{"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                    "Thursday", "Friday", "Saturday"};
constexpr std::array<std::string_view, 12> kMonthNames{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// Takes a date apart from the left; after the first mismatch everything fails.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}
  bool done() const { return ok_ && rest_.empty(); }

  bool literal(std::string_view expected) {
    if (!ok_ || rest_.substr(0, expected.size()) != expected) return ok_ = false;
    rest_.remove_prefix(expected.size());
    return true;
  }
  int number(std::size_t digits) {
    const auto value =
        ok_ && rest_.size() >= digits ? parse_unsigned(rest_.substr(0, digits)) : std::nullopt;
    if (!value) {
      ok_ = false;
      return 0;
    }
    rest_.remove_prefix(digits);
    return static_cast<int>(*value);
  }
  template <std::size_t N>
  int word(const std::array<std::string_view, N>& words) {
    for (std::size_t i = 0; ok_ && i < N; ++i) {
      if (rest_.substr(0, words[i].size()) == words[i]) {
        rest_.remove_prefix(words[i].size());
        return static_cast<int>(i);
      }
    }
    ok_ = false;
    return 0;
  }
  bool next_is(char c) const { return !rest_.empty() && rest_.front() == c; }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

struct Fields {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
};

void read_time(Reader& in, Fields& out) {
  out.hour = in.number(2);
  in.literal(":");
  out.minute = in.number(2);
  in.literal(":");
  out.second = in.number(2);
}

// "Sun, 06 Nov 1994 08:49:37 GMT"
bool read_imf_fixdate(std::string_view text, Fields& out) {
  Reader in(text);
  in.word(kDays);
  in.literal(", ");
  out.day = in.number(2);
  in.literal(" ");
  out.month = in.word(kMonthNames);
  in.literal(" ");
  out.year = in.number(4);
  in.literal(" ");
  read_time(in, out);
  in.literal(" GMT");
  return in.done();
}

// "Sunday, 06-Nov-94 08:49:37 GMT"
bool read_rfc850(std::string_view text, Fields& out) {
  Reader in(text);
  in.word(kLongDays);
  in.literal(", ");
  out.day = in.number(2);
  in.literal("-");
  out.month = in.word(kMonthNames);
  in.literal("-");
  const int year = in.number(2);
  out.year = year + (year < 70 ? 2000 : 1900);
  in.literal(" ");
  read_time(in, out);
  in.literal(" GMT");
  return in.done();
}

// "Sun Nov  6 08:49:37 1994"
bool read_asctime(std::string_view text, Fields& out) {
  Reader in(text);
  in.word(kDays);
  in.literal(" ");
  out.month = in.word(kMonthNames);
  in.literal(" ");
  if (in.next_is(' ')) {
    in.literal(" ");
    out.day = in.number(1);
  } else {
    out.day = in.number(2);
  }
  in.literal(" ");
  read_time(in, out);
  in.literal(" ");
  out.year = in.number(4);
  return in.done();
}

}  // namespace

HttpDate::HttpDate(std::int64_t unix_seconds) {
  using namespace std::chrono;
  const sys_seconds time{seconds(unix_seconds)};
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(time - day);
  const auto year = static_cast<unsigned>(std::clamp(static_cast<int>(date.year()), 0, 9999));
  char* out = text_.data();
  const auto add = [&](std::string_view text) { out = std::copy(text.begin(), text.end(), out); };
  const auto add_two = [&](auto number) {
    *out++ = static_cast<char>('0' + number / 10);
    *out++ = static_cast<char>('0' + number % 10);
  };
  add(kDays[weekday(day).c_encoding()]);
  add(", ");
  add_two(static_cast<unsigned>(date.day()));
  add(" ");
  add(kMonthNames[static_cast<unsigned>(date.month()) - 1]);
  add(" ");
  add_two(year / 100);
  add_two(year % 100);
  add(" ");
  add_two(clock.hours().count());
  add(":");
  add_two(clock.minutes().count());
  add(":");
  add_two(clock.seconds().count());
  add(" GMT");
}

std::string http_date(std::int64_t unix_seconds) {
  return std::string(HttpDate(unix_seconds).text());
}

std::optional<std::int64_t> parse_http_date(std::string_view text) {
  Fields f;
  if (!read_imf_fixdate(text, f) && !read_rfc850(text, f) && !read_asctime(text, f))
    return std::nullopt;
  using namespace std::chrono;
  const year_month_day date(year(f.year), month(static_cast<unsigned>(f.month) + 1),
                            day(static_cast<unsigned>(f.day)));
  // A second of 60 is a leap second.
  if (!date.ok() || f.hour > 23 || f.minute > 59 || f.second > 60) return std::nullopt;
  const sys_seconds time = sys_days(date) + hours(f.hour) + minutes(f.minute) + seconds(f.second);
  return time.time_since_epoch().count();
}

}  // namespace gatescope
