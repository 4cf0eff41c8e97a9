#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <fstream>

#include "tests/unit/net/net_fixture.h"

using namespace gatescope;
using namespace gatescope::net;

namespace {

Endpoint where(const std::string& kind, const TempFolder& folder) {
  if (kind == "unix") return Endpoint::unix_path(folder / "s").value();
  return loopback();
}

}  // namespace

TEST_CASE("bytes go both ways, over TCP and over a unix socket") {
  const TempFolder folder;
  for (const std::string kind : {"tcp", "unix"}) {
    LoopFixture f;
    Pair p(f, where(kind, folder));
    CHECK(send(*p.client, "ping") == Flow::GoOn);
    CHECK(send(*p.server, "pong") == Flow::GoOn);
    f.until([&] { return p.at_server.data == "ping" && p.at_client.data == "pong"; });
    CHECK(p.client->unsent() == 0);
    p.client.reset();
    f.until([&] { return p.at_server.ended; });
    CHECK(p.at_server.failures == 0);
  }
}

TEST_CASE("both ends know their addresses") {
  LoopFixture f;
  Pair p(f, loopback());
  CHECK(p.client->peer() == p.listener->local());
  CHECK(p.server->local() == p.listener->local());
  CHECK(p.server->peer() == p.client->local());
  CHECK(p.server->peer().address() == "127.0.0.1");

  Pair any(f, Endpoint::ip("0.0.0.0", 0).value());
  CHECK(any.server->local() == loopback(any.listener->local().port()));

  const TempFolder folder;
  Pair u(f, where("unix", folder));
  CHECK(u.server->peer().address() == "unix:");
  CHECK(u.server->local().to_string() == "unix:" + folder / "s");
  CHECK(u.client->peer().to_string() == "unix:" + folder / "s");
}

TEST_CASE("much data arrives whole, both ways at once, and back-pressure is told") {
  const TempFolder folder;
  const std::string big = pattern(20u << 20);
  for (const std::string kind : {"tcp", "unix"}) {
    LoopFixture f;
    Pair p(f, where(kind, folder));
    CHECK(send(*p.client, big) == Flow::Wait);
    CHECK(send(*p.server, big) == Flow::Wait);
    CHECK(p.client->unsent() > Stream::kHighWater);
    f.until([&] {
      return p.at_server.data.size() >= big.size() && p.at_client.data.size() >= big.size();
    });
    CHECK(p.at_server.data == big);
    CHECK(p.at_client.data == big);
    f.until([&] { return p.at_client.drained == 1 && p.at_server.drained == 1; });
    CHECK(p.client->unsent() == 0);
  }
}

TEST_CASE("a file goes by itself while the socket has room, and between what is written") {
  const TempFolder folder;
  const std::string text = pattern(12u << 20);
  std::ofstream(folder / "f", std::ios::binary) << text;
  const UniqueFd file(::open((folder / "f").c_str(), O_RDONLY | O_CLOEXEC));
  for (const std::string kind : {"tcp", "unix"}) {
    LoopFixture f;
    Pair p(f, where(kind, folder));
    CHECK(send(*p.client, "head ") == Flow::GoOn);
    std::size_t at = 0, by_itself = 0;
    while (at < text.size()) {
      if (const auto sent = p.client->send_file(file.get(), at, text.size() - at)) {
        CHECK(*sent > 0);
        at += *sent;
        by_itself += *sent;
        continue;
      }
      // No room: what is written waits, and nothing passes it.
      const auto piece = text.substr(at, 100'000);
      at += piece.size();
      const auto drained = p.at_client.drained;
      if (send(*p.client, piece) == Flow::GoOn) continue;
      CHECK_FALSE(p.client->send_file(file.get(), 0, 1));
      f.until([&] { return p.at_client.drained > drained; });
    }
    send(*p.client, " tail");
    CHECK(by_itself > text.size() / 4);
    CHECK_FALSE(p.client->send_file(file.get(), text.size(), 1));  // the file's end
    f.until([&] { return p.at_server.data.size() >= text.size() + 10; });
    CHECK(p.at_server.data == "head " + text + " tail");
  }
}

TEST_CASE("small and large pieces written at different times keep their order") {
  LoopFixture f;
  Pair p(f, loopback());
  const std::string source = pattern(6u << 20);
  p.server->stop_reading();
  std::size_t at = 0;
  std::size_t size = 1;
  bool paused = false;
  while (at < source.size()) {
    const std::string piece = source.substr(at, size);
    at += piece.size();
    paused = send(*p.client, piece) == Flow::Wait || paused;
    size = size * 7 % 200'003 + 1;
    if (at % 3 == 0) f.turns(1);
  }
  CHECK(paused);
  CHECK(p.at_server.data.empty());
  p.server->start_reading();
  f.until([&] { return p.at_server.data.size() >= source.size(); });
  CHECK(p.at_server.data == source);
  f.until([&] { return p.at_client.drained > 0; });
}

TEST_CASE("more pieces than one system call takes") {
  LoopFixture f;
  Pair p(f, loopback());
  ByteQueue queue;
  std::string expected;
  for (int i = 0; i < 500; ++i) {
    const std::string piece(ByteQueue::kCopyBelow, static_cast<char>('a' + i % 26));
    expected += piece;
    queue.append(SharedBytes::copy_of(piece));
  }
  p.client->write(queue);
  CHECK(queue.empty());
  f.until([&] { return p.at_server.data.size() >= expected.size(); });
  CHECK(p.at_server.data == expected);
}

TEST_CASE("on_drained lets a sender go on for ever in bounded memory") {
  LoopFixture f;
  Pair p(f, loopback());
  struct Sender : StreamRecorder {
    void go() {
      while (sent < 8u << 20) {
        sent += 100'000;
        if (send(*stream, std::string(100'000, 'x')) == Flow::Wait) return;
        most = std::max(most, stream->unsent());
      }
    }
    void on_drained() override {
      CHECK(stream->unsent() < Stream::kHighWater / 2);
      go();
    }
    Stream* stream = nullptr;
    std::size_t sent = 0;
    std::size_t most = 0;
  } sender;
  sender.stream = p.client.get();
  p.client->set_events(&sender);
  sender.go();
  f.until([&] { return p.at_server.data.size() >= 8u << 20; });
  CHECK(sender.most <= Stream::kHighWater);
}

TEST_CASE("half close: the end comes after the data, and the other way stays open") {
  LoopFixture f;
  Pair p(f, loopback());
  const std::string big = pattern(3u << 20);
  send(*p.client, big);
  p.client->shut_down();
  f.until([&] { return p.at_server.ended; });
  CHECK(p.at_server.data == big);
  CHECK(send(*p.server, "still here") == Flow::GoOn);
  f.until([&] { return p.at_client.data == "still here"; });
  p.server->shut_down();
  f.until([&] { return p.at_client.ended; });
  CHECK(p.at_client.failures + p.at_server.failures == 0);
}

TEST_CASE("reset_on_close is seen as a reset") {
  LoopFixture f;
  Pair p(f, loopback());
  p.server->reset_on_close();
  p.server.reset();
  f.until([&] { return p.at_client.failures == 1; });
  CHECK(p.at_client.error->kind == ErrorKind::Reset);
  CHECK(p.at_client.error->origin == Origin::Upstream);
  CHECK(!p.at_client.ended);
  CHECK(send(*p.client, "x") == Flow::Wait);
  p.client->start_reading();
  f.turns(5);
  CHECK(p.at_client.failures == 1);
}

TEST_CASE("writing to a dead peer fails later, once, and never from inside write()") {
  LoopFixture f;
  Pair p(f, loopback());
  p.client->stop_reading();  // so that only writing can find out
  p.server->reset_on_close();
  p.server.reset();
  int writes = 0;
  f.until([&] {
    if (p.at_client.failures == 0) {
      send(*p.client, "data");
      CHECK(p.at_client.failures == 0);
      ++writes;
      f.turns(1);
    }
    return p.at_client.failures > 0;
  });
  CHECK(p.at_client.failures == 1);
  CHECK(p.at_client.error->kind == ErrorKind::Reset);
  for (int i = 0; i < 3; ++i)
    send(*p.client, "more");
  f.turns(5);
  CHECK(p.at_client.failures == 1);
}

TEST_CASE("a reset while much is unsent fails once") {
  LoopFixture f;
  Pair p(f, loopback());
  p.server->stop_reading();
  send(*p.client, std::string(20u << 20, 'x'));
  f.turns(5);
  p.server->reset_on_close();
  p.server.reset();
  f.until([&] { return p.at_client.failures > 0; });
  f.turns(5);
  CHECK(p.at_client.failures == 1);
  CHECK(p.client->unsent() == 0);
  CHECK(p.at_client.drained == 0);
}

TEST_CASE("an answer that came before the failed write is still read") {
  const TempFolder folder;
  LoopFixture f;
  Pair p(f, where("unix", folder));
  // The server answers early and leaves; the client has not looked yet and writes on.
  send(*p.server, "413 too large");
  p.server.reset();
  send(*p.client, "more of the body");
  CHECK(p.at_client.data.empty());
  f.until([&] { return p.at_client.failures == 1; });
  CHECK(p.at_client.data == "413 too large");
}

TEST_CASE("a stream may be discarded inside each of its callbacks") {
  LoopFixture f;
  struct Leaver : StreamRecorder {
    void leave() {
      stream->set_events(nullptr);
      loop->discard(std::move(stream));
    }
    void on_data(std::span<const std::byte>) override { leave(); }
    void on_end() override { leave(); }
    void on_failed(const Error&) override { leave(); }
    void on_drained() override { leave(); }
    std::unique_ptr<Stream> stream;
    Loop* loop = nullptr;
  };
  for (const std::string cause : {"data", "end", "failed", "drained"}) {
    Pair p(f, loopback());
    Leaver leaver;
    leaver.loop = f.loop.get();
    leaver.stream = std::move(p.client);
    leaver.stream->set_events(&leaver);
    if (cause == "data") send(*p.server, std::string(200'000, 'x'));
    if (cause == "end") p.server->shut_down();
    if (cause == "failed") {
      p.server->reset_on_close();
      p.server.reset();
    }
    if (cause == "drained") send(*leaver.stream, std::string(5u << 20, 'x'));
    f.until([&] { return !leaver.stream; });
  }
}

TEST_CASE("unsent data is dropped with the stream") {
  LoopFixture f;
  Pair p(f, loopback());
  p.server->stop_reading();
  send(*p.client, std::string(30u << 20, 'x'));
  f.turns(3);
  p.client.reset();
  p.server->start_reading();
  f.until([&] { return p.at_server.ended || p.at_server.failures > 0; });
  CHECK(p.at_server.data.size() < 30u << 20);
}

TEST_CASE("not reading is back-pressure, events may change hands") {
  LoopFixture f;
  Pair p(f, loopback());
  p.server->stop_reading();
  send(*p.client, "later");
  f.turns(5);
  CHECK(p.at_server.data.empty());
  StreamRecorder other;
  p.server->set_events(&other);
  p.server->start_reading();
  p.server->start_reading();
  f.until([&] { return other.data == "later"; });
  CHECK(p.at_server.data.empty());
}

TEST_CASE("stopping inside on_data stops at once") {
  LoopFixture f;
  Pair p(f, loopback());
  int calls = 0;
  p.at_server.on_each = [&] {
    ++calls;
    p.server->stop_reading();
  };
  send(*p.client, std::string(1u << 20, 'x'));
  f.until([&] { return calls > 0; });
  f.turns(5);
  CHECK(calls == 1);
}

TEST_CASE("a connected descriptor can be adopted, another cannot") {
  LoopFixture f;
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  auto a = f.loop->adopt(UniqueFd(ends[0]));
  auto b = f.loop->adopt(UniqueFd(ends[1]));
  REQUIRE(a);
  REQUIRE(b);
  StreamRecorder at_b;
  (*b)->set_events(&at_b);
  (*b)->start_reading();
  send(**a, "through");
  f.until([&] { return at_b.data == "through"; });
  CHECK(!f.loop->adopt(UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))));
}
