#include "api/search_fold.h"

#include "api/search_typing.h"
#include "tests/support/catch.h"

namespace gatescope::api {
namespace {

std::string words_of(std::string_view text) {
  std::string out;
  for (WordReader reader(text); reader.next();)
    out += (out.empty() ? "" : " ") + std::string(singular(reader.word()));
  return out;
}

TEST_CASE("search: names and what is typed are folded to the same words") {
  CHECK(words_of("The prime numbers.") == "the prime number");
  CHECK(words_of("Euler's  PHI(n)") == "euler phi n");
  CHECK(words_of("Pascal’s triangle") == "pascal triangle");
  CHECK(words_of("1's-counting: d'Ocagne, o's") == "1 counting d ocagne o");
  CHECK(words_of("Möbius Erdős Šnek Ångström œuvre straße") ==
        "mobiu erdo snek angstrom oeuvre strasse");
  CHECK(words_of("Mo\xCC\x88"
                 "biu") == "mobiu");  // a combining accent
  CHECK(words_of("π, Φ(n) and σ_0") == "pi phi n and sigma 0");
  CHECK(words_of("2^n-1") == "2 n 1");
  CHECK(words_of("простые числа") == "простые числа");
  CHECK(words_of("素数×2“x”") == "素数 2 x");
  CHECK(words_of("") == "");
  CHECK(words_of("/ ... \xFF\xC3 \xE2\x82") == "");
  CHECK(words_of("a\xFF\x62 \xC3") == "a b");
}

TEST_CASE("search: a reader tells what parts words") {
  WordReader reader("x: y(z) ");
  REQUIRE(reader.next());
  CHECK(reader.gap().empty());
  REQUIRE(reader.next());
  CHECK(reader.gap() == ": ");
  REQUIRE(reader.next());
  CHECK(reader.gap() == "(");
  CHECK(!reader.next());
  CHECK(reader.rest() == ") ");
}

TEST_CASE("search: a plural is its singular, short words and double s are none") {
  CHECK(singular("primes") == "prime");
  CHECK(singular("bus") == "bus");
  CHECK(singular("gauss") == "gauss");
  CHECK(is_optional_word("the"));
  CHECK(!is_optional_word("prime"));
  CHECK(begins_optional_word("seq"));
  CHECK(!begins_optional_word("se"));
  CHECK(!begins_optional_word("sequel"));
  for (const auto filler : {"n", "1", "2024", "of", "number"})
    CHECK(is_filler_word(filler));
  CHECK(!is_filler_word("2n"));
}

TEST_CASE("search: one typing error") {
  for (const auto typed :
       {"fibonaci", "fibonaccii", "fibonacki", "fiboncaci", "ibonacci", "fibonacc", "ifbonacci"}) {
    INFO(typed);
    CHECK(one_edit(typed, "fibonacci", false));
  }
  for (const auto typed : {"fibonacci", "fibonac", "fibonaciii", "fibnoaic", ""})
    CHECK(!one_edit(typed, "fibonacci", false));
  // What has been typed so far
  CHECK(one_edit("fibno", "fibonacci", true));
  CHECK(one_edit("ifb", "fibonacci", true));
  CHECK(one_edit("fibp", "fibonacci", true));
  CHECK(!one_edit("fibo", "fibonacci", true));
  CHECK(!one_edit("fbxn", "fibonacci", true));
  CHECK(!one_edit("", "a", true));
  CHECK(one_edit("x", "", false));
}

TEST_CASE("search: letters doubled, or not, where they should not be") {
  CHECK(same_but_doubled("fibonnaci", "fibonacci", false));
  CHECK(same_but_doubled("fibonn", "fibonacci", true));
  CHECK(!same_but_doubled("fibonn", "fibonacci", false));
  CHECK(!same_but_doubled("fibon", "fib", true));
  CHECK(!same_but_doubled("fibx", "fibo", true));
  CHECK(same_but_doubled("a", "aa", false));
}

}  // namespace
}  // namespace gatescope::api
