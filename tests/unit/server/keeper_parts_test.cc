// What the keeper is made of, without its processes.

#include <sys/socket.h>

#include <thread>

#include "proxy/keeper.h"
#include "proxy/keeper_client.h"
#include "proxy/remembered_files.h"
#include "tests/support/catch.h"

using namespace gatescope;
using namespace gatescope::server;

namespace {

struct Channel {
  UniqueFd worker, keeper;
  Channel() {
    int pair[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
    worker.reset(pair[0]);
    keeper.reset(pair[1]);
  }
};

KeeperMessage answer_to(const KeeperMessage& question, std::string text) {
  KeeperMessage answer;
  answer.kind = KeeperMessage::Kind::Ok;
  answer.number = question.number;
  answer.text = std::move(text);
  return answer;
}

}  // namespace

TEST_CASE("a text longer than a packet arrives whole") {
  for (const std::size_t size : {std::size_t{0}, kKeeperPacket - 1, kKeeperPacket,
                                 kKeeperPacket + 1, std::size_t{3 << 20}}) {
    CAPTURE(size);
    Channel channel;
    KeeperMessage sent;
    sent.kind = KeeperMessage::Kind::Ok;
    sent.number = 7;
    for (std::size_t i = 0; i < size; ++i)
      sent.text += static_cast<char>(i * 31 % 251);
    std::thread sender([&] { CHECK(send_message(channel.keeper.get(), sent)); });
    const auto got = receive_message(channel.worker.get());
    sender.join();
    REQUIRE(got);
    CHECK(got->number == 7);
    CHECK(got->text == sent.text);
  }
}

TEST_CASE("a message beyond every bound is refused by its sender") {
  Channel channel;
  KeeperMessage large;
  large.text.assign(kKeeperMessage + 1, 'x');
  const auto sent = send_message(channel.keeper.get(), large);
  REQUIRE(!sent);
  CHECK(sent.error().kind == ErrorKind::TooLarge);
}

TEST_CASE("an answer that comes too late is not taken for the next one") {
  Channel channel;
  const int keeper = channel.keeper.get();
  KeeperClient client(std::move(channel.worker));
  std::thread answering([&] {
    KeeperMessage stale;
    stale.kind = KeeperMessage::Kind::Ok;
    stale.number = 0;
    stale.text = "of an earlier question";
    const auto question = receive_message(keeper);
    REQUIRE(question);
    CHECK(send_message(keeper, stale));
    CHECK(send_message(keeper, answer_to(*question, "the key")));
  });
  const auto secret = client.read_secret("/k");
  answering.join();
  REQUIRE(secret);
  CHECK(*secret == "the key");
}

TEST_CASE("a listen request is the same after its way as text") {
  for (const char* name : {"127.0.0.1:80", "[::1]:443", "unix:/run/x y.sock"}) {
    CAPTURE(name);
    ListenRequest request;
    request.endpoint =
        std::string_view(name).starts_with("unix:")
            ? net::Endpoint::unix_path(name + 5).value()
            : net::Endpoint::ip(*name == '[' ? "::1" : "127.0.0.1", *name == '[' ? 443 : 80)
                  .value();
    request.options = {
        .backlog = 7, .reuse_port = true, .ipv6_only = false, .keepalive = true, .unix_mode = 0600};
    request.loop = 3;
    const auto read = ListenRequest::parse(request.text());
    REQUIRE(read);
    CHECK(read->endpoint == request.endpoint);
    CHECK(read->options == request.options);
    CHECK(read->loop == 3);
  }
  for (const char* bad : {"", "1 2 3", "0 1 0 1 0 x 127.0.0.1:80", "0 1 0 1 0 438 127.0.0.1",
                          "0 1 0 1 0 438 127.0.0.1:99999", "999 1 0 1 0 438 127.0.0.1:80"})
    CHECK_FALSE(ListenRequest::parse(bad));
}

TEST_CASE("a worker that dies is started at once, one that goes on dying ever later") {
  RestartPause pause;
  CHECK(pause.after(3'600'000) == 0);
  CHECK(pause.after(50) == 0);
  CHECK(pause.after(50) == 100);
  CHECK(pause.after(50) == 200);
  for (int i = 0; i < 100; ++i)
    CHECK(pause.after(50) <= 10'000);
  CHECK(pause.after(50) == 10'000);
  CHECK(pause.after(60'000) == 0);
}

TEST_CASE("remembered files are those that were read, whatever lies there now") {
  auto document = std::make_shared<conf::Document>();
  document->files.push_back({"/etc/g/main.conf", "one"});
  document->files.push_back({"/etc/g/sites/b.conf", "two"});
  document->files.push_back({"/etc/g/sites/a.conf", "three"});
  document->files.push_back({"/etc/g/sites/deep/c.conf", "four"});
  conf::SystemFileReader present;
  RememberedFiles files(document, present);
  CHECK(*files.read("/etc/g/main.conf") == "one");
  CHECK(!files.read("/etc/g/other.conf"));
  CHECK(*files.expand("/etc/g/sites/*.conf") ==
        std::vector<std::string>{"/etc/g/sites/a.conf", "/etc/g/sites/b.conf"});
  CHECK(*files.expand("/etc/g/other.conf") == std::vector<std::string>{"/etc/g/other.conf"});
  files.turn_to_present();
  CHECK(!files.read("/etc/g/main.conf"));
}
