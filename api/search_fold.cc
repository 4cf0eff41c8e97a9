#include "api/search_fold.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "api/utf8.h"
#include "proxy/base/text.h"

namespace gatescope::api {

namespace {

// U+00C0 to U+017F without accents; a blank: no letter, or one that stays as it is.
constexpr std::string_view kLatin =
    "aaaaaaaceeeeiiii"   // C0
    "dnooooo ouuuuyts"   // D0: multiplication sign, thorn, sharp s
    "aaaaaaaceeeeiiii"   // E0
    "dnooooo ouuuuyty"   // F0
    "aaaaaaccccccccdd"   // 100
    "ddeeeeeeeeeegggg"   // 110
    "gggghhhhiiiiiiii"   // 120
    "iiiijjkkklllllll"   // 130: kra, ligature ij
    "lllnnnnnnnnnoooo"   // 140
    "oooorrrrrrssssss"   // 150
    "ssttttttuuuuuuuu"   // 160
    "uuuuwwyyyzzzzzzs";  // 170
constexpr std::string_view kGreek[] = {
    "alpha", "beta",   "gamma",   "delta", "epsilon", "zeta",    "eta",  "theta", "iota",
    "kappa", "lambda", "mu",      "nu",    "xi",      "omicron", "pi",   "rho",   "sigma",
    "sigma", "tau",    "upsilon", "phi",   "chi",     "psi",     "omega"};

/// Combining accents belong to the letter before: "e" U+0301.
bool is_accent(char32_t c) {
  return c >= 0x300 && c < 0x370;
}
bool is_apostrophe(char32_t c) {
  return c == '\'' || c == 0x2019 || c == 0x2BC;
}

/// Adds what the letter is compared as; false: it is none.
bool add_letter(std::string_view bytes, char32_t c, std::string& out) {
  if (c < 0x80) {
    const char ascii = static_cast<char>(c);
    if (!is_alpha(ascii) && !is_digit(ascii)) return false;
    out += to_lower(ascii);
    return true;
  }
  if (c >= 0xC0 && c < 0x180) {
    const char plain = kLatin[c - 0xC0];
    if (plain == ' ') return false;
    out += plain;
    if (c == 0xC6 || c == 0xE6 || c == 0x152 || c == 0x153) out += 'e';
    if (c == 0xDF) out += 's';
    return true;
  }
  if (c >= 0x391 && c <= 0x3A9) c += 0x20;
  if (c >= 0x3B1 && c <= 0x3C9) {
    out += kGreek[c - 0x3B1];
    return true;
  }
  // Punctuation and symbols; everything else passes for a letter, as it is.
  if (c < 0xC0 || c == 0xFFFD || (c >= 0x2000 && c < 0x2C00) || (c >= 0x3000 && c < 0x3040) ||
      (c >= 0xFE00 && c < 0x10000)) {
    return false;
  }
  out += bytes;
  return true;
}

constexpr std::string_view kOptional[] = {"a",        "an",       "and", "are", "by",     "for",
                                          "from",     "function", "in",  "is",  "number", "of",
                                          "sequence", "that",     "the", "to",  "with"};
static_assert(std::is_sorted(std::begin(kOptional), std::end(kOptional)));
constexpr std::size_t kLongestOptional = 8;

}  // namespace

bool WordReader::next() {
  word_.clear();
  gap_ = end_;
  std::size_t at = end_;
  begin_ = text_.size();
  while (at < text_.size()) {
    const auto first = static_cast<unsigned char>(text_[at]);
    if (first < 0x80) {
      const char c = text_[at];
      if (is_alpha(c) || is_digit(c)) {
        if (word_.empty()) begin_ = at;
        word_ += to_lower(c);
        end_ = ++at;
        continue;
      }
      if (!word_.empty()) break;
      ++at;
      continue;
    }
    std::string_view left = text_.substr(at);
    const char32_t c = take_code_point(left);
    const std::size_t after = text_.size() - left.size();
    const bool joins = is_accent(c) && !word_.empty();
    const std::size_t size = word_.size();
    if (!joins && !add_letter(text_.substr(at, after - at), c, word_)) {
      if (!word_.empty()) break;
    } else if (size == 0 && !word_.empty()) {
      begin_ = at;
    }
    at = after;
    if (!word_.empty()) end_ = at;
  }
  if (word_.empty()) return false;
  // "Pascal's", "Pascal’s"
  std::string_view left = text_.substr(end_);
  if (!left.empty() && is_apostrophe(take_code_point(left)) && !left.empty() &&
      to_lower(left[0]) == 's' &&
      (left.size() == 1 || (!is_alpha(left[1]) && !is_digit(left[1]) && left[1] > 0))) {
    end_ = text_.size() - left.size() + 1;
  }
  return true;
}

std::string_view singular(std::string_view word) {
  if (word.size() > 3 && word.ends_with('s') && !word.ends_with("ss")) word.remove_suffix(1);
  return word;
}

bool is_optional_word(std::string_view word) {
  return word.size() <= kLongestOptional &&
         std::binary_search(std::begin(kOptional), std::end(kOptional), word);
}

bool begins_optional_word(std::string_view word) {
  if (word.size() < 3) return false;
  const auto place = std::lower_bound(std::begin(kOptional), std::end(kOptional), word);
  return place != std::end(kOptional) && place->starts_with(word);
}

bool is_filler_word(std::string_view word) {
  return word.size() == 1 || is_optional_word(word) ||
         std::all_of(word.begin(), word.end(), is_digit);
}

}  // namespace gatescope::api
