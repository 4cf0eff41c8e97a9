#include "conf/lexer.h"

#include <fmt/format.h>

// The rules, as nginx has them:
//  - a word ends at a blank, a line end, `;` or `{`; a `}` ends one only where a word could begin
//  - a word that begins with ' or " goes to the same mark, and must be followed by a blank, `;`,
//  `{` or `)`;
//    a mark inside a word is an ordinary character
//  - a backslash protects the next character from all of this; \" \' and \\ lose the backslash, \t
//  \r \n become
//    control characters, and any other keeps it (so that a regular expression needs no doubling)
//  - `${` inside a word opens no block
//  - `#` begins a comment only where a word could begin

namespace gatescope::conf {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

}  // namespace

Lexer::Lexer(std::string_view file, std::string_view text) : text_(text), here_{file, 1, 1} {
  if (text_.starts_with(kByteOrderMark)) position_ = kByteOrderMark.size();
}

void Lexer::advance() {
  const auto byte = static_cast<unsigned char>(text_[position_++]);
  if (byte == '\n') {
    ++here_.line;
    here_.column = 1;
    return;
  }
  // Columns count characters, as editors do: the bytes that continue a UTF-8 character do not
  // count.
  const bool next_continues = !at_end() && (static_cast<unsigned char>(peek()) & 0xc0) == 0x80;
  if (!next_continues || byte < 0x80) ++here_.column;
}

void Lexer::skip_blanks_and_comments() {
  while (!at_end()) {
    if (peek() == '#') {
      while (!at_end() && peek() != '\n')
        advance();
    } else if (is_blank(peek())) {
      advance();
    } else {
      return;
    }
  }
}

Result<Lexer::Token> Lexer::next() {
  skip_blanks_and_comments();
  const Place start = here_;
  if (at_end()) return Token{Kind::End, {}, start};
  switch (peek()) {
    case ';':
      advance();
      return Token{Kind::Semicolon, ";", start};
    case '{':
      advance();
      return Token{Kind::Open, "{", start};
    case '}':
      advance();
      return Token{Kind::Close, "}", start};
    case '"':
    case '\'':
      return quoted_word(start);
    default:
      return plain_word(start);
  }
}

void Lexer::take_escape(std::string& out) {
  advance();  // the backslash
  if (at_end()) {
    out += '\\';
    return;
  }
  const char c = peek();
  advance();
  switch (c) {
    case '"':
    case '\'':
    case '\\':
      out += c;
      break;
    case 't':
      out += '\t';
      break;
    case 'r':
      out += '\r';
      break;
    case 'n':
      out += '\n';
      break;
    default:
      out += '\\';
      out += c;
  }
}

Result<Lexer::Token> Lexer::quoted_word(Place start) {
  Token token{Kind::Word, {}, start, true};
  const char mark = peek();
  advance();
  for (;;) {
    if (at_end()) {
      return error_at(here_,
                      fmt::format("unexpected end of file, expecting {} for the text opened at {}",
                                  mark == '"' ? "'\"'" : "\"'\"", to_string(start)));
    }
    const char c = peek();
    if (c == mark) break;
    if (c == '\0') return error_at(here_, "unexpected zero byte, is this a text file?");
    if (c == '\\') {
      take_escape(token.text);
    } else {
      token.text += c;
      advance();
    }
  }
  advance();
  if (!at_end()) {
    const char c = peek();
    if (!is_blank(c) && c != ';' && c != '{' && c != ')') {
      return error_at(here_, fmt::format("unexpected \"{}\"", c));
    }
  }
  return token;
}

Result<Lexer::Token> Lexer::plain_word(Place start) {
  Token token{Kind::Word, {}, start, false};
  bool after_dollar = false;
  while (!at_end()) {
    const char c = peek();
    if (c == '\0') return error_at(here_, "unexpected zero byte, is this a text file?");
    if (c == '\\') {
      take_escape(token.text);
      after_dollar = false;
      continue;
    }
    if (is_blank(c) || c == ';' || (c == '{' && !after_dollar)) break;
    after_dollar = c == '$';
    token.text += c;
    advance();
  }
  return token;
}

}  // namespace gatescope::conf
