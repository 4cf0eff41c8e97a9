#include "conf/schema.h"
#include "tests/support/catch.h"
#include "tests/unit/conf/map_reader.h"

using namespace gatescope;
using namespace gatescope::conf;
using namespace std::chrono_literals;

namespace {

/// `f(loader, directive)` for the directive "name value;".
template <class F>
auto read(const std::string& value, F f) {
  const auto document = parse_text("name " + value + ";");
  REQUIRE(document.ok());
  const Schema schema;
  const Loader loader(schema, "/", "/");
  return f(loader, (*document)->directives[0]);
}

auto flag = [](const Loader& l, const Directive& d) { return l.flag(d); };
auto number = [](const Loader& l, const Directive& d) { return l.number(d); };
auto size = [](const Loader& l, const Directive& d) { return l.size(d); };
auto duration = [](const Loader& l, const Directive& d) { return l.duration(d); };
auto choice = [](const Loader& l, const Directive& d) {
  static constexpr std::string_view kWords[] = {"on", "off", "optional"};
  return l.choice(d, 0, kWords);
};

}  // namespace

TEST_CASE("values are read as nginx reads them") {
  CHECK(read("on", flag).value());
  CHECK_FALSE(read("OFF", flag).value());
  CHECK(read("10", number).value() == 10);
  CHECK(read("8k", size).value() == 8192);
  CHECK(read("'1m 30s'", duration).value() == 90s);
  CHECK(read("Optional", choice).value() == 2);
}

TEST_CASE("a wrong value's error names it and says what would be right") {
  CHECK(error_of(read("x", flag)) ==
        "invalid value \"x\" in \"name\" directive, it must be \"on\" or \"off\" in "
        "/etc/main.conf:1:6");
  CHECK(error_of(read("-1", number)) ==
        "invalid value \"-1\" in \"name\" directive, it must be a number in /etc/main.conf:1:6");
  CHECK(error_of(read("8kb", size))
            .starts_with("invalid value \"8kb\" in \"name\" directive, it must be a number of"));
  CHECK(error_of(read("5q", duration))
            .starts_with("invalid value \"5q\" in \"name\" directive, it must be a time"));
  CHECK(
      error_of(read("yes", choice)) ==
      "invalid value \"yes\" in \"name\" directive, it must be \"on\", \"off\" or \"optional\" in "
      "/etc/main.conf:1:6");
}

TEST_CASE("a value that is not there is an error, not a crash") {
  for (const std::string& error :
       {error_of(read("", flag)), error_of(read("", number)), error_of(read("", size)),
        error_of(read("", duration)), error_of(read("", choice))}) {
    CHECK(error == "invalid number of arguments in \"name\" directive in /etc/main.conf:1:1");
  }
}

TEST_CASE("set_once refuses the second time") {
  const auto document = parse_text("a 1; a 2;");
  REQUIRE(document.ok());
  const Schema schema;
  Loader loader(schema, "/", "/");
  Inherited<int> field{7};
  CHECK(loader.set_once(field, 1, (*document)->directives[0]).ok());
  CHECK(error_of(loader.set_once(field, 2, (*document)->directives[1])) ==
        "\"a\" directive is duplicate in /etc/main.conf:1:6");
  CHECK(*field == 1);
}
