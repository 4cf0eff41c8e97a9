// After the handshake: bytes, back-pressure, ends.

#include "tests/unit/tls/tls_fixture.h"

using namespace gatescope;
using namespace gatescope::tls;
using namespace gatescope::tls::test;

namespace {

std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i)
    text[i] = static_cast<char>('a' + (i * 7 + i / 251) % 26);
  return text;
}

/// The lengths of the TLS records in `bytes`, headers and tags included.
std::vector<std::size_t> record_sizes(std::string_view bytes) {
  std::vector<std::size_t> sizes;
  while (bytes.size() >= 5) {
    const std::size_t size =
        5 + (static_cast<unsigned char>(bytes[3]) << 8 | static_cast<unsigned char>(bytes[4]));
    sizes.push_back(size);
    bytes.remove_prefix(std::min(size, bytes.size()));
  }
  return sizes;
}

/// A World with one open connection.
struct Open : World {
  explicit Open(int version = TLS1_3_VERSION) : client({.version = version}) {
    server.pump(client);
    REQUIRE(server.user.done);
  }
  Served server{loop, chooser};
  Recorder& user = server.user;
  Wire& wire = *server.wire;
  Client client;
};

}  // namespace

TEST_CASE("large data in both directions") {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (const std::size_t piece : {std::size_t{1000}, std::size_t{65536}}) {
      Open open(version);
      const std::string data = pattern(1'500'000);
      open.user.write(data);
      open.client.write(data);
      open.server.pump(open.client, piece);
      CHECK(open.client.received == data);
      CHECK(open.user.received == data);
    }
  }
}

TEST_CASE("many pieces leave in one write of the inner stream, in few records") {
  Open open;
  open.user.write(pattern(200'000));  // past the small records
  open.server.pump(open.client);
  open.client.received.clear();
  open.wire.writes = 0;

  ByteQueue bytes;
  std::string all;
  for (int i = 0; i < 20; ++i) {
    bytes.append_copy("head " + std::to_string(i) + ";");
    bytes.append(SharedBytes(pattern(2500)));
    all += "head " + std::to_string(i) + ";" + pattern(2500);
  }
  CHECK(open.user.stream->write(bytes) == Flow::GoOn);
  CHECK(bytes.empty());
  CHECK(open.wire.writes == 1);
  CHECK(record_sizes(open.wire.sent).size() <= 5);  // 50 KB
  open.server.pump(open.client);
  CHECK(open.client.received == all);
}

TEST_CASE("records are small after a pause and large once data flows") {
  Open open;
  open.user.write("x");
  open.server.pump(open.client);
  open.loop.manual_clock().advance(std::chrono::seconds(2));
  open.user.write(pattern(200'000));
  auto sizes = record_sizes(open.wire.sent);
  REQUIRE(sizes.size() > 20);
  CHECK(sizes[0] < 4200);
  CHECK(sizes[15] < 4200);
  CHECK(sizes[17] > 16000);
  open.server.pump(open.client);
  open.user.write(pattern(50'000));
  CHECK(record_sizes(open.wire.sent)[0] > 16000);  // no pause in between
}

TEST_CASE("ssl_buffer_size bounds the records") {
  TlsSettings settings;
  settings.buffer_size = 2000;
  World world(settings);
  Served server(world.loop, world.chooser);
  Client client({});
  server.pump(client);
  server.user.write("ticket");
  server.pump(client);
  server.user.write(pattern(200'000));
  for (const std::size_t size : record_sizes(server.wire->sent))
    CHECK(size < 2100);
}

TEST_CASE("back-pressure is the inner stream's") {
  Open open;
  open.user.write("ticket and all");
  open.server.pump(open.client);
  open.wire.window = 0;
  static_assert(net::Stream::kHighWater == 64 * 1024);  // what the numbers below lie around
  const std::string part = pattern(25'000);
  CHECK(open.user.write(part) == Flow::GoOn);
  CHECK(open.user.stream->unsent() > part.size());
  CHECK(open.user.write(part) == Flow::GoOn);
  CHECK(open.user.write(part) == Flow::Wait);
  CHECK(open.user.drained == 0);
  open.wire.open_window(25'000);
  CHECK(open.user.drained == 0);
  open.wire.open_window(37'500);
  CHECK(open.user.drained == 1);
  open.wire.open_window(std::string::npos);
  CHECK(open.user.drained == 1);
  CHECK(open.user.stream->unsent() == 0);
  open.client.received.clear();
  open.server.pump(open.client);
  CHECK(open.client.received == part + part + part);
}

TEST_CASE("on_data joins records, up to 64 KB a call") {
  Open open;
  open.client.write(pattern(60'000));  // four records
  open.server.pump(open.client);
  CHECK(open.user.data_calls == 1);
  CHECK(open.user.received == pattern(60'000));
}

TEST_CASE("stop_reading inside on_data stops at once, start_reading goes on where it was") {
  for (const std::size_t piece : {std::size_t{5000}, std::string::npos}) {
    Open open;
    const std::string data = pattern(300'000);
    open.user.on_each_data = [&] { open.user.stream->stop_reading(); };
    open.client.write(data);
    open.server.pump(open.client, piece);
    CHECK(open.user.data_calls == 1);
    CHECK(open.user.received.size() <= 65536);
    CHECK(!open.wire.reading);
    open.loop.turn();
    open.loop.turn();
    CHECK(open.user.data_calls == 1);
    std::size_t rounds = 0;
    while (open.user.received.size() < data.size() && ++rounds < 1000) {
      const std::size_t calls = open.user.data_calls;
      open.user.stream->start_reading();
      CHECK(open.user.data_calls == calls);  // never from inside
      open.wire.flush_unread();
      open.loop.turn();
      CHECK(open.user.data_calls <= calls + 2);
    }
    CHECK(open.user.received == data);
  }
}

TEST_CASE("an end behind data that was not read yet comes after the data") {
  Open open;
  open.user.on_each_data = [&] { open.user.stream->stop_reading(); };
  open.client.write(pattern(100'000));
  open.client.close();
  open.wire.deliver(open.client.pull());
  open.wire.deliver_fin();
  open.loop.turn();
  CHECK(!open.user.ended);
  open.user.on_each_data = nullptr;
  open.user.stream->start_reading();
  open.loop.turn();
  CHECK(open.user.received == pattern(100'000));
  CHECK(open.user.ended);
  CHECK(!open.user.stream->info().truncated);
}

/// Up to the client's last flight, which is in `client`.
struct LastFlight : World {
  LastFlight() {
    client.step();
    server.wire->deliver(client.pull());
    loop.turn();
    client.push(std::exchange(server.wire->sent, {}));
    client.step();
    server.wire->writes = 0;
  }
  void deliver() {
    server.wire->deliver(client.pull());
    loop.turn();
  }
  Served server{loop, chooser};
  Client client{{.version = TLS1_3_VERSION}};
};

TEST_CASE("tickets leave with the first answer when the request came with the handshake's end") {
  for (const bool late : {false, true}) {
    CAPTURE(late);
    LastFlight last;
    last.server.user.reads_at_turn_end = late;
    last.client.write("GET");
    last.deliver();
    CHECK(last.server.user.received == "GET");
    CHECK(last.server.wire->writes == 0);
    CHECK(last.server.wire->stops == 0);  // starting again takes two system calls
    last.server.user.write("answer");
    CHECK(last.server.wire->writes == 1);
    last.server.pump(last.client);
    CHECK(last.client.session_count() == 1);
    CHECK(last.client.received == "answer");
  }
}

// A client with Nagle's algorithm sends its request when its last flight is acknowledged; that took
// 40 ms when nothing was sent.
TEST_CASE("tickets leave at once when no request came with the handshake's end") {
  LastFlight last;
  last.deliver();
  CHECK(last.server.wire->writes == 1);
  last.server.pump(last.client);
  CHECK(last.client.session_count() == 1);
}

TEST_CASE("close_notify from the client is an end in order, answering is still possible") {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    Open open(version);
    open.client.write("last words");
    open.client.close();
    open.server.pump(open.client);
    CHECK(open.user.received == "last words");
    CHECK(open.user.ended);
    CHECK(!open.user.error);
    CHECK(!open.user.stream->info().truncated);
    if (version == TLS1_3_VERSION) {  // TLS 1.2 closes both directions (RFC 5246 7.2.1)
      open.user.write("answer");
      open.server.pump(open.client);
      CHECK(open.client.received == "answer");
    }
    open.wire.deliver_fin();  // not told twice
    open.user.stream->shut_down();
    CHECK(open.wire.fin_sent);
  }
}

TEST_CASE("shut_down sends close_notify, then FIN, and reading goes on") {
  Open open;
  open.user.write("bye");
  open.user.stream->shut_down();
  CHECK(open.wire.fin_sent);
  open.client.write("still here");
  open.server.pump(open.client);
  CHECK(open.client.received == "bye");
  CHECK(open.client.closed);
  CHECK(open.user.received == "still here");
  CHECK(!open.user.ended);
  open.wire.deliver_fin();
  CHECK(open.user.ended);
  CHECK(open.user.write("no more") == Flow::Wait);
}

TEST_CASE("an end without close_notify is an end, and marked") {
  Open open;
  open.client.write("abc");
  open.server.pump(open.client);
  open.wire.deliver_fin();
  CHECK(open.user.received == "abc");
  CHECK(open.user.ended);
  CHECK(!open.user.error);
  CHECK(open.user.stream->info().truncated);
}

TEST_CASE("a changed byte is a failure, told after what was good") {
  Open open;
  open.client.write("good");
  std::string bytes = open.client.pull();
  open.client.write("bad");
  std::string bad = open.client.pull();
  bad.back() = static_cast<char>(bad.back() ^ 1);
  open.wire.deliver(bytes + bad);
  open.loop.turn();
  CHECK(open.user.received == "good");
  REQUIRE(open.user.error);
  CHECK(open.user.error->detail.find("SSL_read() failed (SSL: error:") == 0);
  CHECK(open.user.error->origin == Origin::Client);
  CHECK(!open.wire.reading);
  CHECK(!open.wire.sent.empty());  // the alert
  CHECK(open.user.write("x") == Flow::Wait);
}

TEST_CASE("a failure of the inner stream is passed on") {
  Open open;
  open.wire.deliver_failure(system_error(ECONNRESET, "recv()", Origin::Client));
  REQUIRE(open.user.error);
  CHECK(open.user.error->kind == ErrorKind::Reset);
}

TEST_CASE("the stream may be thrown into the bin inside each of its events") {
  // Until the bin is emptied the stream is alive, and what it had planned for this turn still
  // happens: its events are taken away first.
  const auto drop = [](Open& open) {
    open.user.stream->set_events(nullptr);
    open.loop.discard(std::move(open.user.stream));
  };
  SECTION("on_data, with more to come") {
    Open open;
    open.user.on_each_data = [&] { drop(open); };
    open.client.write(pattern(200'000));
    open.wire.deliver(open.client.pull());
    open.loop.turn();
    CHECK(open.user.data_calls == 1);
    CHECK(!open.wire.alive);
  }
  SECTION("on_data, in the turn hook") {
    Open open;
    open.user.on_each_data = [&] {
      if (open.user.data_calls == 2) drop(open);
    };
    open.client.write(pattern(200'000));
    open.wire.deliver(open.client.pull());
    open.loop.turn();
    CHECK(open.user.data_calls == 2);
    CHECK(!open.wire.alive);
  }
}

TEST_CASE("renegotiation is refused") {
  Open open(TLS1_2_VERSION);
  SSL_renegotiate(open.client.native());
  SSL_do_handshake(open.client.native());
  open.wire.deliver(open.client.pull());
  open.loop.turn();
  CHECK(!open.user.error);  // the connection stays, if the client wants it to
  REQUIRE(record_sizes(open.wire.sent).size() == 1);
  CHECK(open.wire.sent[0] == SSL3_RT_ALERT);
}

TEST_CASE("a change of keys is answered") {
  Open open;
  SSL_key_update(open.client.native(), SSL_KEY_UPDATE_REQUESTED);
  open.client.write("with the new key");
  open.server.pump(open.client);
  CHECK(open.user.received == "with the new key");
  open.user.write("me too");
  open.server.pump(open.client);
  CHECK(open.client.received == "me too");
}
