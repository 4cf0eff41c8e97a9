#include "api/oeis_client.h"

#include <fstream>
#include <iterator>
#include <list>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "proxy/base/text.h"
#include "tests/support/catch.h"
#include "tests/support/sim_loop.h"
#include "tests/unit/api/api_fixture.h"

namespace gatescope::api {
namespace {

using Kind = OeisFailure::Kind;

/// Requests wait for the test to answer them.
struct FakeHttps final : net::HttpsClient {
  struct Transfer : net::HttpsTransfer {
    Transfer(FakeHttps& o, net::HttpsEvents& e) : owner(o), events(e) {
      owner.alive.push_back(this);
    }
    ~Transfer() override { std::erase(owner.alive, this); }
    /// Once: it is not alive any more then, though its owner may keep it.
    net::HttpsEvents& take_events() {
      std::erase(owner.alive, this);
      return events;
    }
    FakeHttps& owner;
    net::HttpsEvents& events;
  };
  std::vector<net::HttpsRequest> requests;
  std::vector<Transfer*> alive;  // the newest last
  std::unique_ptr<net::HttpsTransfer> start(net::HttpsRequest request,
                                            net::HttpsEvents& events) override {
    requests.push_back(std::move(request));
    return std::make_unique<Transfer>(*this, events);
  }
};

net::HttpsAnswer good(std::string body) {
  net::HttpsAnswer answer;
  answer.status = 200;
  answer.content_type = "text/plain; charset=utf-8";
  answer.length_known = true;
  answer.body = std::move(body);
  return answer;
}

net::HttpsAnswer with_status(int status, std::string retry_after = "") {
  auto answer = good("You are crawling too fast.  Come back in a few minutes.");
  answer.status = status;
  answer.headers = {{"content-type", answer.content_type}};
  if (!retry_after.empty()) answer.headers.emplace_back("retry-after", retry_after);
  return answer;
}

net::HttpsAnswer moved(std::string to) {
  net::HttpsAnswer answer;
  answer.status = 301;
  answer.redirect_url = std::move(to);
  return answer;
}

struct Asked {
  std::optional<OeisAnswer> answer;
  std::unique_ptr<Oeis::Fetch> fetch;
  bool ok() const { return answer && std::holds_alternative<std::string>(*answer); }
  const OeisFailure& failure() const {
    REQUIRE(answer);
    return std::get<OeisFailure>(*answer);
  }
};

struct Fixture {
  test::SimWorld world{1};
  test::SimLoop loop{world};
  FakeHttps https;
  MemoryLog log;
  OpenFolder folder;
  ApiLog api_log{loop.clock()};
  std::unique_ptr<LogFile> file = std::move(*LogFile::open(folder / "api.log", {}));
  Stats stats;
  OeisClient client;
  std::list<Asked> all;

  explicit Fixture(OeisClientSettings settings = {.agent = "numberscope/1.0 (+https://x)"})
      : client(loop, https, std::move(settings), log, api_log, &stats) {
    api_log.write_to(file.get(), nullptr);
  }
  ~Fixture() {
    loop.turn([&] { all.clear(); });
    world.run_for(Duration(100));
    CHECK(world.complaints().empty());
  }
  Asked& ask(unsigned number = 153080, Urgency urgency = Urgency::User) {
    Asked& asked = all.emplace_back();
    loop.turn([&] {
      asked.fetch = client.fetch_bfile(SequenceId(number), urgency,
                                       [&asked](OeisAnswer a) { asked.answer = std::move(a); });
      CHECK(!asked.answer);
    });
    return asked;
  }
  Asked& ask_background(unsigned number) { return ask(number, Urgency::Background); }
  /// The oldest question that OEIS is answering.
  void answer(net::HttpsAnswer with) {
    REQUIRE(!https.alive.empty());
    loop.turn([&] { https.alive.front()->take_events().on_answer(std::move(with)); });
  }
  void fail(ErrorKind kind) {
    REQUIRE(!https.alive.empty());
    loop.turn([&] {
      https.alive.back()->take_events().on_request_failed(
          make_error(kind, Origin::Upstream, "curl 28"));
    });
  }
  const net::HttpsRequest& last() const { return https.requests.back(); }
  std::string events() const {
    std::ifstream in(folder / "api.log");
    return std::string(std::istreambuf_iterator<char>(in), {});
  }
  bool logged(std::string_view part) const { return events().find(part) != std::string::npos; }
};

TEST_CASE("a b-file is fetched from where OEIS keeps it") {
  Fixture f;
  auto& asked = f.ask();
  REQUIRE(f.https.requests.size() == 1);
  CHECK(f.last().url == "https://oeis.org/A153080/b153080.txt");
  CHECK(f.last().timeout == Duration(4000));
  CHECK(f.last().max_body == 64u << 20);
  CHECK(f.last().headers ==
        std::vector<std::pair<std::string, std::string>>{{"Accept-Encoding", "gzip"}});
  f.answer(good("1 2\n"));
  CHECK(std::get<std::string>(*asked.answer) == "1 2\n");
  CHECK(f.logged(R"("event":"OEIS answered")"));
  CHECK(f.logged(R"("bytes":"4")"));
}

TEST_CASE("a record is searched for, and a term as it was typed") {
  const char* const type = GENERATE("application/json", "text/json", "text/plain; charset=utf-8");
  Fixture f;
  std::optional<OeisAnswer> answer;
  std::unique_ptr<Oeis::Fetch> fetch;
  const auto keep = [&](OeisAnswer a) { answer = std::move(a); };
  SECTION("a record") {
    f.loop.turn([&] { fetch = f.client.fetch_record(SequenceId(40), Urgency::User, keep); });
    CHECK(f.last().url == "https://oeis.org/search?q=id:A000040&fmt=json");
  }
  SECTION("a term") {
    f.loop.turn([&] { fetch = f.client.search("1, 2+3/\xC3\xA9&fmt=x#", keep); });
    CHECK(f.last().url == "https://oeis.org/search?q=1%2C%202%2B3%2F%C3%A9%26fmt%3Dx%23&fmt=json");
  }
  auto json = good("null");
  json.content_type = type;
  f.answer(json);
  CHECK(std::get<std::string>(*answer) == "null");
}

TEST_CASE("what OEIS refuses is told in the old service's words") {
  const struct {
    int status;
    const char* text;
    Kind kind;
  } kCases[] = {
      {503,
       "Error: 503 Server Error: Service Unavailable for url: https://oeis.org/A153080/b153080.txt",
       Kind::Refused},
      {403, "Error: 403 Client Error: Forbidden for url: https://oeis.org/A153080/b153080.txt",
       Kind::Refused},
      {429,
       "Error: 429 Client Error: Too Many Requests for url: https://oeis.org/A153080/b153080.txt",
       Kind::Refused},
      {500,
       "Error: 500 Server Error: Internal Server Error for url: "
       "https://oeis.org/A153080/b153080.txt",
       Kind::Refused},
      {404, "Error: B-file for ID 'A153080' not found in OEIS.", Kind::NotFound},
  };
  for (const auto& c : kCases) {
    Fixture f;
    const auto& asked = f.ask();
    f.answer(with_status(c.status));
    CHECK(asked.failure().text == c.text);
    CHECK(asked.failure().kind == c.kind);
  }
}

TEST_CASE("api.log has the head of a conversation that went wrong") {
  Fixture f;
  f.ask();
  auto answer = with_status(404);
  answer.body = "<html>\n" + std::string(5000, 'x');
  f.answer(answer);
  const auto json = nlohmann::json::parse(f.events());
  CHECK(json["event"] == "request issue");
  CHECK(json["level"] == "error");
  CHECK(json["tags"] == nlohmann::json({"http error"}));
  CHECK(json["url"] == "https://oeis.org/A153080/b153080.txt");
  CHECK(json["response"] ==
        "< GET /A153080/b153080.txt\n< Host: oeis.org\n"
        "< User-Agent: numberscope/1.0 (+https://x)\n< \n"
        "> 404 Not Found\n> content-type: text/plain; charset=utf-8\n> \n\n<html>\n" +
            std::string(193, 'x') + "...");
}

TEST_CASE("pages and answers that may be cut are no b-files") {
  Fixture f;
  const auto& asked = f.ask();
  auto answer = good("1 2\n");
  SECTION("a page") {
    answer.content_type = "text/html; charset=utf-8";
  }
  SECTION("something else") {
    answer.content_type = "application/json";
  }
  SECTION("nothing said") {
    answer.content_type = "";
  }
  SECTION("cut, perhaps") {
    answer.length_known = false;
  }
  SECTION("a part") {
    answer.status = 206;
  }
  SECTION("a redirect to nowhere") {
    answer.status = 302;
  }
  f.answer(answer);
  CHECK(asked.failure().text.starts_with("Error: "));
  CHECK(asked.failure().kind == Kind::Refused);
  CHECK(f.logged("request issue"));
}

TEST_CASE("failed transfers") {
  const struct {
    ErrorKind kind;
    const char* text;
    Kind expected;
  } kCases[] = {
      {ErrorKind::Timeout, "Error: Timeout for url: ", Kind::Silent},
      {ErrorKind::Refused, "Error: No connection for url: ", Kind::Silent},
      {ErrorKind::TooLarge, "Error: Answer too large for url: ", Kind::Refused},
  };
  for (const auto& c : kCases) {
    Fixture f;
    const auto& asked = f.ask();
    f.fail(c.kind);
    CHECK(asked.failure().text.starts_with(c.text));
    CHECK(asked.failure().text.find("curl") == std::string::npos);
    CHECK(asked.failure().kind == c.expected);
    CHECK(f.log.has("curl 28"));
    CHECK(f.logged(R"("error":"curl 28")"));
    CHECK(f.logged(R"("tags":["request exception"])"));
  }
}

TEST_CASE("redirects are followed by hand, within the same four seconds") {
  Fixture f;
  auto& asked = f.ask();
  f.world.run_for(Duration(1500));
  f.answer(moved("https://oeis.org/moved.txt"));
  REQUIRE(f.https.requests.size() == 2);
  CHECK(f.last().url == "https://oeis.org/moved.txt");
  CHECK(f.last().timeout == Duration(2500));
  const auto follow = [&](const char* to) {
    f.loop.turn([&] { f.https.alive.back()->take_events().on_answer(moved(to)); });
  };
  SECTION("to the end") {
    f.loop.turn([&] { f.https.alive.back()->take_events().on_answer(good("1 2\n")); });
    CHECK(asked.ok());
    CHECK(f.logged(R"("tags":["history"])"));
  }
  SECTION("in a circle") {
    for (int i = 0; i < 5; ++i)
      follow("https://oeis.org/again.txt");
    CHECK(asked.failure().text.starts_with("Error: Too many redirects"));
    CHECK(f.https.requests.size() == 6);
  }
  SECTION("to somebody else, in clear") {
    follow("http://example.org/x");
    CHECK(asked.failure().text.starts_with("Error: Redirect to another host"));
  }
  asked.fetch.reset();
  CHECK(f.https.alive.empty());
}

TEST_CASE("users wait four seconds, their place in the queue included") {
  Fixture f({.max_at_once = 2, .max_users = 3});
  for (int i = 1; i <= 4; ++i)
    f.ask(static_cast<unsigned>(i));
  CHECK(f.https.requests.size() == 2);
  CHECK(f.ask(5).fetch);
  const Asked& sixth = f.ask(6);  // two are asked, three wait
  f.world.run_for(Duration(0));
  CHECK(sixth.failure().kind == Kind::Resting);
  CHECK(sixth.failure().retry_after == 1);
  f.world.run_for(Duration(3000));
  f.answer(good("1 1\n"));
  REQUIRE(f.https.requests.size() == 3);
  CHECK(f.last().url == "https://oeis.org/A000003/b000003.txt");
  CHECK(f.last().timeout == Duration(1000));
  f.world.run_for(Duration(1001));
  auto fourth = std::next(f.all.begin(), 3);
  CHECK(fourth->failure().text.starts_with("Error: Timeout for url: "));
  CHECK(fourth->failure().kind == Kind::Silent);
  CHECK(f.https.requests.size() == 3);
}

TEST_CASE("background questions come one at a time, ten seconds apart, after users'") {
  Fixture f;
  auto& first = f.ask_background(1);
  auto& second = f.ask_background(2);
  CHECK(f.https.requests.size() == 1);
  CHECK(f.last().timeout == Duration(60'000));
  f.answer(good("1 1\n"));
  CHECK(first.ok());
  f.world.run_for(Duration(9999));
  CHECK(f.https.requests.size() == 1);
  SECTION("then the next") {
    f.world.run_for(Duration(1));
    REQUIRE(f.https.requests.size() == 2);
    CHECK(f.last().url == "https://oeis.org/A000002/b000002.txt");
  }
  SECTION("unless a user asks") {
    auto& user = f.ask(3);
    CHECK(f.https.requests.size() == 2);  // at once
    f.world.run_for(Duration(3000));
    CHECK(f.https.requests.size() == 2);
    f.answer(good("1 1\n"));
    CHECK(user.ok());
    REQUIRE(f.https.requests.size() == 3);
    f.answer(good("1 1\n"));
    CHECK(second.ok());
  }
  SECTION("but only while somebody wants it") {
    second.fetch.reset();
    f.world.run_for(Duration(60'000));
    CHECK(f.https.requests.size() == 1);
  }
}

TEST_CASE("a background question gives way to a user's, and comes again") {
  Fixture f;
  auto& background = f.ask_background(1);
  auto& user = f.ask(2);
  REQUIRE(f.https.requests.size() == 2);
  CHECK(f.https.alive.size() == 1);
  CHECK(f.last().url == "https://oeis.org/A000002/b000002.txt");
  f.answer(good("1 1\n"));
  CHECK(user.ok());
  CHECK(!background.answer);
  f.world.run_for(Duration(9990));
  CHECK(f.https.requests.size() == 2);
  f.world.run_for(Duration(20));
  REQUIRE(f.https.requests.size() == 3);
  f.answer(good("1 1\n"));
  CHECK(background.ok());
}

TEST_CASE("not too many wait in the background, and none for ever") {
  Fixture f({.max_background = 2});
  auto& asked = f.ask_background(1);
  auto& waiting = f.ask_background(2);
  f.ask_background(3);
  auto& refused = f.ask_background(4);
  f.world.run_for(Duration(0));
  CHECK(refused.failure().kind == Kind::Resting);
  CHECK(refused.failure().retry_after == 60);
  f.world.run_for(std::chrono::hours(1) + Duration(1));  // the transfer has its own deadline
  CHECK(!asked.answer);
  CHECK(waiting.failure().kind == Kind::Silent);
}

TEST_CASE("when OEIS refuses, nobody asks it for a while, then one") {
  Fixture f;
  auto& first = f.ask(1);
  auto& beside = f.ask(2);
  auto& background = f.ask_background(3);
  REQUIRE(f.https.requests.size() == 2);
  f.answer(with_status(503));
  CHECK(first.failure().kind == Kind::Refused);
  CHECK(first.failure().retry_after == 120);
  f.world.run_for(Duration(0));
  CHECK(background.failure().kind == Kind::Resting);
  f.answer(with_status(503));
  CHECK(beside.failure().retry_after == 120);
  CHECK(f.logged(R"("event":"OEIS is left alone")"));

  f.world.run_for(Duration(60'000));
  auto& later = f.ask(4);
  f.world.run_for(Duration(0));
  CHECK(later.failure().kind == Kind::Resting);
  CHECK(later.failure().retry_after == 60);
  CHECK(later.failure().text ==
        "Error: 503 Server Error: Service Unavailable for url: "
        "https://oeis.org/A000004/b000004.txt");
  CHECK(f.https.requests.size() == 2);

  f.world.run_for(Duration(60'000));
  auto& probe = f.ask(5);
  auto& behind = f.ask(6);
  CHECK(f.https.requests.size() == 3);
  SECTION("it answers again: everybody may") {
    f.answer(good("1 1\n"));
    CHECK(probe.ok());
    CHECK(f.https.requests.size() == 4);
    f.ask(7);
    CHECK(f.https.requests.size() == 5);
    CHECK(f.log.has("OEIS answers again"));
  }
  SECTION("it knows no such sequence: that is an answer") {
    f.answer(with_status(404));
    CHECK(f.https.requests.size() == 4);
  }
  SECTION("it refuses again: twice as long") {
    f.answer(with_status(429));
    CHECK(probe.failure().retry_after == 240);
    f.world.run_for(Duration(0));
    CHECK(behind.failure().kind == Kind::Resting);
    CHECK(behind.failure().text.starts_with("Error: 429 Client Error: Too Many Requests"));
    CHECK(f.https.requests.size() == 3);
  }
  SECTION("it does not answer: the next one tries") {
    f.fail(ErrorKind::Timeout);
    CHECK(probe.failure().kind == Kind::Silent);
    CHECK(f.https.requests.size() == 4);
    CHECK(f.https.alive.size() == 1);
  }
}

TEST_CASE("Retry-After is obeyed, in seconds and as a date") {
  Fixture f;
  auto& asked = f.ask();
  SECTION("seconds") {
    f.answer(with_status(429, "30"));
  }
  SECTION("a date") {
    const auto now = std::chrono::floor<std::chrono::seconds>(f.loop.clock().wall());
    f.answer(with_status(503, http_date(now.time_since_epoch().count() + 30)));
  }
  CHECK(asked.failure().retry_after == 30);
  f.world.run_for(Duration(29'900));
  CHECK(f.ask(1).fetch);
  CHECK(f.https.requests.size() == 1);
  f.world.run_for(Duration(200));
  f.ask(2);
  CHECK(f.https.requests.size() == 2);
}

TEST_CASE("who goes before his answer comes takes nothing along") {
  Fixture f({.max_at_once = 1});
  f.loop.turn([&, &gone = f.ask(1)] { gone.fetch.reset(); });
  CHECK(f.https.alive.empty());
  auto& asked = f.ask(2);
  auto& waiting = f.ask(3);
  auto& last = f.ask(4);
  f.loop.turn([&] { waiting.fetch.reset(); });
  f.loop.turn([&] { asked.fetch.reset(); });
  CHECK(f.last().url == "https://oeis.org/A000004/b000004.txt");
  f.answer(good("1 1\n"));
  CHECK(last.ok());
}

TEST_CASE("where a redirect may lead") {
  CHECK(may_follow("https://oeis.org", "https://oeis.org/x"));
  CHECK(may_follow("https://oeis.org", "HTTPS://www.oeis.org/x"));
  CHECK(!may_follow("https://oeis.org", "http://oeis.org/x"));
  CHECK(may_follow("http://127.0.0.1:81", "http://127.0.0.1:81/x"));
  CHECK(!may_follow("http://127.0.0.1:81", "http://127.0.0.1:82/x"));
  CHECK(!may_follow("http://127.0.0.1:81", "file:///etc/passwd"));
  CHECK(!may_follow("", "nothing"));
}

}  // namespace
}  // namespace gatescope::api
