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
  int weekday = 0;  // of an IMF-fixdate, as it was named

  /// nullopt: there is no such time. A second of 60 is a leap second.
  std::optional<std::chrono::sys_seconds> time() const {
    using namespace std::chrono;
    const year_month_day date(std::chrono::year(year),
                              std::chrono::month(static_cast<unsigned>(month) + 1),
                              std::chrono::day(static_cast<unsigned>(day)));
    if (!date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
    return sys_days(date) + hours(hour) + minutes(minute) + seconds(second);
  }
};

void read_time(Reader& in, Fields& out) {
  out.hour = in.number(2);
  in.literal(":");
  out.minute = in.number(2);
  in.literal(":");
  out.second = in.number(2);
}

// Where the parts of "Sun, 06 Nov 1994 08:49:37 GMT" stand.
constexpr std::string_view kForm = "---, -- --- ---- --:--:-- GMT";
constexpr std::size_t kDayName = 0, kDay = 5, kMonth = 8, kYear = 12, kHour = 17, kMinute = 20,
                      kSecond = 23;

int two_digits(const char* text) {
  return is_digit(text[0]) && is_digit(text[1]) ? (text[0] - '0') * 10 + (text[1] - '0') : -1;
}

template <std::size_t N>
int three_letters(const char* text, const std::array<std::string_view, N>& words) {
  for (std::size_t i = 0; i < N; ++i)
    if (words[i][0] == text[0] && words[i][1] == text[1] && words[i][2] == text[2])
      return static_cast<int>(i);
  return -1;
}

/// The form in which nearly all come, hence at once and not step by step.
bool read_imf_fixdate(std::string_view text, Fields& out) {
  if (text.size() != kForm.size()) return false;
  constexpr std::size_t kFixed[] = {3, 4, 7, 11, 16, 19, 22, 25, 26, 27, 28};
  for (const std::size_t at : kFixed)
    if (text[at] != kForm[at]) return false;
  const char* const from = text.data();
  const int century = two_digits(from + kYear), year = two_digits(from + kYear + 2);
  out.weekday = three_letters(from + kDayName, kDays);
  out.year = century * 100 + year;
  out.month = three_letters(from + kMonth, kMonthNames);
  out.day = two_digits(from + kDay);
  out.hour = two_digits(from + kHour);
  out.minute = two_digits(from + kMinute);
  out.second = two_digits(from + kSecond);
  return (out.weekday | century | year | out.month | out.day | out.hour | out.minute |
          out.second) >= 0;
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
  std::copy(kForm.begin(), kForm.end(), text_.begin());
  const auto put = [this](std::size_t at, std::string_view name) {
    std::copy_n(name.begin(), 3, text_.begin() + at);
  };
  const auto put_two = [this](std::size_t at, auto number) {
    text_[at] = static_cast<char>('0' + number / 10);
    text_[at + 1] = static_cast<char>('0' + number % 10);
  };
  put(kDayName, kDays[weekday(day).c_encoding()]);
  put_two(kDay, static_cast<unsigned>(date.day()));
  put(kMonth, kMonthNames[static_cast<unsigned>(date.month()) - 1]);
  put_two(kYear, year / 100);
  put_two(kYear + 2, year % 100);
  put_two(kHour, static_cast<unsigned>(clock.hours().count()));
  put_two(kMinute, static_cast<unsigned>(clock.minutes().count()));
  put_two(kSecond, static_cast<unsigned>(clock.seconds().count()));
}

std::string http_date(std::int64_t unix_seconds) {
  return std::string(HttpDate(unix_seconds).text());
}

std::string date_field(WallTime time) {
  return http_date(std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count());
}

std::optional<std::int64_t> parse_http_date(std::string_view text) {
  Fields f;
  if (!read_imf_fixdate(text, f) && !read_rfc850(text, f) && !read_asctime(text, f))
    return std::nullopt;
  const auto time = f.time();
  if (!time) return std::nullopt;
  return time->time_since_epoch().count();
}

std::optional<std::int64_t> HttpDate::seconds_of(std::string_view text) {
  using namespace std::chrono;
  Fields f;
  const auto time = read_imf_fixdate(text, f) && f.second < 60 ? f.time() : std::nullopt;
  if (!time || weekday(floor<days>(*time)).c_encoding() != static_cast<unsigned>(f.weekday))
    return std::nullopt;
  return time->time_since_epoch().count();
}

}  // namespace gatescope
