#include "conf/schema.h"
#include "tests/support/catch.h"

using namespace gatescope::conf;

namespace {

struct TestSettings final : Settings {
  Inherited<int> number{1};
  Inherited<std::vector<std::string>> list;
  int inherit_calls = 0;
  void inherit(const Settings& outer) override {
    number.inherit(as<TestSettings>(outer).number);
    list.inherit(as<TestSettings>(outer).list);
    ++inherit_calls;
  }
};

struct OtherSettings final : Settings {
  Inherited<int> other{5};
  void inherit(const Settings& outer) override { other.inherit(as<OtherSettings>(outer).other); }
};

Schema schema_of_both() {
  Schema schema;
  schema.add_settings<TestSettings>();
  schema.add_settings<OtherSettings>();
  return schema;
}

using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("a level takes from around what it does not set, through levels that say nothing") {
  Scope main(nullptr, Context::Main, nullptr);
  Scope& server = main.add_child(Context::Http, nullptr).add_child(Context::Server, nullptr);
  Scope& location = server.add_child(Context::Location, nullptr);
  Scope& sibling = server.add_child(Context::Location, nullptr);
  main.own<TestSettings>().number.set(10);
  location.own<TestSettings>().number.set(20);

  schema_of_both().resolve(main);
  CHECK(*server.get<TestSettings>().number == 10);
  CHECK(*location.get<TestSettings>().number == 20);
  CHECK(*sibling.get<TestSettings>().number == 10);
  CHECK(*sibling.get<OtherSettings>().other == 5);
  CHECK(location.get<TestSettings>().inherit_calls == 1);
  CHECK(main.get<TestSettings>().inherit_calls == 0);
}

TEST_CASE("an array setting is replaced as a whole, not added to") {
  Scope http(nullptr, Context::Http, nullptr);
  Scope& server = http.add_child(Context::Server, nullptr);
  Scope& location = server.add_child(Context::Location, nullptr);
  http.own<TestSettings>().list.edit() = {"a", "b"};
  location.own<TestSettings>().list.edit().push_back("c");

  schema_of_both().resolve(http);
  CHECK(*server.get<TestSettings>().list == Words{"a", "b"});
  CHECK(*location.get<TestSettings>().list == Words{"c"});
}

TEST_CASE("the fallback holds where nobody sets anything, and does not count as set") {
  Scope main(nullptr, Context::Main, nullptr);
  Scope& inner = main.add_child(Context::Http, nullptr);
  CHECK(inner.find<TestSettings>() == nullptr);
  schema_of_both().resolve(main);
  REQUIRE(inner.find<TestSettings>() != nullptr);
  CHECK(*inner.get<TestSettings>().number == 1);
  CHECK_FALSE(inner.get<TestSettings>().number.is_set());
}

TEST_CASE("scopes know where they stand") {
  Scope main(nullptr, Context::Main, nullptr);
  const Directive opened{.name = "http"};
  Scope& http = main.add_child(Context::Http, &opened);
  CHECK(http.parent() == &main);
  CHECK(http.opened_by() == &opened);
  CHECK(http.context() == Context::Http);
  REQUIRE(main.children().size() == 1);
  CHECK(main.children()[0].get() == &http);
}
