#include "proxy/net/endpoint.h"

#include <sys/un.h>

#include <algorithm>

#include "tests/support/catch.h"

using namespace gatescope;
using namespace gatescope::net;

TEST_CASE("an endpoint knows its address, port and text") {
  struct Case {
    const char* address;
    std::uint16_t port;
    Endpoint::Family family;
    const char* text;
    bool wildcard;
  };
  const Case cases[] = {
      {"127.0.0.1", 80, Endpoint::Family::V4, "127.0.0.1:80", false},
      {"0.0.0.0", 0, Endpoint::Family::V4, "0.0.0.0:0", true},
      {"::1", 443, Endpoint::Family::V6, "[::1]:443", false},
      {"[::1]", 443, Endpoint::Family::V6, "[::1]:443", false},
      {"[::]", 443, Endpoint::Family::V6, "[::]:443", true},
      {"2001:DB8::1", 1, Endpoint::Family::V6, "[2001:db8::1]:1", false},
  };
  for (const Case& c : cases) {
    const auto endpoint = Endpoint::ip(c.address, c.port);
    REQUIRE(endpoint);
    CHECK(endpoint->family() == c.family);
    CHECK(endpoint->port() == c.port);
    CHECK(endpoint->to_string() == c.text);
    CHECK(endpoint->is_wildcard() == c.wildcard);
    CHECK(endpoint->with_port(7).port() == 7);
    CHECK(endpoint->with_port(7).address() == endpoint->address());
    CHECK(*endpoint == endpoint->with_port(7).with_port(c.port));
    CHECK(!(*endpoint == endpoint->with_port(7)));
  }
}

TEST_CASE("what is no address is refused") {
  for (const char* text :
       {"", "localhost", "1.2.3", "1.2.3.4.5", "256.0.0.1", "[::1", ":::", "::1%lo"}) {
    CHECK(Endpoint::ip(text, 80).error().kind == ErrorKind::Invalid);
  }
}

TEST_CASE("a unix endpoint has at most 107 bytes of path") {
  const auto endpoint = Endpoint::unix_path("/run/x.sock");
  REQUIRE(endpoint);
  CHECK(endpoint->family() == Endpoint::Family::Unix);
  CHECK(endpoint->address() == "unix:");
  CHECK(endpoint->to_string() == "unix:/run/x.sock");
  CHECK(endpoint->port() == 0);
  CHECK(Endpoint::unix_path(std::string(107, 'x')));
  CHECK(Endpoint::unix_path(std::string(107, 'x'))->to_string().size() == 112);
  CHECK(!Endpoint::unix_path(std::string(108, 'x')));
  CHECK(!Endpoint::unix_path(""));
  CHECK(!Endpoint::unix_path(std::string_view("a\0b", 3)));
  CHECK(*endpoint == Endpoint::unix_path("/run/x.sock").value());
  CHECK(!(*endpoint == Endpoint::unix_path("/run/y.sock").value()));
}

TEST_CASE("an unnamed unix peer and no address at all are values too") {
  sockaddr_un un{};
  un.sun_family = AF_UNIX;
  const auto unnamed = Endpoint::of_sockaddr(reinterpret_cast<sockaddr*>(&un), sizeof(sa_family_t));
  CHECK(unnamed.family() == Endpoint::Family::Unix);
  CHECK(unnamed.address() == "unix:");
  CHECK(unnamed.to_string() == "unix:");
  CHECK(Endpoint().family() == Endpoint::Family::None);
  CHECK(Endpoint().to_string().empty());
  CHECK(Endpoint() == Endpoint());
}

TEST_CASE("names are looked up, numbers are taken as they are") {
  const auto local = resolve_now("localhost", 81);
  REQUIRE(local);
  REQUIRE(!local->empty());
  CHECK(std::all_of(local->begin(), local->end(), [](const auto& e) { return e.port() == 81; }));
  const auto number = resolve_now("127.0.0.1", 82);
  REQUIRE(number);
  CHECK(number->size() == 1);
  CHECK(number->front().to_string() == "127.0.0.1:82");
  CHECK(resolve_now("name.invalid", 80).error().kind == ErrorKind::Unreachable);
}
