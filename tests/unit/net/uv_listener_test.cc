#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>

#include "tests/unit/net/net_fixture.h"

using namespace gatescope;
using namespace gatescope::net;

namespace {

// Connects without the loop, so that many may wait at once.
UniqueFd connect_plainly(const Endpoint& endpoint) {
  UniqueFd fd(::socket(endpoint.raw()->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  REQUIRE(fd);
  REQUIRE(::connect(fd.get(), endpoint.raw(), endpoint.raw_size()) == 0);
  return fd;
}

int option(int fd, int level, int name) {
  int value = -1;
  socklen_t size = sizeof(value);
  ::getsockopt(fd, level, name, &value, &size);
  return value;
}

struct SavedLimit {
  SavedLimit() { ::getrlimit(RLIMIT_NOFILE, &before); }
  ~SavedLimit() { ::setrlimit(RLIMIT_NOFILE, &before); }
  rlimit before{};
};

}  // namespace

TEST_CASE("a burst of clients is accepted") {
  LoopFixture f;
  AcceptRecorder accepted;
  const auto listener = f.loop->listen(loopback(), {}, accepted);
  REQUIRE(listener);
  std::vector<UniqueFd> clients;
  for (int i = 0; i < 300; ++i)
    clients.push_back(connect_plainly((*listener)->local()));
  f.until([&] { return accepted.streams.size() == 300; });
}

TEST_CASE("a stopped listener leaves its clients in the backlog") {
  LoopFixture f;
  AcceptRecorder accepted;
  const auto listener = f.loop->listen(loopback(), {}, accepted);
  REQUIRE(listener);
  (*listener)->stop_accepting();
  const auto client = connect_plainly((*listener)->local());
  f.turns(5);
  CHECK(accepted.streams.empty());
  (*listener)->resume_accepting();
  f.until([&] { return accepted.streams.size() == 1; });
}

TEST_CASE("a listener stopped by its own event accepts no more") {
  LoopFixture f;
  struct OneOnly : AcceptEvents {
    void on_accepted(std::unique_ptr<Stream>) override {
      ++count;
      listener->stop_accepting();
    }
    int count = 0;
    Listener* listener = nullptr;
  } events;
  const auto listener = f.loop->listen(loopback(), {}, events);
  REQUIRE(listener);
  events.listener = listener->get();
  std::vector<UniqueFd> clients;
  for (int i = 0; i < 5; ++i)
    clients.push_back(connect_plainly((*listener)->local()));
  f.until([&] { return events.count > 0; });
  f.turns(5);
  CHECK(events.count == 1);
}

TEST_CASE("without descriptors a listener waits instead of spinning, says so, and recovers") {
  LoopFixture f;
  AcceptRecorder accepted;
  const auto listener = f.loop->listen(loopback(), {}, accepted);
  REQUIRE(listener);
  f.turns(2);  // libuv's own descriptors are open by now
  // UBSan looks at each dynamic type once, for which it needs descriptors itself: show it the log
  // and the accepting side while there are some. A regular file cannot be watched, which is logged.
  const UniqueFd file(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  struct Deaf : DescriptorEvents {
    void on_ready(int, bool, bool) override {}
  } deaf;
  f.loop->watch(file.get(), deaf);
  const auto before = f.log.lines().size();
  REQUIRE(before == 1);
  const auto first = connect_plainly((*listener)->local());
  f.until([&] { return accepted.streams.size() == 1; });
  accepted.streams.clear();
  const auto client = connect_plainly((*listener)->local());
  {
    const SavedLimit saved;
    rlimit none = saved.before;
    none.rlim_cur = 0;  // what is open stays open
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
    f.until([&] { return f.log.lines().size() > before; });
    const MonoTime said = SystemClock().now();
    f.turns(20);
    // Tried again each half second, which a slow machine may take for these turns
    const auto more = (SystemClock().now() - said) / Duration(500);
    REQUIRE(f.log.lines().size() <= before + 1 + static_cast<std::size_t>(more));
  }
  CHECK(f.log.lines()[1].first == LogLevel::Crit);
  CHECK(f.log.lines()[1].second == "accept() failed (24: Too many open files)");
  const MonoTime start = f.loop->clock().now();
  f.until([&] { return accepted.streams.size() == 1; });
  CHECK(f.loop->clock().now() < start + Duration(5000));
}

TEST_CASE("accepted sockets send at once, do not leak into children and do not block") {
  OwnSockets sockets;
  LoopFixture f;
  AcceptRecorder accepted;
  ListenOptions options;
  options.keepalive = true;
  const auto listener = f.loop->listen(loopback(), options, accepted);
  REQUIRE(listener);
  const auto client = connect_plainly((*listener)->local());
  f.until([&] { return accepted.streams.size() == 1; });
  // The stream shows no descriptor: look for the one whose peer is our client.
  bool found = false;
  for (int fd = 3; fd < 256; ++fd) {
    sockaddr_storage peer{};
    socklen_t size = sizeof(peer);
    if (::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) != 0) continue;
    if (!(Endpoint::of_sockaddr(reinterpret_cast<sockaddr*>(&peer), size) ==
          accepted.streams[0]->peer()))
      continue;
    found = true;
    CHECK(option(fd, IPPROTO_TCP, TCP_NODELAY) == 1);
    CHECK(option(fd, SOL_SOCKET, SO_KEEPALIVE) == 1);
    CHECK((::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    CHECK((::fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
  }
  CHECK(found);
}

TEST_CASE("an address in use is an error that names it") {
  LoopFixture f;
  AcceptRecorder accepted;
  const auto first = f.loop->listen(loopback(), {}, accepted);
  REQUIRE(first);
  const auto second = f.loop->listen((*first)->local(), {}, accepted);
  REQUIRE(!second);
  CHECK(second.error().detail ==
        "bind() to " + (*first)->local().to_string() + " failed (98: Address already in use)");

  ListenOptions shared;
  shared.reuse_port = true;
  const auto third = f.loop->listen(loopback(), shared, accepted);
  REQUIRE(third);
  CHECK(f.loop->listen((*third)->local(), shared, accepted));
}

TEST_CASE("a stale unix socket is replaced, one in use, or another file, is not") {
  const TempFolder folder;
  const auto endpoint = Endpoint::unix_path(folder / "s").value();
  { REQUIRE(bind_listening_socket(endpoint, {})); }  // closed, its file stays
  ListenOptions options;
  options.unix_mode = 0600;
  const auto again = bind_listening_socket(endpoint, options);
  REQUIRE(again);
  struct stat status {};
  REQUIRE(::stat((folder / "s").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  CHECK(!bind_listening_socket(endpoint, {}));

  const std::string plain = folder / "file";
  { const UniqueFd fd(::open(plain.c_str(), O_CREAT | O_WRONLY, 0600)); }
  const auto refused = bind_listening_socket(Endpoint::unix_path(plain).value(), {});
  REQUIRE(!refused);
  CHECK(refused.error().detail ==
        "bind() to unix:" + plain + " failed (98: Address already in use)");
}

TEST_CASE("ipv6only decides whether [::] takes IPv4 too") {
  LoopFixture f;
  AcceptRecorder accepted;
  ListenOptions both;
  both.ipv6_only = false;
  const auto listener = f.loop->listen(Endpoint::ip("::", 0).value(), both, accepted);
  REQUIRE(listener);
  const auto client = connect_plainly(loopback((*listener)->local().port()));
  f.until([&] { return accepted.streams.size() == 1; });
  const auto only = bind_listening_socket(Endpoint::ip("::", 0).value(), {});
  REQUIRE(only);
  CHECK(option(only->get(), IPPROTO_IPV6, IPV6_V6ONLY) == 1);
}
