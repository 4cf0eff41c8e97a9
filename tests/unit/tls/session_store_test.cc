// Session caches and ticket keys by themselves: bounds, ages, many threads.

#include "certs/session_store.h"

#include <atomic>
#include <thread>

#include "tests/unit/tls/tls_fixture.h"

using namespace gatescope;
using namespace gatescope::tls;
using namespace gatescope::tls::test;
using namespace std::chrono_literals;

namespace {

constexpr Duration kMinute = 60s;

std::string id(int number) {
  std::string text(32, '.');
  return text.replace(0, 8, std::to_string(10000000 + number));
}

std::string name_of(const std::optional<TicketKey>& key) {
  REQUIRE(key);
  return {reinterpret_cast<const char*>(key->name.data()), key->name.size()};
}

bool knows(TicketKeySource& keys, const std::string& name, Duration lifetime) {
  return keys.find(reinterpret_cast<const unsigned char*>(name.data()), lifetime).has_value();
}

}  // namespace

TEST_CASE("a session is found until its lifetime is over, or it is erased") {
  MemoryLoop loop;
  SessionStore store(loop.clock(), {.bytes = 1 << 20});
  store.put(id(1), "one", kMinute);
  store.put(id(2), "two", 2 * kMinute);
  CHECK(store.find(id(1)) == "one");
  CHECK(!store.find(id(3)));
  store.put(id(2), "two again", 2 * kMinute);
  CHECK(store.find(id(2)) == "two again");
  CHECK(store.sessions() == 2);
  store.erase(id(3));
  store.erase(id(2));
  CHECK(!store.find(id(2)));
  loop.manual_clock().advance(kMinute);
  CHECK(!store.find(id(1)));
  CHECK(store.sessions() == 0);
  CHECK(store.bytes() == 0);
}

TEST_CASE("a store keeps within its bytes or its number, and loses the longest unused") {
  MemoryLoop loop;
  const std::size_t cost = 100 + SessionStore::kOverhead;
  for (const auto& limit :
       {SessionStore::Limit{.bytes = 4 * cost + 10}, SessionStore::Limit{.sessions = 4}}) {
    SessionStore store(loop.clock(), limit);
    for (int i = 0; i < 4; ++i)
      store.put(id(i), std::string(100, 'x'), kMinute);
    CHECK(store.find(id(0)));  // used: number 1 is the oldest now
    store.put(id(4), std::string(100, 'x'), kMinute);
    CHECK(store.sessions() == 4);
    CHECK(store.bytes() == 4 * cost);
    CHECK(!store.find(id(1)));
    CHECK(store.find(id(0)));
    CHECK(store.find(id(4)));
  }
  SessionStore store(loop.clock(), {.bytes = 1 << 20});
  store.put(id(1), std::string(SessionStore::kLargestSession + 1, 'x'), kMinute);
  store.put(std::string(33, 'i'), "x", kMinute);
  store.put("", "x", kMinute);
  CHECK(store.sessions() == 0);
}

TEST_CASE("a named cache is one as long as somebody has it, another size is another cache") {
  MemoryLoop loop;
  SessionCaches caches(loop.clock());
  auto first = caches.shared("SSL", 1 << 20);
  first->put(id(1), "one", kMinute);
  CHECK(caches.shared("SSL", 1 << 20) == first);
  CHECK(caches.shared("other", 1 << 20) != first);
  CHECK(!caches.shared("SSL", 2 << 20)->find(id(1)));
  CHECK(caches.builtin(10) != caches.builtin(10));
  first.reset();
  CHECK(!caches.shared("SSL", 1 << 20)->find(id(1)));
}

TEST_CASE("threads share a store and its ticket keys") {
  SystemClock clock;
  SessionCaches caches(clock);
  std::vector<std::thread> threads;
  std::vector<std::shared_ptr<SessionStore>> keep(4);
  std::atomic<int> torn{0};  // Catch2's own assertions are for one thread
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      const auto store = keep[static_cast<std::size_t>(t)] = caches.shared("SSL", 32 * 1024);
      for (int i = 0; i < 500; ++i) {
        store->put(id(i), std::string(64, static_cast<char>('a' + t)), kMinute);
        if (const auto found = store->find(id(i / 2))) torn += found->size() != 64;
        store->erase(id(i / 3));
        const auto key = store->ticket_keys().current_key(1ms);  // changes all the time
        if (key) store->ticket_keys().find(key->name.data(), 1ms);
      }
    });
  }
  for (auto& thread : threads)
    thread.join();
  CHECK(torn == 0);
  CHECK(keep[0] == keep[3]);
  CHECK(keep[0]->bytes() <= 32 * 1024);
}

TEST_CASE("ticket keys of a shared cache change when no ticket needs the previous one") {
  MemoryLoop loop;
  RollingTicketKeys keys(loop.clock());
  const std::string first = name_of(keys.current_key(2s));
  loop.manual_clock().advance(500ms);
  CHECK(name_of(keys.current_key(2s)) == first);  // its tickets live until 2.5 s
  loop.manual_clock().advance(1700ms);
  const std::string second = name_of(keys.current_key(2s));
  CHECK(second != first);
  CHECK(knows(keys, first, 2s));
  loop.manual_clock().advance(1s);
  CHECK(name_of(keys.current_key(2s)) == second);
  CHECK(knows(keys, first, 2s));
  loop.manual_clock().advance(1200ms);
  CHECK(name_of(keys.current_key(2s)) != second);
  CHECK(!knows(keys, first, 2s));
  CHECK(knows(keys, second, 2s));
  loop.manual_clock().advance(1h);  // a quiet time: neither is needed any more
  keys.current_key(2s);
  CHECK(!knows(keys, second, 2s));
}
