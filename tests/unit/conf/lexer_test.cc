#include "conf/lexer.h"

#include "tests/support/catch.h"

using namespace gatescope;
using conf::Lexer;

namespace {

/// The tokens as one text: words in <>, quoted ones in <<>>; or the error.
std::string tokens_of(std::string_view text) {
  Lexer lexer("f", text);
  std::string out;
  for (;;) {
    auto token = lexer.next();
    if (!token) return out + "!" + token.error().detail;
    switch (token->kind) {
      case Lexer::Kind::End:
        return out;
      case Lexer::Kind::Word:
        out += token->quoted ? "<<" + token->text + ">>" : "<" + token->text + ">";
        break;
      default:
        out += token->text;
    }
  }
}

}  // namespace

TEST_CASE("words, quotes and escapes are nginx's") {
  struct Case {
    const char* what;
    std::string_view text;
    const char* expected;
  };
  const Case cases[] = {
      {"blanks separate", "a b\tc\r\nd;", "<a><b><c><d>;"},
      {"nothing", "", ""},
      {"blanks only", " \n\t ", ""},
      {"block", "a{b;}", "<a>{<b>;}"},
      {"a closing brace inside a word is part of it", "a}b;", "<a}b>;"},
      {"a closing brace where a word may begin", "a; }", "<a>;}"},
      {"comment", "# a { ; '\nb; # c", "<b>;"},
      {"# inside a word is part of it", "a#b;", "<a#b>;"},
      {"single quotes", "'a b;{}#\"';", "<<a b;{}#\">>;"},
      {"double quotes", "\"a 'b'\";", "<<a 'b'>>;"},
      {"empty text", "a '' \"\";", "<a><<>><<>>;"},
      {"a quote inside a word is part of it", "a\"b' c;", "<a\"b'><c>;"},
      {"line end in quotes", "'a\nb';", "<<a\nb>>;"},
      {"escaped marks", R"("a\"b" 'a\'b' a\"b a\'b;)", "<<a\"b>><<a'b>><a\"b><a'b>;"},
      {"escaped backslash", R"(a\\b '\\';)", "<a\\b><<\\>>;"},
      {"control characters", R"(a\tb\rc\nd;)", "<a\tb\rc\nd>;"},
      {"other backslashes stay", R"(\.php$ \d+ a\ b '\w';)", "<\\.php$><\\d+><a\\ b><<\\w>>;"},
      {"an escaped semicolon or brace ends nothing", R"(a\;b\{c;)", "<a\\;b\\{c>;"},
      {"a word may begin with an escape", R"(\"a\" b;)", "<\"a\"><b>;"},
      {"braces of a variable open no block", "return ${a}b;", "<return><${a}b>;"},
      {"... nor at a word's start or in the middle", "x${a}y${b}{", "<x${a}y${b}>{"},
      {"a dollar elsewhere does not protect a brace", "a$b{", "<a$b>{"},
      {"an escaped dollar does not protect a brace", R"(a\${)", "<a\\$>{"},
      {"a brace ends a word", "server{listen 80;}", "<server>{<listen><80>;}"},
      {"a block may follow quotes at once", "'a'{", "<<a>>{"},
      {"a parenthesis may follow quotes", "if ($a = 'b') {", "<if><($a><=><<b>><)>{"},
      {"byte order mark",
       "\xef\xbb\xbf"
       "a;",
       "<a>;"},
      {"byte order mark only at the start", "a \xef\xbb\xbf;", "<a><\xef\xbb\xbf>;"},
      {"a backslash at the end of the file", "a\\", "<a\\>"},
      {"quotes not closed", "a 'b",
       "<a>!unexpected end of file, expecting \"'\" for the text opened at f:1:3 in f:1:5"},
      {"quotes closed by an escaped mark only", "\"b\\\"",
       "!unexpected end of file, expecting '\"' for the text opened at f:1:1 in f:1:5"},
      {"text glued to quotes", "'a'b;", "!unexpected \"b\" in f:1:4"},
      {"quotes glued to quotes", "'a'\"b\";", "!unexpected \"\"\" in f:1:4"},
      {"comment glued to quotes", "'a'#b", "!unexpected \"#\" in f:1:4"},
      {"zero byte", std::string_view("a\0b;", 4),
       "!unexpected zero byte, is this a text file? in f:1:2"},
      {"zero byte in quotes", std::string_view("'\0';", 4),
       "!unexpected zero byte, is this a text file? in f:1:2"},
  };
  for (const Case& c : cases) {
    INFO(c.what << ": " << c.text);
    CHECK(tokens_of(c.text) == c.expected);
  }
}

TEST_CASE("places count lines and characters from 1") {
  Lexer lexer("f",
              "\xef\xbb\xbf"
              "a 'é€😀' b\n\tc;");
  const auto place = [&lexer] { return conf::to_string(lexer.next().value().place); };
  CHECK(place() == "f:1:1");
  CHECK(place() == "f:1:3");
  CHECK(place() == "f:1:9");
  CHECK(place() == "f:2:2");
  CHECK(place() == "f:2:3");
}
