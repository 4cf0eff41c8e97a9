#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace gatescope::api {

/// Cuts text into words as search compares them: runs of letters and digits, in lower case, Latin
/// letters without their accents, Greek ones by name (π: pi), the possessive 's off. Same rules for
/// names and for what is typed.
///   WordReader reader(name); while (reader.next()) use(reader.word());
class WordReader {
 public:
  /// `text` outlives the reader; UTF-8, other bytes part words.
  explicit WordReader(std::string_view text) : text_(text) {}
  bool next();
  const std::string& word() const { return word_; }
  /// What parts the word from the one before; may be empty ("sigma" and "0" of "sigma_0": "_").
  std::string_view gap() const { return text_.substr(gap_, begin_ - gap_); }
  /// What follows the last word, once next() was false.
  std::string_view rest() const { return text_.substr(gap_); }

 private:
  const std::string_view text_;
  std::string word_;
  std::size_t gap_ = 0, begin_ = 0, end_ = 0;
};

/// The word without a plural s: "primes" and "prime" are one. Words of up to three letters and
/// those that end in ss stay.
std::string_view singular(std::string_view word);

/// Words that say nothing about what a sequence is; they need not be in a name that is searched.
bool is_optional_word(std::string_view word);
/// Somebody may be about to type one; from three letters on, for fewer say nothing.
bool begins_optional_word(std::string_view word);
/// These, single letters and figures: what a name may have beside the words that are searched and
/// be just as good. Folded words.
bool is_filler_word(std::string_view word);

}  // namespace gatescope::api
