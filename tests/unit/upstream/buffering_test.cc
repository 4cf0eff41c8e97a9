// proxy_buffering: an upstream is rid of its answer before a slow client has it, in bounded memory,
// and nothing is lost on the way over the disk.

#include <filesystem>

#include "tests/unit/base/temp_folder.h"
#include "tests/unit/upstream/proxy_fixture.h"

namespace gatescope::upstream {
namespace {

std::string letters(std::size_t size) {
  std::string text(size, ' ');
  for (std::size_t i = 0; i < size; ++i)
    text[i] = static_cast<char>('a' + (i * 7 + i / 251) % 26);
  return text;
}

std::string head_for(const std::string& body) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n";
}

/// A location whose client takes nothing, and an upstream that has sent all of `body`.
struct Slow {
  Slow(const std::string& settings, const std::string& body)
      : site("location / { " + settings + " proxy_temp_path " + folder / "proxy" +
             "; proxy_pass http://127.0.0.1:9; }"),
        upstream(site.loop, 9),
        client(site.send({})) {
    site.run();
    client->link.flow = Flow::Wait;
    upstream.last().send(head_for(body) + body);
    site.run(Duration(500));
  }
  /// The client takes a piece each time it is asked, until nothing more comes.
  void take(int times = 10000) {
    for (std::size_t before = std::string::npos; times > 0; --times) {
      if (client->link.body.size() == before) return;
      before = client->link.body.size();
      client->writable();
      client->link.flow = Flow::Wait;
      site.run();
    }
  }
  TempFolder folder;
  Site site;
  FakeUpstream upstream;
  std::unique_ptr<Client> client;
};

TEST_CASE("an upstream is free while its answer waits in a file for a slow client") {
  const auto body = letters(3u << 20);
  Slow slow("", body);
  CHECK(slow.upstream.last().unsent() == 0);
  CHECK(slow.client->link.body.size() < 100'000);
  CHECK(slow.site.log.text.find("an upstream response is buffered to a temporary file") !=
        std::string::npos);
  // Its connection serves another client meanwhile.
  auto other = slow.site.send({});
  slow.site.run();
  CHECK(slow.upstream.connections.size() == 1);
  slow.upstream.last().send(kOk);
  slow.site.run();
  CHECK(other->link.body == "ok");
  slow.take();
  CHECK(slow.client->link.body == body);
  CHECK(slow.client->link.ended);
}

TEST_CASE("a client that is nearly as fast as the upstream costs no disk") {
  const auto body = letters(8u << 20);
  TempFolder folder;
  Site site("location / { proxy_temp_path " + folder / "proxy" +
            "; proxy_pass http://127.0.0.1:9; }");
  FakeUpstream upstream(site.loop, 9);
  auto client = site.send({});
  site.run();
  client->link.flow = Flow::Wait;
  upstream.last().send(head_for(body) + body);
  const auto take_after = [&](int ms) {
    site.run(Duration(ms));
    client->writable();
    client->link.flow = Flow::Wait;
  };
  for (int i = 0; i < 50; ++i)
    take_after(1);
  CHECK_FALSE(std::filesystem::exists(folder / "proxy"));
  for (int i = 0; i < 4; ++i)
    take_after(40);  // a tenth of a second in all is what the upstream waits
  site.run();
  CHECK(std::filesystem::exists(folder / "proxy"));
  CHECK(upstream.last().unsent() == 0);
}

TEST_CASE("an answer that fits into proxy_buffers sees no disk") {
  const auto body = letters(100'000);
  Slow slow("proxy_buffers 32 4k;", body);
  CHECK(slow.upstream.last().unsent() == 0);
  CHECK_FALSE(std::filesystem::exists(slow.folder / "proxy"));
  slow.take();
  CHECK(slow.client->link.body == body);
}

TEST_CASE("the upstream waits with its client") {
  const std::string settings = GENERATE(
      "proxy_buffering off;", "proxy_max_temp_file_size 0;", "proxy_max_temp_file_size 100k;",
      "proxy_temp_file_write_size 4k; proxy_max_temp_file_size 8k;");
  CAPTURE(settings);
  const auto body = letters(3u << 20);
  Slow slow(settings, body);
  CHECK(slow.upstream.last().unsent() > 1u << 20);
  slow.take();
  CHECK(slow.client->link.body == body);
  CHECK(slow.client->link.ended);
}

TEST_CASE("X-Accel-Buffering decides for one answer") {
  struct Case {
    const char *settings, *field;
    bool waits;
  };
  const auto c = GENERATE(Case{"", "no", true}, Case{"proxy_buffering off;", "yes", false},
                          Case{"proxy_ignore_headers X-Accel-Buffering;", "no", false});
  CAPTURE(c.settings, c.field);
  TempFolder folder;
  Site site("location / { " + std::string(c.settings) + " proxy_temp_path " + folder / "proxy" +
            "; proxy_pass http://127.0.0.1:9; }");
  FakeUpstream upstream(site.loop, 9);
  auto client = site.send({});
  site.run();
  client->link.flow = Flow::Wait;
  const auto body = letters(1u << 20);
  upstream.last().send("HTTP/1.1 200 OK\r\nX-Accel-Buffering: " + std::string(c.field) +
                       "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  site.run(Duration(500));
  CHECK((upstream.last().unsent() > 0) == c.waits);
}

TEST_CASE("a folder that cannot be written to is said once and loses nothing") {
  const auto body = letters(3u << 20);
  Site site("location / { proxy_temp_path /proc/nowhere; proxy_pass http://127.0.0.1:9; }");
  FakeUpstream upstream(site.loop, 9);
  auto client = site.send({});
  site.run();
  client->link.flow = Flow::Wait;
  upstream.last().send(head_for(body) + body);
  site.run(Duration(500));
  CHECK(upstream.last().unsent() > 1u << 20);
  client->writable();
  site.run();
  CHECK(client->link.body == body);
  const auto said = site.log.text.find("/proc/nowhere");
  REQUIRE(said != std::string::npos);
  CHECK(site.log.text.find("/proc/nowhere", said + 15) == std::string::npos);
}

TEST_CASE("an answer that breaks off is cut behind what had come, also out of the file") {
  const auto body = letters(1u << 20);
  TempFolder folder;
  Site site("location / { proxy_temp_path " + folder / "proxy" +
            "; proxy_pass http://127.0.0.1:9; }");
  FakeUpstream upstream(site.loop, 9);
  auto client = site.send({});
  site.run();
  client->link.flow = Flow::Wait;
  upstream.last().send("HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n" + body);
  site.run(Duration(500));
  upstream.last().close();
  site.run();
  CHECK_FALSE(client->link.was_cut);
  client->writable();
  site.run();
  CHECK(client->link.body == body);
  CHECK(client->link.was_cut);
  CHECK_FALSE(client->link.ended);
}

TEST_CASE("a client that leaves takes its temporary file along") {
  Slow slow("", letters(3u << 20));
  slow.client->leave();
  slow.site.run();
  for (const auto& entry : std::filesystem::recursive_directory_iterator(slow.folder / ""))
    CHECK_FALSE(entry.is_regular_file());
}

TEST_CASE("proxy_limit_rate reads an upstream at its rate") {
  Site site("location / { proxy_limit_rate 1m; proxy_pass http://127.0.0.1:9; }");
  FakeUpstream upstream(site.loop, 9);
  auto client = site.send({});
  site.run();
  const auto body = letters(4u << 20);
  upstream.last().send(head_for(body) + body);
  site.run(Duration(500));
  CHECK(client->link.body.size() > 1u << 20);
  CHECK(client->link.body.size() < 2u << 20);
  site.run(Duration(1000));
  CHECK(client->link.body.size() > 2u << 20);
  CHECK(client->link.body.size() < 3u << 20);
  site.run(Duration(3000));
  CHECK(client->link.body == body);
  CHECK(client->link.ended);
}

TEST_CASE("proxy_limit_rate counts also for what an upstream sends at once") {
  Site site("location / { proxy_limit_rate 20000; proxy_pass http://127.0.0.1:9; }");
  FakeUpstream upstream(site.loop, 9);
  auto client = site.send({});
  site.run();
  const auto body = letters(50'000);
  upstream.last().send(head_for(body) + body);
  site.run(Duration(100));
  CHECK(client->link.body.size() >= 20'000);
  CHECK(client->link.body.size() < 30'000);
  CHECK_FALSE(client->link.ended);
  site.run(Duration(2000));
  CHECK(client->link.body == body);
  CHECK(client->link.ended);
}

}  // namespace
}  // namespace gatescope::upstream
