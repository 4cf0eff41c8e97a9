#pragma once

#include <string>
#include <string_view>

namespace gatescope::factor {

/// What the server and this program say to each other, in lines:
///   < gatescope-factor 2 filter,landlock   once, first: the version of these lines, and how it is
///                                   confined (Confinement::words)
///   > 17 3 -12                      number 17 is -12 and may take 3 seconds of CPU
///   < 17 [2,2;3,1;-1,1]
///   < 18 ! not enough memory        it could not; the next one may work
/// Answers come in the order of the questions. They are sent when nothing else waits to be done,
/// before a number of more than kLongDigits is begun, and when the oldest has waited for 50 ms: so
/// a hard number never keeps what was done before it.
class Conversation {
 public:
  static constexpr std::size_t kLongDigits = 40;
  static constexpr long kKeepMs = 50;
  static constexpr std::size_t kLongestLine = 512;  // of what is asked

  /// Gives the factors of a number as text, or "" and why not.
  using Factor = std::string (*)(std::string_view number, unsigned cpu_seconds, std::string& error);

  /// The descriptors are the caller's.
  Conversation(int in, int out, Factor factor) : in_(in), out_(out), factor_(factor) {}
  /// Until the other side closes: true. False: it said something that is none of these lines, or
  /// reads no more.
  bool run(std::string_view confinement);

 private:
  bool answer(std::string_view line);
  bool flush();

  const int in_, out_;
  const Factor factor_;
  std::string waiting_;     // answers
  long waiting_since_ = 0;  // ms; of the oldest
};

}  // namespace gatescope::factor
