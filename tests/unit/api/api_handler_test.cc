#include "api/api_handler.h"

#include <nlohmann/json.hpp>
#include <optional>

#include "api/encode.h"
#include "proxy/http/encoding.h"
#include "proxy/http/target.h"
#include "tests/support/catch.h"
#include "tests/support/sim_loop.h"
#include "tests/unit/api/api_fixture.h"

namespace gatescope::api {
namespace {

struct FakeSequences final : Sequences {
  std::optional<Answer> known;
  std::optional<Question> question;  // the last one
  std::string client = "?";
  AnswerWaiter* waiter = nullptr;
  struct Asked : Request {};
  std::optional<Answer> find(const Question& q) override {
    question = q;
    return known;
  }
  std::unique_ptr<Request> ask(const Question&, const std::string& c, AnswerWaiter& w) override {
    client = c;
    waiter = &w;
    return std::make_unique<Asked>();
  }
  bool asked(Topic topic, std::uint32_t id, std::size_t of_ten) const {
    return question && question->key == AnswerKey{topic, SequenceId(id), {}} &&
           question->count.of(10) == of_ten;
  }
};

Answer primes(std::size_t n = 3) {
  Sequence sequence{.id = SequenceId(40), .name = "The prime numbers.", .shift = 1};
  for (const char* term : {"2", "3", "5"})
    sequence.terms.add(term);
  return encode_values(sequence)->find_form(n, http::Coding::Identity);
}

struct ApiHandlerFixture : SequencesByLoop {
  FakeSequences sequences;
  test::SimWorld world{1};
  test::SimLoop loop{world};
  std::string prefix = "/api";
  http::Request request;
  std::unique_ptr<http::Responder> responder;
  Arena arena;

  RecordingWriter& get(std::string_view target, std::string_view method = "GET") {
    const ApiHandler handler(*this, prefix, "827e052");
    const auto routed = http::normalise_target(target, true, arena);
    REQUIRE(routed);
    request.head.method = method;
    request.original_uri = routed->original;
    request.path = routed->path;
    writer = std::make_unique<RecordingWriter>(&loop);
    responder = handler.start(request, *writer);
    return *writer;
  }
  Sequences& on(net::Loop&) override { return sequences; }
  std::unique_ptr<RecordingWriter> writer;
};

TEST_CASE("what each endpoint asks for") {
  ApiHandlerFixture f;
  f.sequences.known = primes();
  auto& values = f.get("/api/get_oeis_values/a000040/2");
  CHECK(f.sequences.asked(Topic::Values, 40, 2));
  CHECK(!f.sequences.question->real_name);
  CHECK(values.status_code == 200);
  CHECK(values.body ==
        R"({"id":"A000040","name":"The prime numbers.","values":{"1":"2","2":"3","3":"5"}})"
        "\n");
  CHECK(values.sent.content_type == "application/json");
  CHECK(values.sent.content_length == values.body.size());
  CHECK(values.sent.prebuilt);
  CHECK(values.ended);

  f.get("/api/get_oeis_name_and_values/A000040");
  CHECK(f.sequences.asked(Topic::Values, 40, 10));
  CHECK(f.sequences.question->real_name);
  f.get("/api/get_oeis_metadata/A000045");
  CHECK(f.sequences.asked(Topic::Metadata, 45, 10));
  f.get("/api/get_oeis_factors/A000045/-3");
  CHECK(f.sequences.asked(Topic::Factors, 45, 7));
  f.get("/api/search_oeis/1%2F2//x");
  CHECK(f.sequences.question->key == AnswerKey{Topic::Search, SequenceId(0), "1/2//x"});
  // As the old service: the path is decoded before it is looked at.
  f.get("//%61pi/get_oeis_values/%41000040/%31");
  CHECK(f.sequences.asked(Topic::Values, 40, 1));
}

TEST_CASE("pages that need no sequence") {
  ApiHandlerFixture f;
  CHECK(f.get("/api/get_commit").body == "{\"short_commit_hash\":\"827e052\"}\n");
  for (const char* path : {"/api", "/api/"}) {
    auto& page = f.get(path);
    CHECK(page.status_code == 200);
    CHECK(page.sent.content_type == "text/html; charset=utf-8");
    CHECK(page.body.find("CC BY-SA 4.0") != std::string::npos);
    CHECK(page.body.find("href=\"/api/openapi.json\"") != std::string::npos);
    CHECK(page.header("Cache-Control") == "no-cache");
    CHECK(!page.sent.etag.empty());
  }
  const std::string plain = f.get("/api/").body;
  f.request.head.headers.set("Accept-Encoding", "gzip");
  auto& gzip = f.get("/api/");
  CHECK(gzip.header("Content-Encoding") == "gzip");
  std::string_view encoded = gzip.body;
  std::string decoded;
  REQUIRE(http::GzipDecoder().decode(encoded, 1 << 20, decoded));
  CHECK(decoded == plain);
}

TEST_CASE("the encoding is the best that the client takes") {
  using http::Coding;
  ApiHandlerFixture f;
  f.sequences.known = primes();
  const std::pair<const char*, Coding> kCases[] = {
      {"", Coding::Identity},         {"gzip, deflate, br, zstd", Coding::Brotli},
      {"gzip", Coding::Gzip},         {"br;q=0.5, gzip", Coding::Gzip},
      {"br;q=0, gzip", Coding::Gzip}, {"identity", Coding::Identity},
      {"zstd", Coding::Identity},     {"*", Coding::Brotli},
      {"gzip;q=0", Coding::Identity}, {"identity;q=1, gzip;q=0.5", Coding::Identity},
      {"x-gzip", Coding::Gzip},
  };
  for (const auto& [field, coding] : kCases) {
    INFO(field);
    f.request.head.headers.set("Accept-Encoding", field);
    f.get("/api/get_oeis_values/A000040/2");
    CHECK(f.sequences.question->coding == coding);
  }
}

TEST_CASE("every answer carries exactly one Access-Control-Allow-Origin") {
  ApiHandlerFixture f;
  const struct {
    const char *method, *path;
    int status;
  } kCases[] = {
      {"GET", "/api/get_commit", 200},
      {"GET", "/api/get_oeis_values/A40/1", 200},
      {"GET", "/api/get_oeis_values/A000040/x", 400},
      {"GET", "/api/nothing", 404},
      {"GET", "/apix", 404},
      {"GET", "/api/get_commit/", 404},
      {"GET", "/api/get_oeis_values/A000040", 404},
      {"GET", "/api/get_oeis_values/A000040/", 404},
      {"GET", "/api/get_oeis_values//1", 404},
      {"GET", "/api/get_oeis_values/A000040/1/2", 404},
      {"GET", "/api/get_oeis_name_and_values/", 404},
      {"GET", "/api/get_oeis_name_and_values/A000040/1", 404},
      {"GET", "/api/get_oeis_metadata/", 404},
      {"GET", "/api/get_oeis_metadata/A000040/1", 404},
      {"GET", "/api/get_oeis_metadata/A40", 200},
      {"GET", "/api/get_oeis_factors/A000040", 404},
      {"GET", "/api/get_oeis_factors/A000040/ten", 400},
      {"GET", "/api/get_oeis_factors/A40/1", 200},
      {"GET", "/api/search_oeis", 404},
      {"GET", "/api/search_oeis/", 404},
      {"GET", "/api/search_oeis/%FF", 400},
      {"GET", "/api", 200},
      {"GET", "/api/openapi.json", 200},
      {"PUT", "/api/search_oeis/x", 405},
      {"OPTIONS", "/api/nothing", 204},
      {"POST", "/api/get_commit", 405},
      {"DELETE", "/api/nothing", 405},
      {"OPTIONS", "/api/get_commit", 204},
      {"HEAD", "/api/get_commit", 200},
  };
  for (const auto& c : kCases) {
    INFO(c.method << " " << c.path);
    auto& answer = f.get(c.path, c.method);
    CHECK(answer.status_code == c.status);
    CHECK(answer.sent.headers.count("Access-Control-Allow-Origin") == 1);
    CHECK(answer.header("Access-Control-Allow-Origin") == "*");
    CHECK(answer.ended);
    if (c.status == 405) CHECK(answer.header("Allow") == "GET, HEAD, OPTIONS");
    if (c.status == 404) CHECK(nlohmann::json::parse(answer.body).contains("error"));
    if (c.status >= 400) CHECK(answer.header("Cache-Control") == "no-store");
    if (c.status == 400) CHECK(answer.sent.content_type == "text/plain; charset=utf-8");
  }
}

TEST_CASE("refusals are plain text with status 200, in the old service's words") {
  ApiHandlerFixture f;
  const std::pair<const char*, const char*> kCases[] = {
      {"A40", "Error: ID A40 is not 7 characters long"},
      {"A0000400", "Error: ID A0000400 is not 7 characters long"},
      {"B000040", "Error: ID B000040 not of form Annnnnn"},
      {"b000040", "Error: Neither b000040 nor B000040 of form Annnnnn"},
      {"A00004x", "Error: ID A00004x not of form Annnnnn"},
      {"A00004%D9%A0", "Error: ID A00004\xD9\xA0 not of form Annnnnn"},  // a digit, not ASCII
      {"%3Cb%3E0040", "Error: ID <b>0040 not of form Annnnnn"},
  };
  for (const auto& [id, text] : kCases) {
    for (const std::string path : {"get_oeis_values/@/1", "get_oeis_name_and_values/@",
                                   "get_oeis_metadata/@", "get_oeis_factors/@/1"}) {
      INFO(path << " " << id);
      auto& answer = f.get("/api/" + std::string(path).replace(path.find('@'), 1, id));
      CHECK(answer.status_code == 200);
      CHECK(answer.body == text);
      CHECK(answer.sent.content_type == "text/plain; charset=utf-8");
      CHECK(answer.header("X-Content-Type-Options") == "nosniff");
      CHECK(answer.header("Cache-Control") == "no-store");
    }
  }
  f.sequences.known = Refusal{"Error: No terms found for ID 'A900004'."};
  CHECK(f.get("/api/get_oeis_values/A900004/1").body == "Error: No terms found for ID 'A900004'.");
}

TEST_CASE("COUNT in a path: what Python's int() takes, else 400") {
  ApiHandlerFixture f;
  f.sequences.known = primes();
  const std::pair<const char*, std::size_t> kNumbers[] = {
      {"0", 10},
      {"3", 3},
      {"+3", 3},
      {"%2B3", 3},
      {"1_0", 10},
      {"007", 7},
      {"%205%20", 5},
      {"-4", 6},
      {"-10", 0},
      {"99", 10},
      {"99999999999999999999", 10},
  };
  for (const auto& [count, of_ten] : kNumbers) {
    INFO(count);
    CHECK(f.get(std::string("/api/get_oeis_values/A000040/") + count).status_code == 200);
    CHECK(f.sequences.asked(Topic::Values, 40, of_ten));
    CHECK(f.get(std::string("/api/get_oeis_factors/A000040/") + count).status_code == 200);
    CHECK(f.sequences.asked(Topic::Factors, 40, of_ten));
  }
  for (const char* count : {"x", "1.0", "1e3", "0x10", "%20", "-", "1__0", "%C2%B2", "ten"}) {
    INFO(count);
    auto& answer = f.get(std::string("/api/get_oeis_values/A000040/") + count);
    CHECK(answer.status_code == 400);
    CHECK(answer.body.starts_with("COUNT must be a whole number"));
  }
}

TEST_CASE("an answer that comes later") {
  ApiHandlerFixture f;
  auto& answer = f.get("/api/get_oeis_values/A000040/1");
  REQUIRE(f.responder);
  CHECK(answer.status_code == 0);
  SECTION("one that is known by now") {
    f.sequences.waiter->on_answer(primes(1));
    CHECK(answer.body.ends_with(R"("values":{"1":"2"}})"
                                "\n"));
  }
  SECTION("not now") {
    f.sequences.waiter->on_answer(Unavailable{"down"});
    CHECK(answer.status_code == 503);
    CHECK(answer.header("Retry-After") == "5");
    CHECK(answer.header("Cache-Control") == "no-store");
    CHECK(answer.sent.content_type == "text/plain; charset=utf-8");
    CHECK(answer.body.find("down") == std::string::npos);
  }
  SECTION("not so many") {
    f.sequences.waiter->on_answer(TooMany{3});
    CHECK(answer.status_code == 429);
    CHECK(answer.header("Retry-After") == "3");
    CHECK(answer.header("Cache-Control") == "no-store");
    CHECK(answer.header("Access-Control-Allow-Origin") == "*");
    CHECK(answer.header("Access-Control-Expose-Headers") == "Retry-After");
  }
}

TEST_CASE("clients are told apart by their address, not behind a unix socket") {
  ApiHandlerFixture f;
  http::ConnectionInfo connection;
  f.request.connection = &connection;
  connection.client_address = "192.0.2.7";
  f.get("/api/get_oeis_values/A000040/1");
  CHECK(f.sequences.client == "192.0.2.7");
  connection.client_address = "unix:";
  f.get("/api/get_oeis_values/A000040/1");
  CHECK(f.sequences.client.empty());
}

TEST_CASE("it works below any prefix") {
  ApiHandlerFixture f;
  f.prefix = "";
  CHECK(f.get("/get_commit").status_code == 200);
  CHECK(f.get("/").status_code == 200);
  f.prefix = "/numbers/v1";
  CHECK(f.get("/numbers/v1/get_commit").status_code == 200);
  CHECK(f.get("/numbers/v1").body.find("href=\"/numbers/v1/openapi.json\"") != std::string::npos);
  const auto description = nlohmann::json::parse(f.get("/numbers/v1/openapi.json").body);
  CHECK(description["servers"][0]["url"] == "/numbers/v1/");
  CHECK(f.get("/numbers/v12/get_commit").status_code == 404);
}

}  // namespace
}  // namespace gatescope::api
