#include <memory>
#include <stdexcept>
#include <vector>

#include "proxy/net/loop.h"
#include "tests/support/catch.h"

using namespace gatescope::net;

namespace {

struct Hook : TurnHook {
  Hook(TurnHooks& hooks, std::vector<int>& ran, int number)
      : hooks(hooks), ran(ran), number(number) {}
  void on_turn_end() override {
    ran.push_back(number);
    if (again > 0) {
      --again;
      hooks.add(*this);
    }
    if (other != nullptr) hooks.add(*other);
    if (victim) victim.reset();
  }
  TurnHooks& hooks;
  std::vector<int>& ran;
  const int number;
  int again = 0;
  Hook* other = nullptr;
  std::unique_ptr<Hook> victim;
};

}  // namespace

TEST_CASE("hooks run once each, in the order they were added") {
  TurnHooks hooks;
  std::vector<int> ran;
  Hook a(hooks, ran, 1), b(hooks, ran, 2);
  hooks.add(b);
  hooks.add(a);
  hooks.add(b);
  CHECK(a.scheduled());
  hooks.run();
  CHECK(ran == std::vector{2, 1});
  CHECK(!a.scheduled());
  CHECK(hooks.empty());
  hooks.run();
  CHECK(ran.size() == 2);
}

TEST_CASE("a hook may add itself and others, they run in the same turn") {
  TurnHooks hooks;
  std::vector<int> ran;
  Hook a(hooks, ran, 1), b(hooks, ran, 2), c(hooks, ran, 3);
  a.again = 2;
  b.other = &c;
  hooks.add(a);
  hooks.add(b);
  hooks.run();
  CHECK(ran == std::vector{1, 2, 1, 3, 1});
}

TEST_CASE("a hook that is destroyed or removed does not run") {
  TurnHooks hooks;
  std::vector<int> ran;
  Hook a(hooks, ran, 1), d(hooks, ran, 4);
  auto b = std::make_unique<Hook>(hooks, ran, 2);
  a.victim = std::make_unique<Hook>(hooks, ran, 3);
  hooks.add(a);
  hooks.add(*b);
  hooks.add(*a.victim);
  hooks.add(d);
  hooks.remove(d);
  b.reset();
  hooks.run();
  CHECK(ran == std::vector{1});
}

TEST_CASE("hooks that never stop adding are stopped, and the list stays whole") {
  TurnHooks hooks;
  std::vector<int> ran;
  {
    Hook a(hooks, ran, 1);
    a.again = 1'000'000;
    hooks.add(a);
    CHECK_THROWS_AS(hooks.run(), std::logic_error);
    CHECK(ran.size() == 10'000);
    CHECK(a.scheduled());
  }
  Hook b(hooks, ran, 2);
  hooks.add(b);
  hooks.run();
  CHECK(ran.back() == 2);
}

TEST_CASE("a list may hand its hooks over, and may end before them") {
  std::vector<int> ran;
  TurnHooks later;
  Hook a(later, ran, 1), b(later, ran, 2);
  {
    TurnHooks hooks;
    hooks.add(a);
    hooks.move_to(later);
    CHECK(hooks.empty());
    hooks.add(b);
  }
  CHECK(!b.scheduled());
  later.run();
  CHECK(ran == std::vector{1});
}
