#include "api/oeis_client.h"

#include <optional>
#include <vector>

#include "api/oeis_record.h"
#include "tests/support/catch.h"
#include "tests/unit/api/api_fixture.h"

namespace gatescope::api {
namespace {

/// Requests wait for the test to answer them.
struct FakeHttps final : net::HttpsClient {
  struct Transfer : net::HttpsTransfer {
    explicit Transfer(int& n) : alive(n) { ++alive; }
    ~Transfer() override { --alive; }
    int& alive;
  };
  std::vector<net::HttpsRequest> requests;
  net::HttpsEvents* events = nullptr;
  int alive = 0;
  std::unique_ptr<net::HttpsTransfer> start(net::HttpsRequest request,
                                            net::HttpsEvents& e) override {
    requests.push_back(std::move(request));
    events = &e;
    return std::make_unique<Transfer>(alive);
  }
};

struct StillClock final : Clock {
  MonoTime time{std::chrono::seconds(1000)};
  MonoTime now() const override { return time; }
  WallTime wall() const override { return {}; }
};

net::HttpsAnswer good(std::string body) {
  net::HttpsAnswer answer;
  answer.status = 200;
  answer.content_type = "text/plain; charset=utf-8";
  answer.length_known = true;
  answer.body = std::move(body);
  return answer;
}

net::HttpsAnswer moved(std::string to) {
  net::HttpsAnswer answer;
  answer.status = 301;
  answer.redirect_url = std::move(to);
  return answer;
}

struct Fixture {
  FakeHttps https;
  StillClock clock;
  MemoryLog log;
  OeisClient client{https, {}, clock, log, nullptr};
  std::optional<OeisAnswer> answer;
  std::unique_ptr<Oeis::Fetch> fetch = client.fetch_bfile(
      SequenceId(153080), Urgency::User, [this](OeisAnswer a) { answer = std::move(a); });
  const OeisFailure& failure() {
    REQUIRE(answer);
    return std::get<OeisFailure>(*answer);
  }
};

TEST_CASE("a b-file is fetched from where OEIS keeps it") {
  Fixture f;
  REQUIRE(f.https.requests.size() == 1);
  CHECK(f.https.requests[0].url == "https://oeis.org/A153080/b153080.txt");
  CHECK(f.https.requests[0].timeout == Duration(4000));
  CHECK(f.https.requests[0].max_body == 64u << 20);
  f.https.events->on_answer(good("1 2\n"));
  CHECK(std::get<std::string>(*f.answer) == "1 2\n");
}

TEST_CASE("a record is searched for") {
  Fixture f;
  std::optional<OeisAnswer> answer;
  const auto fetch =
      f.client.fetch_record(SequenceId(40), Urgency::User, [&](OeisAnswer a) { answer = a; });
  CHECK(f.https.requests[1].url == "https://oeis.org/search?q=id:A000040&fmt=json");
  auto json = good("null");
  json.content_type = "application/json";
  f.https.events->on_answer(json);
  CHECK(std::get<std::string>(*answer) == "null");
}

TEST_CASE("what OEIS refuses is told in the old service's words") {
  using Kind = OeisFailure::Kind;
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
      {404, "Error: B-file for ID 'A153080' not found in OEIS.", Kind::NotFound},
  };
  for (const auto& c : kCases) {
    Fixture f;
    auto answer = good("You are crawling too fast.");
    answer.status = c.status;
    f.https.events->on_answer(answer);
    CHECK(f.failure().text == c.text);
    CHECK(f.failure().kind == c.kind);
  }
}

TEST_CASE("pages and answers that may be cut are no b-files") {
  Fixture f;
  auto answer = good("1 2\n");
  SECTION("a page") {
    answer.content_type = "text/html; charset=utf-8";
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
  f.https.events->on_answer(answer);
  CHECK(f.failure().text.starts_with("Error: "));
  CHECK(f.failure().kind == OeisFailure::Kind::Refused);
}

TEST_CASE("failed transfers") {
  const struct {
    ErrorKind kind;
    const char* text;
    OeisFailure::Kind expected;
  } kCases[] = {
      {ErrorKind::Timeout, "Error: Timeout for url: ", OeisFailure::Kind::Silent},
      {ErrorKind::Refused, "Error: No connection for url: ", OeisFailure::Kind::Silent},
      {ErrorKind::TooLarge, "Error: Answer too large for url: ", OeisFailure::Kind::Refused},
  };
  for (const auto& c : kCases) {
    Fixture f;
    f.https.events->on_request_failed(make_error(c.kind, Origin::Upstream, "curl 28"));
    CHECK(f.failure().text.starts_with(c.text));
    CHECK(f.failure().text.find("curl") == std::string::npos);
    CHECK(f.failure().kind == c.expected);
    CHECK(f.log.has("curl 28"));
  }
}

TEST_CASE("redirects are followed by hand, within the same four seconds") {
  Fixture f;
  f.clock.time += Duration(1500);
  f.https.events->on_answer(moved("https://oeis.org/moved.txt"));
  REQUIRE(f.https.requests.size() == 2);
  CHECK(f.https.requests[1].url == "https://oeis.org/moved.txt");
  CHECK(f.https.requests[1].timeout == Duration(2500));
  SECTION("to the end") {
    f.https.events->on_answer(good("1 2\n"));
    CHECK(std::get<std::string>(*f.answer) == "1 2\n");
  }
  SECTION("in a circle") {
    for (int i = 0; i < 5; ++i)
      f.https.events->on_answer(moved("https://oeis.org/again.txt"));
    CHECK(f.failure().text.starts_with("Error: Too many redirects"));
    CHECK(f.https.requests.size() == 6);
  }
  SECTION("to somebody else, in clear") {
    f.https.events->on_answer(moved("http://example.org/x"));
    CHECK(f.failure().text.starts_with("Error: Redirect to another host"));
  }
  f.fetch.reset();
  CHECK(f.https.alive == 0);
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

TEST_CASE("a search term arrives as it was typed") {
  Fixture f;
  std::optional<OeisAnswer> answer;
  const auto fetch = f.client.search("1, 2+3/\xC3\xA9&fmt=x#", [&](OeisAnswer a) { answer = a; });
  CHECK(f.https.requests[1].url ==
        "https://oeis.org/search?q=1%2C%202%2B3%2F%C3%A9%26fmt%3Dx%23&fmt=json");
  f.https.events->on_answer(good("null"));
  CHECK(std::get<std::string>(*answer) == "null");
}

TEST_CASE("a search answer in the forms that it has had") {
  const std::string primes =
      R"({"number":40,"name":"The primes.","xref":["Cf. A1.","Also \u003cA2\u003e."]})";
  const std::string other = R"({"number":400001,"name":"Other."})";
  for (const std::string& json :
       {"[" + primes + "," + other + "]",
        R"({"greeting":"x","count":2,"start":0,"results":[)" + primes + "," + other + "]}"}) {
    const auto found = parse_search(json);
    REQUIRE(found);
    REQUIRE(found->size() == 2);
    CHECK((*found)[0].id == SequenceId(40));
    CHECK((*found)[0].name == "The primes.");
    CHECK((*found)[0].xrefs == "Cf. A1.\nAlso <A2>.");
    CHECK((*found)[1].id == SequenceId(400001));
    CHECK((*found)[1].xrefs.empty());
  }
  for (const char* nothing : {"null", "[]", " null\n", R"({"count":0,"results":null})",
                              R"({"count":4711,"results":null})"}) {
    const auto found = parse_search(nothing);
    REQUIRE(found);
    CHECK(found->empty());
  }
  // Not "no results": these are failures.
  for (const char* wrong : {"", "<b>Could not parse search query: empty query</b>", "{}", "7",
                            R"({"results":7})", "[{"}) {
    const auto found = parse_search(wrong);
    REQUIRE(!found);
    CHECK(found.error().kind == ErrorKind::Invalid);
  }
  CHECK(parse_search(R"([7,{"number":-1,"name":"x"},{"number":1000000,"name":"x"},{"number":1}])")
            ->empty());
}

TEST_CASE("the name in the forms that a search answer has had") {
  const SequenceId id(40);
  const std::string record = R"({"number":40,"name":"The primes \u221e.","data":"2,3"})";
  const std::string other = R"({"number":41,"name":"Other."})";
  CHECK(name_in_search(id, "[" + other + "," + record + "]") == "The primes \xE2\x88\x9E.");
  CHECK(name_in_search(id, R"({"count":1,"results":[)" + record + "]}") ==
        "The primes \xE2\x88\x9E.");
  CHECK(name_in_search(id, record) == "The primes \xE2\x88\x9E.");
  for (const std::string& json :
       {std::string("null"), std::string("[]"), std::string(R"({"count":99,"results":null})"),
        std::string("{}"), "[" + other + "]", std::string("<html>"), std::string(),
        std::string(R"([{"number":"40","name":"x"},{"number":40},7,null,{"number":40,"name":""}])"),
        std::string(100'000, '[')}) {
    CHECK(!name_in_search(id, json));
  }
}

}  // namespace
}  // namespace gatescope::api
