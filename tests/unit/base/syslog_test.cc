// Lines that go to a syslog daemon, over real datagrams.

#include "proxy/base/syslog.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>

#include "proxy/base/log_files.h"
#include "tests/support/catch.h"

namespace gatescope {

namespace {

/// What a daemon would hear, on this machine's loopback.
class Daemon {
 public:
  explicit Daemon(std::uint16_t port = 0) {
    socket_.reset(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    REQUIRE(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
    socklen_t size = sizeof(address);
    ::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
  }
  std::uint16_t port() const { return port_; }
  std::string server() const { return "server=127.0.0.1:" + std::to_string(port_); }
  /// Empty: nothing has come.
  std::string hear() {
    std::string room(16384, '\0');
    pollfd come{socket_.get(), POLLIN, 0};
    ::poll(&come, 1, 20'000);
    const auto n = ::recv(socket_.get(), room.data(), room.size(), MSG_DONTWAIT);
    room.resize(n < 0 ? 0 : static_cast<std::size_t>(n));
    return room;
  }

 private:
  UniqueFd socket_;
  std::uint16_t port_ = 0;
};

std::unique_ptr<Syslog> open_syslog(const std::string& words) {
  auto settings = SyslogSettings::parse(words);
  REQUIRE(settings);
  auto target = Syslog::open(*settings);
  REQUIRE(target);
  return std::move(*target);
}

const WallTime kSometime{std::chrono::seconds(1'762'700'400)};  // 2025-11-09 15:00:00 UTC

std::string own_hostname() {
  char name[256] = "";
  ::gethostname(name, sizeof(name));
  std::string text = name;
  for (auto& c : text)
    c = static_cast<char>(std::tolower(c));
  return text;
}

}  // namespace

TEST_CASE("syslog: a line is a datagram with priority, time, host and tag") {
  ::setenv("TZ", "UTC", 1);
  ::tzset();
  Daemon daemon;
  open_syslog(daemon.server())->send(LogLevel::Error, "hello", kSometime);
  CHECK(daemon.hear() == "<187>Nov  9 15:00:00 " + own_hostname() + " nginx: hello");
  open_syslog(daemon.server() + ",facility=user,severity=alert,tag=scope_1,nohostname")
      ->send(LogLevel::Error, "hello", kSometime);
  CHECK(daemon.hear() == "<9>Nov  9 15:00:00 scope_1: hello");
}

TEST_CASE("syslog: a long line is cut") {
  Daemon daemon;
  open_syslog(daemon.server())->send(LogLevel::Info, std::string(20'000, 'x'), kSometime);
  CHECK(daemon.hear().size() == Syslog::kLongest);
}

TEST_CASE(
    "syslog: lines without a daemon are lost and counted, and a new daemon gets the next one") {
  std::uint16_t port = 0;
  std::unique_ptr<Syslog> target;
  {
    Daemon daemon;
    port = daemon.port();
    target = open_syslog(daemon.server());
    target->send(LogLevel::Info, "one", kSometime);
    CHECK(!daemon.hear().empty());
  }
  for (int i = 0; i < 4; ++i)
    target->send(LogLevel::Info, "two", kSometime);
  CHECK(target->lost_lines() == 3);  // of the last nobody knows yet
  CHECK(target->last_error() == ECONNREFUSED);
  Daemon again(port);
  target->send(LogLevel::Info, "three", kSometime);
  CHECK(again.hear().ends_with("three"));
}

TEST_CASE("syslog: a unix socket, and what is lost there is said by LogFiles") {
  char folder[] = "/tmp/gatescope-syslog-XXXXXX";
  REQUIRE(::mkdtemp(folder) != nullptr);
  const std::string path = std::string(folder) + "/log";
  OwnLogOpener opener;
  LogFiles files(opener);
  auto target = files.syslog("server=unix:" + path);
  REQUIRE(target);
  CHECK(*files.syslog("server=unix:" + path) == *target);
  (*target)->send(LogLevel::Info, "nobody hears this", kSometime);
  CHECK(files.lost_lines() == 1);
  const auto said = files.take_losses(MonoTime{});
  REQUIRE(said.size() == 1);
  CHECK(said[0].find("syslog:server=unix:" + path) != std::string::npos);
  CHECK(said[0].find("No such file") != std::string::npos);

  const UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  REQUIRE(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
  SystemClock clock;
  SyslogErrorLog log(**target, LogLevel::Warn, clock);
  log.write(LogLevel::Info, "not of this level");
  log.write(LogLevel::Warn, "of this\nlevel");
  char room[512];
  const auto n = ::recv(socket.get(), room, sizeof(room), MSG_DONTWAIT);
  REQUIRE(n > 0);
  const std::string_view heard(room, static_cast<std::size_t>(n));
  CHECK(heard.starts_with("<188>"));
  CHECK(heard.find(" [warn] ") != std::string_view::npos);
  CHECK(heard.ends_with("of this\\x0Alevel"));
  CHECK(::recv(socket.get(), room, sizeof(room), MSG_DONTWAIT) < 0);
  ::unlink(path.c_str());
  ::rmdir(folder);
}

TEST_CASE("syslog: words that are wrong are named, with what is there") {
  struct Row {
    const char* words;
    const char* said;
  };
  const Row rows[] = {
      {"", "unknown syslog parameter \"\""},
      {"tag=x", "has no syslog server"},
      {"server=", "unknown syslog parameter \"server=\""},
      {"server=a,facility=local9", "unknown syslog facility \"local9\"; one of kern, user"},
      {"server=a,severity=bad", "unknown syslog severity \"bad\"; one of emerg"},
      {"server=a,tag=a-b", "invalid syslog tag \"a-b\""},
      {"server=a,hostname", "unknown syslog parameter \"hostname\""},
  };
  for (const auto& row : rows) {
    CAPTURE(row.words);
    const auto settings = SyslogSettings::parse(row.words);
    REQUIRE(!settings);
    CHECK(settings.error().detail.find(row.said) != std::string::npos);
  }
  for (const char* server : {"127.0.0.1:0", "127.0.0.1:70000", "unix:", "nobody.invalid"}) {
    CAPTURE(server);
    CHECK(!Syslog::open({.server = server}));
  }
}

}  // namespace gatescope
