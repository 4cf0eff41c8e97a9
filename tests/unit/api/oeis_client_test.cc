#include <nlohmann/json.hpp>

#include "tests/unit/api/oeis_client_fixture.h"

namespace gatescope::api::oeis_test {

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

}  // namespace gatescope::api::oeis_test
