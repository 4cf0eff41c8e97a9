// Sessions: tickets, their keys' rotation, and the cache.

#include "certs/handover.h"
#include "certs/ticket_keys.h"
#include "tests/unit/tls/tls_fixture.h"

using namespace gatescope;
using namespace gatescope::tls;
using namespace gatescope::tls::test;

namespace {

/// Connects and exchanges a word (tickets of TLS 1.3 come with the first answer).
std::unique_ptr<Client> visit(World& world, const Client::Options& options) {
  auto client = std::make_unique<Client>(options);
  Served server(world.loop, world.chooser);
  server.pump(*client);
  REQUIRE(server.user.done);
  server.user.write("hello");
  server.pump(*client);
  REQUIRE(client->received == "hello");
  CHECK(server.user.stream->info().resumed == client->resumed());
  return client;
}

}  // namespace

TEST_CASE("a ticket resumes on another context that shares the keys, as after a reload") {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    CAPTURE(version);
    World world;
    const auto first = visit(world, {.version = version});
    CHECK(first->session_count() == 1);
    REQUIRE(SSL_SESSION_has_ticket(first->session()) == 1);

    const auto reloaded = world.make(world.settings);
    world.chooser.contexts[""] = reloaded.get();
    const auto again = visit(world, {.version = version, .session = first->session()});
    CHECK(again->resumed());
    // TLS 1.3: each ticket is used once, so the next one comes along.
    CHECK(again->session_count() == (version == TLS1_3_VERSION ? 1 : 0));
  }
}

TEST_CASE("a ticket is good for one rotation of the keys, not for two") {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    CAPTURE(version);
    TlsSettings settings;
    settings.session_timeout = std::chrono::hours(24 * 6);
    World world(settings);
    const auto first = visit(world, {.version = version});

    world.loop.manual_clock().advance(std::chrono::hours(25));
    const auto second = visit(world, {.version = version, .session = first->session()});
    CHECK(second->resumed());
    CHECK(second->ticket() != first->ticket());  // the next one, encrypted with the new key

    const auto old = visit(world, {.version = version});
    world.loop.manual_clock().advance(std::chrono::hours(24));
    visit(world, {.version = version});
    world.loop.manual_clock().advance(std::chrono::hours(24));
    const auto late = visit(world, {.version = version, .session = old->session()});
    CHECK(!late->resumed());
    CHECK(late->session_count() == 1);
  }
}

TEST_CASE("a long quiet time forgets both keys at once") {
  World world;
  const auto first = visit(world, {});
  world.loop.manual_clock().advance(std::chrono::hours(72));
  CHECK(!visit(world, {.session = first->session()})->resumed());
}

TEST_CASE("other ticket keys, other program: no resumption") {
  World world;
  const auto first = visit(world, {});
  TicketKeys strangers{world.loop.clock()};
  const auto other = TlsContext::make(world.settings, world.secrets, strangers, world.caches);
  REQUIRE(other);
  world.chooser.contexts[""] = other->get();
  CHECK(!visit(world, {.session = first->session()})->resumed());
}

TEST_CASE("the program that takes over resumes what the old one gave out, tickets or not") {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (const std::string cache : {"none", "shared:SSL:1m"}) {
      for (const bool tickets : {true, false}) {
        if (!tickets && cache == "none") continue;
        CAPTURE(version, cache, tickets);
        TlsSettings settings;
        settings.tickets = tickets;
        settings.session_cache = cache;
        World world(settings);
        const auto first = visit(world, {.version = version});

        const auto saved = save_sessions(world.tickets, world.caches);
        TicketKeys fresh{world.loop.clock()};
        SessionCaches caches{world.loop.clock()};
        restore_sessions(saved, fresh, caches);
        const auto next = TlsContext::make(world.settings, world.secrets, fresh, caches);
        REQUIRE(next);
        world.chooser.contexts[""] = next->get();
        CHECK(visit(world, {.version = version, .session = first->session()})->resumed());
      }
    }
  }
}

TEST_CASE("what is handed over damaged is left out, and clients shake hands in full") {
  World world;
  const auto first = visit(world, {});
  const auto saved = save_sessions(world.tickets, world.caches);
  for (std::size_t size = 0; size < saved.size(); size += 7) {
    TicketKeys fresh{world.loop.clock()};
    SessionCaches caches{world.loop.clock()};
    restore_sessions(std::string_view(saved).substr(0, size), fresh, caches);
    const auto next = TlsContext::make(world.settings, world.secrets, fresh, caches);
    REQUIRE(next);
    CHECK((*next)->ticket_keys().current_key(Duration(1000)));
  }
}

TEST_CASE("a session of one server is not resumed on another with other certificates") {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    CAPTURE(version);
    World world;
    TlsSettings other = world.settings;
    other.pairs = {world.authority.add(world.secrets, "/b", "b.test")};
    const auto b = world.make(other);
    world.chooser.contexts["b.test"] = b.get();

    const auto at_a = visit(world, {.version = version, .name = "a.test"});
    const auto at_b =
        visit(world, {.version = version, .name = "b.test", .session = at_a->session()});
    CHECK(!at_b->resumed());
    CHECK(at_b->peer_name() == "b.test");
    // ... and a session of b resumes on b, which is not the listener's default.
    CHECK(visit(world, {.version = version, .name = "b.test", .session = at_b->session()})
              ->resumed());
  }
}

TEST_CASE("without tickets, the cache resumes, with neither, nothing does") {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    CAPTURE(version);
    TlsSettings settings;
    settings.tickets = false;
    settings.session_cache = "shared:SSL:1m";
    World world(settings);
    const auto first = visit(world, {.version = version});
    REQUIRE(first->session() != nullptr);
    CHECK(visit(world, {.version = version, .session = first->session()})->resumed());

    settings.session_cache = "none";
    settings.pairs = world.settings.pairs;
    const auto neither = world.make(settings);
    world.chooser.contexts[""] = neither.get();
    const auto second = visit(world, {.version = version, .session = first->session()});
    CHECK(!second->resumed());
  }
}

TEST_CASE("a shared cache survives a reload, a builtin one does not") {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (const bool shared : {true, false}) {
      CAPTURE(version, shared);
      TlsSettings settings;
      settings.tickets = false;
      settings.session_cache = shared ? "shared:SSL:1m" : "builtin";
      World world(settings);
      const auto first = visit(world, {.version = version});
      REQUIRE(first->session() != nullptr);
      const auto second = visit(world, {.version = version, .session = first->session()});
      CHECK(second->resumed());

      const auto reloaded = world.make(world.settings);
      world.chooser.contexts[""] = reloaded.get();
      // OpenSSL's client uses a session of TLS 1.3 once.
      const auto& latest = version == TLS1_3_VERSION ? second : first;
      const auto again = visit(world, {.version = version, .session = latest->session()});
      CHECK(again->resumed() == shared);
    }
  }
}

TEST_CASE("a session goes to the cache of the server that was named, not of the default one") {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    CAPTURE(version);
    World world;
    TlsSettings settings = world.settings;
    settings.tickets = false;
    settings.session_cache = "shared:named:1m";
    const auto named = world.make(settings);
    world.chooser.contexts["b.test"] = named.get();
    const auto first = visit(world, {.version = version, .name = "b.test"});
    REQUIRE(first->session() != nullptr);
    CHECK(named->sessions() != nullptr);
    CHECK(visit(world, {.version = version, .name = "b.test", .session = first->session()})
              ->resumed());
  }
}

TEST_CASE("ticket keys from files: the first encrypts, all decrypt, 48 and 80 bytes") {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    CAPTURE(version);
    World world;
    world.secrets.files["/old"] = std::string(48, 'o');
    world.secrets.files["/new"] = std::string(80, 'n');
    const auto use = [&](std::vector<NamedFile> files) {
      world.settings.ticket_keys = std::move(files);
      world.context = world.make(world.settings);
      world.chooser.contexts[""] = world.context.get();
    };
    use({"/old"});
    const auto first = visit(world, {.version = version});
    CHECK(first->ticket().starts_with(std::string(16, 'o')));
    use({"/new", "/old"});
    const auto second = visit(world, {.version = version, .session = first->session()});
    CHECK(second->resumed());
    CHECK(second->ticket().starts_with(std::string(16, 'n')));  // renewed at once
    use({"/new"});
    CHECK(!visit(world, {.version = version, .session = first->session()})->resumed());
    if (version == TLS1_3_VERSION) {
      CHECK(visit(world, {.version = version, .session = second->session()})->resumed());
    }
  }
}
