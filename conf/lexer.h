#pragma once

#include <string>
#include <string_view>

#include "conf/source.h"

namespace gatescope::conf {

/// Takes the text of one file apart into words, `;`, `{` and `}`, by nginx's rules (see lexer.cc).
/// Knows no directive. The text and the file name outlive it.
class Lexer {
 public:
  enum class Kind { Word, Semicolon, Open, Close, End };
  struct Token {
    Kind kind = Kind::End;
    std::string text;  // a word with quotes and escapes resolved
    Place place;
    bool quoted = false;
  };

  Lexer(std::string_view file, std::string_view text);
  Result<Token> next();

 private:
  bool at_end() const { return position_ == text_.size(); }
  char peek() const { return text_[position_]; }
  void advance();
  void skip_blanks_and_comments();
  Result<Token> quoted_word(Place start);
  Result<Token> plain_word(Place start);
  void take_escape(std::string& out);

  const std::string_view text_;
  std::size_t position_ = 0;
  Place here_;
};

}  // namespace gatescope::conf
