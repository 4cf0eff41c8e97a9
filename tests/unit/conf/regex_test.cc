#include "conf/regex.h"

#include <atomic>
#include <thread>
#include <vector>

#include "tests/support/catch.h"
#include "tests/unit/conf/map_reader.h"

using namespace gatescope;
using namespace gatescope::conf;

namespace {

Regex compiled(std::string_view pattern, bool ignore_case = false) {
  auto regex = Regex::compile(pattern, ignore_case);
  INFO(pattern);
  REQUIRE(regex.ok());
  return std::move(regex).value();
}

}  // namespace

TEST_CASE("a regex matches anywhere, with or without case") {
  CHECK(compiled("\\.php$").match("/a.php"));
  CHECK_FALSE(compiled("\\.php$").match("/a.PHP"));
  CHECK(compiled("\\.php$", true).match("/a.PHP"));
  CHECK(compiled("^$").match(std::string_view()));
  CHECK_FALSE(compiled("a").match(std::string_view()));
  CHECK(compiled("a\\x00b").match(std::string_view("a\0b", 3)));
}

TEST_CASE("captures say where groups matched and which took no part") {
  const Regex regex = compiled("^/(?<lang>[a-z]+)/(x)?(.*)$");
  const std::string_view subject = "/en/page";
  Captures captures;
  REQUIRE(regex.match(subject, &captures));
  REQUIRE(captures.groups.size() == 4);
  CHECK(captures.group(subject, 0) == subject);
  CHECK(captures.group(subject, 1) == "en");
  CHECK(captures.groups[2].first == Captures::npos);
  CHECK(captures.group(subject, 2).empty());
  CHECK(captures.group(subject, 3) == "page");
  CHECK(captures.group(subject, 9).empty());
  CHECK(regex.names() == std::vector<std::pair<std::string, unsigned>>{{"lang", 1}});
  CHECK(regex.pattern() == "^/(?<lang>[a-z]+)/(x)?(.*)$");
}

TEST_CASE("trailing groups that took no part are there too, also in reused captures") {
  Captures captures;
  REQUIRE(compiled("(a)(b)").match("ab", &captures));
  REQUIRE(compiled("(x)|(y)|(z)").match("x", &captures));
  REQUIRE(captures.groups.size() == 4);
  CHECK(captures.groups[2].first == Captures::npos);
  CHECK(captures.groups[3].first == Captures::npos);
}

TEST_CASE("a regex may have many groups") {
  std::string pattern, subject;
  for (int i = 0; i < 60; ++i) {
    pattern += "(.)";
    subject += static_cast<char>('0' + i);
  }
  Captures captures;
  REQUIRE(compiled(pattern).match(subject, &captures));
  CHECK(captures.groups.size() == 61);
  CHECK(captures.group(subject, 60) == subject.substr(59, 1));
}

TEST_CASE("a bad expression's error says what and where") {
  CHECK(error_of(Regex::compile("a(b", false)) ==
        "pcre2_compile() failed: missing closing parenthesis in \"a(b\"");

  // Where exactly PCRE2 points differs between its versions.
  const std::string error = error_of(Regex::compile("[z-a]x", false));
  CHECK(error.starts_with(
      "pcre2_compile() failed: range out of order in character class in \"[z-a]x\" at \""));
  CHECK(error.ends_with("]x\""));
}

TEST_CASE("a match that would take for ever is given up") {
  const std::string subject(40, 'a');
  CHECK_FALSE(compiled("^(a+)+$").match(subject + "b"));
  CHECK(compiled("^(a+)+$").try_match(subject + "b") == Regex::Verdict::GaveUp);
  CHECK(compiled("^(a+)+$").try_match("b") == Regex::Verdict::NoMatch);
  CHECK(compiled("^(a+)+$").match(subject));
}

TEST_CASE("a match that needs much stack still succeeds") {
  CHECK(compiled("^(?:(a)|b)*$").match(std::string(20'000, 'a')));
}

TEST_CASE("one regex serves several threads at once") {
  const Regex regex = compiled("^/(\\d+)/(\\w+)$");
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&regex, &wrong, t] {
      const std::string subject = "/" + std::to_string(t) + "/name";
      for (int i = 0; i < 2000; ++i) {
        Captures captures;
        if (!regex.match(subject, &captures) || captures.group(subject, 1) != std::to_string(t))
          ++wrong;
      }
    });
  }
  for (auto& thread : threads)
    thread.join();
  CHECK(wrong == 0);
}
