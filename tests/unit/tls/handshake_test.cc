// From the first byte to on_handshake_done or on_handshake_failed.

#include "tests/unit/tls/tls_fixture.h"

using namespace gatescope;
using namespace gatescope::tls;
using namespace gatescope::tls::test;

TEST_CASE("data goes both ways, however the bytes are cut") {
  World world;
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::string::npos}) {
      CAPTURE(version, piece);
      Served server(world.loop, world.chooser);
      Client client({.version = version});
      server.pump(client, piece);
      REQUIRE(server.user.done);
      REQUIRE(client.connected());
      client.write("GET / HTTP/1.1\r\n\r\n");
      server.pump(client, piece);
      CHECK(server.user.received == "GET / HTTP/1.1\r\n\r\n");
      CHECK(server.user.write("HTTP/1.1 200 OK\r\n\r\n") == Flow::GoOn);
      server.pump(client, piece);
      CHECK(client.received == "HTTP/1.1 200 OK\r\n\r\n");
      CHECK(server.fact(TlsFact::Protocol) == (version == TLS1_2_VERSION ? "TLSv1.2" : "TLSv1.3"));
      CHECK(server.fact(TlsFact::Cipher) == SSL_get_cipher_name(client.native()));
      CHECK(server.fact(TlsFact::ServerName) == "a.test");
      CHECK(!server.user.stream->info().resumed);
    }
  }
}

TEST_CASE("a request in the flight of the client's Finished is not lost") {
  World world;
  for (const bool start_at_once : {true, false}) {
    Served server(world.loop, world.chooser);
    server.user.start_reading = start_at_once;
    Client client({.version = TLS1_3_VERSION});
    client.step();
    server.wire->deliver(client.pull());
    client.push(std::exchange(server.wire->sent, {}));
    client.step();
    client.write("early");
    server.wire->deliver(client.pull());
    CHECK(server.user.done);
    world.loop.turn();
    if (!start_at_once) {
      CHECK(server.user.received.empty());
      server.user.stream->start_reading();
      world.loop.turn();
    }
    CHECK(server.user.received == "early");
  }
}

TEST_CASE("the name that the client sends chooses the certificate, before sessions are looked at") {
  World world;
  TlsSettings other = world.settings;
  other.pairs = {world.authority.add(world.secrets, "/b", "b.test")};
  other.tls13 = false;
  other.ecdh_curve = "P-384";
  const auto b = world.make(other);
  world.chooser.contexts["b.test"] = b.get();

  Served server(world.loop, world.chooser);
  Client client({.name = "B.Test"});
  server.pump(client);
  REQUIRE(server.user.done);
  CHECK(client.peer_name() == "b.test");
  CHECK(server.user.stream->facts().server_name() == "b.test");
  CHECK(server.fact(TlsFact::Protocol) == "TLSv1.2");  // the chosen server's protocols
  CHECK(server.fact(TlsFact::Curve) == "secp384r1");   // ... and groups
  CHECK(world.chooser.asked == std::vector<std::string>{"", "b.test"});

  for (const std::string name : {"", "unknown.test"}) {
    Served fallback(world.loop, world.chooser);
    Client any({.name = name});
    fallback.pump(any);
    CHECK(any.peer_name() == "a.test");
  }
}

TEST_CASE("an RSA and an ECDSA certificate side by side, with their chains") {
  MemorySecrets secrets;
  World world;
  TlsSettings settings;
  settings.pairs = {world.authority.add(world.secrets, "/rsa", "a.test", true, true),
                    world.authority.add(world.secrets, "/ecdsa", "a.test", false, false)};
  const auto both = world.make(settings);
  CHECK(both->expiry().size() == 2);
  world.chooser.contexts[""] = both.get();

  Served first(world.loop, world.chooser);
  Client modern({.version = TLS1_2_VERSION, .ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256"});
  first.pump(modern);
  CHECK(modern.peer_key_type() == EVP_PKEY_EC);
  CHECK(modern.chain_length() == 1);

  Served second(world.loop, world.chooser);
  Client old({.version = TLS1_2_VERSION, .ciphers = "ECDHE-RSA-AES128-GCM-SHA256"});
  second.pump(old);
  CHECK(old.peer_key_type() == EVP_PKEY_RSA);
  CHECK(old.chain_length() == 2);
}

TEST_CASE("ALPN: the server's order decides") {
  TlsSettings settings;
  settings.alpn = {"h2", "http/1.1"};
  World world(settings);
  Served server(world.loop, world.chooser);
  Client client({.alpn = {"http/1.1", "h2"}});
  server.pump(client);
  CHECK(client.alpn() == "h2");
  CHECK(server.user.stream->info().alpn == "h2");

  Served without(world.loop, world.chooser);
  Client silent({});
  without.pump(silent);
  CHECK(without.user.done);
  CHECK(without.user.stream->info().alpn.empty());

  Served stranger(world.loop, world.chooser);
  Client gopher({.alpn = {"gopher"}});
  stranger.pump(gopher);
  REQUIRE(stranger.user.handshake_error);
  CHECK(stranger.user.handshake_error->detail.find(
            "SSL_do_handshake() failed (SSL: error:0A0000EB:") == 0);
}

TEST_CASE("a client that is too old is refused with nginx's words") {
  World world;
  Served server(world.loop, world.chooser);
  Client client({.version = TLS1_1_VERSION, .ciphers = "ALL:@SECLEVEL=0"});
  server.pump(client);
  REQUIRE(server.user.handshake_error);
  CHECK(server.user.handshake_error->origin == Origin::Client);
  CHECK(server.user.handshake_error->kind == ErrorKind::Protocol);
  CHECK(server.user.handshake_error->detail ==
        "SSL_do_handshake() failed (SSL: error:0A000102:SSL routines::unsupported protocol)");
  CHECK(!server.user.plain_http);
  CHECK(!client.connected());
}

TEST_CASE("plain HTTP on a TLS port gives the stream back") {
  World world;
  Served server(world.loop, world.chooser);
  server.wire->deliver("GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
  REQUIRE(server.user.handshake_error);
  CHECK(server.user.plain_http);
  CHECK(server.user.handshake_error->detail == "client sent plain HTTP request to HTTPS port");
  CHECK(server.user.stream->clear_bytes() == "GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(server.wire->sent.empty());

  const auto inner = server.user.stream->release_inner();
  REQUIRE(inner);
  server.user.stream.reset();
  ByteQueue answer;
  answer.append_copy("HTTP/1.1 400 Bad Request\r\n\r\n");
  inner->write(answer);
  CHECK(server.wire->sent == "HTTP/1.1 400 Bad Request\r\n\r\n");
}

TEST_CASE("nobody hears of a handshake whose events were given up") {
  World world;
  Served server(world.loop, world.chooser);
  server.user.stream->set_events(nullptr);
  server.wire->deliver("GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
  world.loop.turn();
  CHECK(!server.user.handshake_error);
  CHECK(!server.wire->reading);
}

TEST_CASE("garbage is refused and the connection stays quiet") {
  World world;
  const std::string kGarbage[] = {
      std::string(300, '\0'),
      std::string(100, '\x16'),
      std::string("\x16\x03\x01\x00\x05hello", 10),
      "\x80\x2e\x01\x03\x01" + std::string(60, '.'),   // how SSLv2 began
      "\x16\x03\x01\x7f\xff" + std::string(400, 'x'),  // a record larger than any
  };
  for (const std::string& garbage : kGarbage) {
    CAPTURE(garbage.size());
    Served server(world.loop, world.chooser);
    server.wire->deliver(garbage);
    world.loop.turn();
    REQUIRE(server.user.handshake_error);
    CHECK(!server.user.plain_http);
    CHECK(server.user.handshake_error->detail.find("SSL_do_handshake() failed (SSL: error:") == 0);
    CHECK(!server.wire->reading);
    server.wire->reading = true;
    server.wire->deliver(garbage);  // too late for any event
    server.wire->deliver_fin();
    world.loop.turn();
  }
}

TEST_CASE("a client that goes away during the handshake") {
  World world;
  SECTION("before the first byte") {
    Served server(world.loop, world.chooser);
    server.wire->deliver_fin();
    REQUIRE(server.user.handshake_error);
    CHECK(server.user.handshake_error->detail == "peer closed connection in SSL handshake");
    CHECK(server.user.handshake_error->kind == ErrorKind::Closed);
  }
  SECTION("after its hello") {
    Served server(world.loop, world.chooser);
    Client client({});
    client.step();
    server.wire->deliver(client.pull());
    server.wire->deliver_fin();
    REQUIRE(server.user.handshake_error);
    CHECK(server.user.handshake_error->kind == ErrorKind::Closed);
  }
  SECTION("by a reset") {
    Served server(world.loop, world.chooser);
    server.wire->deliver_failure(system_error(ECONNRESET, "recv()", Origin::Client));
    REQUIRE(server.user.handshake_error);
    CHECK(server.user.handshake_error->kind == ErrorKind::Reset);
    CHECK(!server.user.error);
  }
  SECTION("by destruction, before and in the middle") {
    { Served server(world.loop, world.chooser); }
    Served server(world.loop, world.chooser);
    Client client({});
    client.step();
    server.wire->deliver(client.pull());
    server.user.stream.reset();
    world.loop.turn();
  }
}

TEST_CASE("writing before the handshake is done loses the bytes and harms nothing") {
  World world;
  Served server(world.loop, world.chooser);
  CHECK(server.user.write("too early") == Flow::Wait);
  Client client({});
  server.pump(client);
  CHECK(server.user.done);
  CHECK(client.received.empty());
}
