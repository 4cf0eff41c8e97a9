// The real OeisClient over real sockets, against a stand-in for oeis.org that fails in every way
// that one has been seen to fail or must be expected to.

#include <stdlib.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>

#include "api/bfile.h"
#include "api/oeis_client.h"
#include "api/oeis_record.h"
#include "proxy/base/text.h"
#include "tests/support/forward_proxy.h"
#include "tests/support/oeis_stand_in.h"
#include "tests/unit/api/pg_fixture.h"

namespace gatescope::api {
namespace {

using test::OeisReply;
using test::OeisStandIn;
using Kind = OeisFailure::Kind;

constexpr std::string_view kPlainText = "text/plain; charset=utf-8";
constexpr const char* kPath = "/A000007/b000007.txt";

/// By the program: Debian's essential packages have it.
std::string gzip_of(const std::string& shell) {
  const OpenFolder folder;
  REQUIRE(std::system(("(" + shell + ") | gzip -1n > " + folder / "x").c_str()) == 0);
  std::ifstream in(folder / "x");
  return std::string(std::istreambuf_iterator<char>(in), {});
}

struct OeisFailuresFixture : RealLoop {
  OpenFolder folder;
  SystemClock clock;
  ApiLog api_log{clock};
  std::unique_ptr<LogFile> file = std::move(*LogFile::open(folder / "api.log", {}));
  OeisStandIn oeis{*loop};
  std::unique_ptr<net::HttpsClient> https = net::HttpsClient::make(
      *loop,
      {.agent = "numberscope-test/1.0 (+https://localhost)", .use_environment_proxy = false});
  std::optional<OeisClient> client;

  explicit OeisFailuresFixture(OeisClientSettings settings = {}) {
    api_log.write_to(file.get(), nullptr);
    open(std::move(settings));
  }
  void open(OeisClientSettings settings) {
    if (settings.base == OeisClientSettings{}.base) settings.base = oeis.url();
    client.emplace(*loop, *https, std::move(settings), log, api_log, nullptr);
  }
  OeisAnswer wait_for(const std::function<std::unique_ptr<Oeis::Fetch>(Oeis::Done)>& ask) {
    std::optional<OeisAnswer> answer;
    const auto fetch = ask([&](OeisAnswer a) { answer = std::move(a); });
    CHECK(!answer);
    if (!until([&] { return answer.has_value(); })) FAIL("no answer; " + log.text());
    return std::move(*answer);
  }
  OeisAnswer bfile(unsigned number = 7) {
    return wait_for([&](auto done) {
      return client->fetch_bfile(SequenceId(number), Urgency::User, std::move(done));
    });
  }
  OeisAnswer search(const std::string& term) {
    return wait_for([&](auto done) { return client->search(term, std::move(done)); });
  }
  OeisFailure failure(OeisReply reply) {
    oeis.reply_to(kPath, std::move(reply));
    auto answer = bfile();
    REQUIRE(std::holds_alternative<OeisFailure>(answer));
    return std::get<OeisFailure>(std::move(answer));
  }
  std::string url(const char* path = kPath) const { return oeis.url() + path; }
  std::string events() const {
    std::ifstream in(folder / "api.log");
    return std::string(std::istreambuf_iterator<char>(in), {});
  }
};

std::string text_of(const OeisAnswer& answer) {
  if (const auto* failure = std::get_if<OeisFailure>(&answer)) return failure->text;
  return std::get<std::string>(answer);
}

TEST_CASE("OEIS as it is: b-files real and made up, unknown and reserved numbers, a named agent") {
  OeisFailuresFixture f;
  f.oeis.add_bfile(7, "# A000007\n0 1\n1 0\n");
  f.oeis.add_entry(8, "Made up.", "1,2,3", -1);
  f.oeis.reserve(9);
  CHECK(text_of(f.bfile(7)) == "# A000007\n0 1\n1 0\n");
  const auto made_up = parse_bfile(SequenceId(8), std::get<std::string>(f.bfile(8)));
  CHECK(std::get<Sequence>(made_up).shift == -1);
  CHECK(joined(std::get<Sequence>(made_up).terms) == "1|2|3");
  const auto reserved = parse_bfile(SequenceId(9), std::get<std::string>(f.bfile(9)));
  CHECK(std::get<Refusal>(reserved).text == "Error: No terms found for ID 'A000009'.");
  const auto unknown = f.bfile(10);
  CHECK(std::get<OeisFailure>(unknown).kind == Kind::NotFound);
  CHECK(text_of(unknown) == "Error: B-file for ID 'A000010' not found in OEIS.");
  CHECK(f.events().find("Sorry, the page") == std::string::npos);  // the head only
  CHECK(f.events().find("> 404 Not Found\\n> content-type: text/html") != std::string::npos);
  for (const auto& request : f.oeis.requests) {
    CHECK(request.agent == "numberscope-test/1.0 (+https://localhost)");
    CHECK(request.accept_encoding == "gzip");
  }
  CHECK(f.oeis.connections == 1);
}

TEST_CASE("searches of OEIS in the new and in the old form, with nothing found and too much") {
  OeisFailuresFixture f;
  f.oeis.search_form = GENERATE(OeisStandIn::SearchForm::List, OeisStandIn::SearchForm::Dictionary);
  f.oeis.add_entry(40, "The prime numbers.", "2,3,5", 1, {"Cf. A000045.", "A \"quote\"."});
  for (unsigned i = 100; i < 160; ++i)
    f.oeis.add_entry(i, i < 112 ? "A dozen." : "Many.", "1,2");
  const auto found = [&](const std::string& term) {
    auto records = parse_search(std::get<std::string>(f.search(term)));
    REQUIRE(records);
    return std::move(*records);
  };
  REQUIRE(found("prime").size() == 1);
  CHECK(found("prime")[0].name == "The prime numbers.");
  CHECK(found("id:A000040")[0].xrefs == "Cf. A000045.\nA \"quote\".");
  CHECK(found("dozen").size() == 10);
  CHECK(found("nothing of the kind").empty());
  CHECK(found("1,2").empty());  // too many
  const auto record = std::get<std::string>(f.wait_for([&](auto done) {
    return f.client->fetch_record(SequenceId(40), Urgency::User, std::move(done));
  }));
  CHECK(name_in_search(SequenceId(40), record) == "The prime numbers.");
  // A page with status 200: not "nothing found".
  CHECK(text_of(f.search("\\")).starts_with("Error: Unexpected content type text/html"));
  f.oeis.reply_to_all(OeisReply::sized(200, "application/json", "[{\"number\": 40, "));
  CHECK(!parse_search(std::get<std::string>(f.search("cut by OEIS itself"))));
}

TEST_CASE("what is wrong with an answer is said, and it is not taken") {
  OeisFailuresFixture f;
  const std::string zipped = gzip_of("printf '1 1\\n2 2\\n3 3\\n'");
  const std::string gzip = "Content-Encoding: gzip\r\n";
  const std::string body = "1 1\n2 2\n3 3\n";
  const auto cut = [&](OeisReply reply) {
    const auto end = reply.bytes.size() - 5;
    return std::move(reply).cut_off(end);
  };
  struct Case {
    const char* name;
    OeisReply reply;
    Kind kind;
    std::string text;
  };
  const Case cases[] = {
      {"cut, with a length", cut(OeisReply::sized(200, kPlainText, body)), Kind::Silent,
       "No connection"},
      {"cut, chunked", cut(OeisReply::chunked(200, kPlainText, body)), Kind::Silent,
       "No connection"},
      {"perhaps cut, nobody knows", OeisReply::until_close(kPlainText, body), Kind::Refused,
       "Answer without a length, it may be cut"},
      {"cut before it was compressed",
       OeisReply::sized(200, kPlainText, zipped.substr(0, zipped.size() - 12), gzip), Kind::Refused,
       "Answer is cut off or damaged"},
      {"no gzip", OeisReply::sized(200, kPlainText, body, gzip), Kind::Refused,
       "Answer is cut off or damaged"},
      {"not what was accepted", OeisReply::sized(200, kPlainText, body, "Content-Encoding: br\r\n"),
       Kind::Refused, "Unexpected content encoding br"},
      {"cut in the head", OeisReply::sized(200, kPlainText, body).cut_off(20), Kind::Refused,
       "Unexpected content type "},
      {"nothing", {.bytes = "", .then = OeisReply::Then::Close}, Kind::Silent, "No connection"},
      {"reset",
       {.bytes = "HTTP/1.1 200 OK\r\n", .then = OeisReply::Then::Reset},
       Kind::Silent,
       "No connection"},
      {"noise",
       {.bytes = "SSH-2.0-x\r\n", .then = OeisReply::Then::Close},
       Kind::Silent,
       "No connection"},
      {"a page", OeisReply::sized(200, "text/html; charset=utf-8", "<html>1 1"), Kind::Refused,
       "Unexpected content type text/html; charset=utf-8"},
      {"something else", OeisReply::sized(200, "application/json", "[]"), Kind::Refused,
       "Unexpected content type application/json"},
      {"no type", OeisReply::sized(200, "", body), Kind::Refused, "Unexpected content type "},
      {"a part", OeisReply::sized(206, kPlainText, body), Kind::Refused, "Unexpected status 206"},
      {"trouble there", OeisReply::sized(500, "text/html", "oops"), Kind::Refused,
       "500 Server Error: Internal Server Error"},
      {"a bad gateway", OeisReply::sized(502, "text/html", "oops"), Kind::Refused,
       "502 Server Error: Bad Gateway"},
      {"in a circle", OeisReply::redirect(kPath), Kind::Refused, "Too many redirects"},
      {"to another host", OeisReply::redirect("http://127.0.0.1:9/A000007/b000007.txt"),
       Kind::Refused, "Redirect to another host"},
      {"to a file", OeisReply::redirect("file:///etc/passwd"), Kind::Refused,
       "Redirect to another host"},
  };
  for (const Case& c : cases) {
    INFO(c.name);
    const auto before = f.oeis.requests.size();
    const auto failure = f.failure(c.reply);
    CHECK(failure.kind == c.kind);
    CHECK(failure.text == "Error: " + c.text + " for url: " + f.url());
    CHECK(f.oeis.requests.size() - before <= 6);
  }
  f.oeis.behave();
  f.oeis.add_bfile(7, body);
  CHECK(text_of(f.bfile()) == body);  // it is as good as new
  f.oeis.reply_to(kPath, OeisReply::sized(200, kPlainText, zipped, gzip));
  CHECK(text_of(f.bfile()) == body);
  f.oeis.reply_to(kPath, OeisReply::redirect("/elsewhere"));
  f.oeis.reply_to("/elsewhere", OeisReply::chunked(200, kPlainText, body));
  CHECK(text_of(f.bfile()) == body);
}

TEST_CASE("a byte now and then does not hold anybody up") {
  OeisFailuresFixture f({.timeout = Duration(400)});
  auto slow = OeisReply::sized(200, kPlainText, std::string(1000, '7'));
  slow.drip = Duration(20);
  const auto before = SystemClock().now();
  const auto failure = f.failure(slow);
  CHECK(failure.kind == Kind::Silent);
  CHECK(failure.text == "Error: Timeout for url: " + f.url());
  CHECK(SystemClock().now() - before < Duration(18000));  // the drip takes 20 s
  CHECK(f.failure({.bytes = ""}).text == "Error: Timeout for url: " + f.url());  // not even a byte
}

std::size_t peak_memory() {
  std::ifstream in("/proc/self/status");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("VmHWM:"))
      return *parse_unsigned(trim(line.substr(6, line.size() - 9))) * 1024;
  return 0;
}

/// What AddressSanitizer holds back of the memory that was freed (its quarantine_size_mb).
#ifdef __SANITIZE_ADDRESS__
constexpr std::size_t kHeldBack = 256u << 20;
#else
constexpr std::size_t kHeldBack = 0;
#endif

TEST_CASE("a gigabyte is not taken: the bound holds, and memory with it") {
  OeisFailuresFixture f;
  constexpr std::uint64_t kGiB = 1u << 30;
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n";
  const struct {
    const char* name;
    OeisReply reply;
  } cases[] = {
      {"announced", {.bytes = head + "Content-Length: 1073741824\r\n\r\n", .noise = kGiB}},
      {"chunked",
       {.bytes = head + "Transfer-Encoding: chunked\r\n\r\n40000000\r\n", .noise = kGiB}},
      {"until the end", {.bytes = head + "\r\n", .noise = kGiB}},
      {"compressed",
       OeisReply::sized(200, kPlainText, gzip_of("head -c 100000000 /dev/zero | tr '\\0' 7"),
                        "Content-Encoding: gzip\r\n")},
  };
  const std::size_t before = peak_memory();
  for (const auto& c : cases) {
    INFO(c.name);
    const auto failure = f.failure(c.reply);
    CHECK(failure.kind == Kind::Refused);
    CHECK(failure.text == "Error: Answer too large for url: " + f.url());
  }
  // 64 MiB at most, in a string that doubles. The stand-in's own is small.
  CHECK(peak_memory() - before < kHeldBack + (200u << 20));
}

TEST_CASE("refused as too much: OEIS is left alone, then asked again") {
  struct Case {
    OeisReply reply;
    const char* text;
  };
  const Case c =
      GENERATE(Case{OeisStandIn::too_fast(429, "3"), "429 Client Error: Too Many Requests"},
               Case{OeisStandIn::too_fast(503, "3"), "503 Server Error: Service Unavailable"},
               Case{OeisStandIn::challenge(), "403 Client Error: Forbidden"});
  OeisFailuresFixture f({.breaker = {.first = Duration(3000)}});
  f.oeis.add_bfile(7, "1 1\n");
  f.oeis.reply_to_all(c.reply);
  const auto refused = std::get<OeisFailure>(f.bfile());
  CHECK(refused.text == "Error: " + std::string(c.text) + " for url: " + f.url());
  CHECK(refused.kind == Kind::Refused);
  CHECK(refused.retry_after == 3);
  f.oeis.behave();
  const auto resting = std::get<OeisFailure>(f.bfile());
  CHECK(resting.text == refused.text);
  CHECK(resting.kind == Kind::Resting);
  CHECK(f.oeis.requests.size() == 1);
  bool answered = false;
  CHECK(f.until([&] { return answered = answered || text_of(f.bfile()) == "1 1\n"; }));
  CHECK(f.oeis.requests.size() == 2);
  CHECK(f.oeis.requests[1].at - f.oeis.requests[0].at >= Duration(950));
  CHECK(f.events().find(R"("event":"OEIS answers again")") != std::string::npos);
}

TEST_CASE("however many ask, OEIS sees one connection") {
  OeisFailuresFixture f;
  for (unsigned i = 1; i <= 20; ++i)
    f.oeis.add_bfile(i, "1 1\n");
  std::vector<std::unique_ptr<Oeis::Fetch>> fetches;
  unsigned answered = 0;
  for (unsigned i = 1; i <= 20; ++i)
    fetches.push_back(f.client->fetch_bfile(SequenceId(i), Urgency::User, [&](OeisAnswer a) {
      answered += std::holds_alternative<std::string>(a);
    }));
  CHECK(f.until([&] { return answered == 20; }));
  CHECK(f.oeis.connections == 1);
  CHECK(f.oeis.most_open == 1);
}

TEST_CASE("a file for the background is let go when a user comes, who then has the connection") {
  OeisFailuresFixture f({.background_pause = Duration(50)});
  f.oeis.add_bfile(8, "1 1\n");
  auto slow = OeisReply::sized(200, kPlainText, std::string(1000, '7'));
  slow.drip = Duration(20);
  f.oeis.reply_to(kPath, slow);
  std::optional<OeisAnswer> background;
  const auto fetch = f.client->fetch_bfile(SequenceId(7), Urgency::Background,
                                           [&](OeisAnswer a) { background = std::move(a); });
  CHECK(f.until([&] { return f.oeis.requests.size() == 1; }));
  f.oeis.reply_to(kPath, OeisReply::sized(200, kPlainText, "1 7\n"));
  CHECK(text_of(f.bfile(8)) == "1 1\n");
  CHECK(!background);
  CHECK(f.until([&] { return background.has_value(); }));
  CHECK(text_of(*background) == "1 7\n");
  CHECK(f.oeis.requests.size() == 3);
}

struct Variable {
  Variable(const char* n, const std::string& value) : name(n) { ::setenv(n, value.c_str(), 1); }
  ~Variable() { ::unsetenv(name); }
  const char* const name;
};

TEST_CASE("a proxy that the environment names is used, and not for what NO_PROXY excepts") {
  OeisFailuresFixture f;
  f.oeis.add_bfile(7, "1 1\n");
  test::ForwardProxy proxy(*f.loop, f.oeis.address());
  const auto with_proxy = [&](const std::string& base) {
    f.client.reset();
    f.https = net::HttpsClient::make(*f.loop, {.agent = "numberscope-test/1.0"});
    f.open({.base = base, .timeout = Duration(2000)});
  };
  const Variable none("no_proxy", "");
  SECTION("in clear") {
    const Variable http("http_proxy", proxy.url());
    with_proxy("http://oeis.invalid");
    CHECK(text_of(f.bfile()) == "1 1\n");
    CHECK(proxy.requests ==
          std::vector<std::string>{"GET http://oeis.invalid/A000007/b000007.txt HTTP/1.1"});
    CHECK(f.oeis.requests[0].host == "oeis.invalid");
  }
  SECTION("with TLS it makes a tunnel") {
    const Variable https("HTTPS_PROXY", proxy.url());
    with_proxy("https://oeis.invalid");
    CHECK(text_of(f.bfile()).starts_with("Error: "));  // the stand-in speaks no TLS
    REQUIRE(!proxy.requests.empty());
    CHECK(proxy.requests[0] == "CONNECT oeis.invalid:443 HTTP/1.1");
  }
  SECTION("excepted") {
    const Variable http("http_proxy", proxy.url());
    const Variable except("NO_PROXY", "127.0.0.1");
    const Variable also("no_proxy", "127.0.0.1");
    with_proxy(f.oeis.url());
    CHECK(text_of(f.bfile()) == "1 1\n");
    CHECK(proxy.requests.empty());
  }
}

}  // namespace
}  // namespace gatescope::api
