#include "conf/template.h"

#include <map>

#include "tests/support/catch.h"
#include "tests/unit/conf/map_reader.h"

using namespace gatescope;
using namespace gatescope::conf;

namespace {

/// Variables of a test: names in order are ids; "none" has no value; "count" counts how often it
/// was asked.
class Variables final : public VariableNames, public VariableValues {
 public:
  Result<VariableId> find(std::string_view name) override {
    for (VariableId id = 0; id < kNames.size(); ++id) {
      if (kNames[id].first == name) return id;
    }
    return make_error(ErrorKind::Invalid, Origin::Internal,
                      "unknown \"" + std::string(name) + "\" variable");
  }
  std::optional<std::string_view> value(VariableId id) override {
    ++asked;
    if (kNames[id].first == "none") return std::nullopt;
    return kNames[id].second;
  }
  int asked = 0;

 private:
  inline static const std::vector<std::pair<std::string_view, std::string_view>> kNames = {
      {"scheme", "https"}, {"host", "a.org"},    {"none", ""},
      {"1", "first"},      {"arg_a_1", "value"}, {"empty", ""}};
};

std::string evaluated(std::string_view text, bool lone_dollar_ok = false) {
  Variables variables;
  const auto made = Template::compile(text, variables, lone_dollar_ok);
  if (!made) return "!" + made.error().detail;
  Arena arena;
  const std::string value(made->evaluate(variables, arena));
  std::string appended = "before ";
  made->append_to(appended, variables);
  CHECK(appended == "before " + value);
  return value;
}

}  // namespace

TEST_CASE("a template puts values in place of names") {
  struct Case {
    const char* text;
    const char* expected;
  };
  const Case cases[] = {
      {"", ""},
      {"plain", "plain"},
      {"$scheme", "https"},
      {"$scheme://${host}/x", "https://a.org/x"},
      {"${host}name", "a.orgname"},
      {"$host.$host", "a.org.a.org"},
      {"a$none-b", "a-b"},
      {"$none", ""},
      {"$none$empty", ""},
      {"$1", "first"},
      {"$10", "first0"},
      {"$arg_a_1-", "value-"},
      {"$", "!invalid variable name in \"$\""},
      {"a$-b", "!invalid variable name in \"a$-b\""},
      {"${}", "!invalid variable name in \"${}\""},
      {"$$host", "!invalid variable name in \"$$host\""},
      {"${host", "!the closing bracket in \"host\" variable is missing"},
      {"${ho-st}", "!the closing bracket in \"ho\" variable is missing"},
      {"$nope", "!unknown \"nope\" variable"},
  };
  for (const Case& c : cases) {
    INFO(c.text);
    CHECK(evaluated(c.text) == c.expected);
  }
}

TEST_CASE("a lone dollar may be allowed") {
  CHECK(evaluated("^/a$", true) == "^/a$");
  CHECK(evaluated("$host$", true) == "a.org$");
  CHECK(evaluated("a$|b$", true) == "a$|b$");
  CHECK(evaluated("${host", true) == "${host");
}

TEST_CASE("a template without variables is a literal and needs no memory") {
  Variables variables;
  const auto made = Template::compile("text", variables);
  REQUIRE(made.ok());
  CHECK(made->is_literal());
  Arena arena;
  CHECK(made->evaluate(variables, arena).data() == made->text().data());
  CHECK(arena.capacity() == 0);
  CHECK(Template::literal("$host").text() == "$host");
  CHECK(Template::literal("$host").is_literal());
  CHECK(Template().empty());
}

TEST_CASE("each variable is asked once, however many there are") {
  Variables variables;
  std::string text, expected;
  for (int i = 0; i < 40; ++i) {
    text += "$scheme,";
    expected += "https,";
  }
  const auto made = Template::compile(text, variables);
  REQUIRE(made.ok());
  CHECK_FALSE(made->is_literal());
  CHECK(made->text() == text);
  Arena arena;
  CHECK(made->evaluate(variables, arena) == expected);
  CHECK(variables.asked == 40);
  CHECK(made->variables() == std::vector<VariableId>(40, 0));
}
