#include "api/api_handler.h"

#include <nlohmann/json.hpp>
#include <optional>

#include "api/api_answer.h"
#include "tests/support/catch.h"
#include "tests/support/sim_loop.h"
#include "tests/unit/api/api_fixture.h"

namespace gatescope::api {
namespace {

struct FakeSequences final : Sequences {
  std::optional<SequenceAnswer> known;
  std::optional<SequenceId> asked_for;
  std::optional<Need> need;
  std::string client = "?";
  SequenceWaiter* waiter = nullptr;
  struct Asked : Request {};
  std::optional<SequenceAnswer> find(SequenceId id, Need n) override {
    asked_for = id;
    need = n;
    return known;
  }
  std::unique_ptr<Request> ask(SequenceId, Need, const std::string& c, SequenceWaiter& w) override {
    client = c;
    waiter = &w;
    return std::make_unique<Asked>();
  }
};

std::shared_ptr<const EncodedSequence> primes(Source source = Source::BFile, bool named = true) {
  Sequence sequence{.id = SequenceId(40), .shift = 1, .source = source};
  if (named) sequence.name = "The prime numbers.";
  for (const char* term : {"2", "3", "5"})
    sequence.terms.add(term);
  return EncodedSequence::encode(sequence);
}

struct Fixture : SequencesByLoop {
  FakeSequences sequences;
  test::SimWorld world{1};
  test::SimLoop loop{world};
  std::string prefix = "/api";
  http::Request request;
  std::unique_ptr<http::Responder> responder;

  RecordingWriter& get(std::string_view path, std::string_view method = "GET") {
    const ApiHandler handler(*this, prefix, "827e052");
    request.head.method = method;
    request.path = path;
    writer = std::make_unique<RecordingWriter>(&loop);
    responder = handler.start(request, *writer);
    return *writer;
  }
  Sequences& on(net::Loop&) override { return sequences; }
  std::unique_ptr<RecordingWriter> writer;
};

TEST_CASE("the endpoints of the first slice") {
  Fixture f;
  f.sequences.known = primes();
  auto& values = f.get("/api/get_oeis_values/a000040/2");
  CHECK(values.status_code == 200);
  CHECK(values.body == R"({"id":"A000040","name":"The prime numbers.","values":{"1":"2","2":"3"}})"
                       "\n");
  CHECK(values.sent.content_type == "application/json");
  CHECK(values.sent.content_length == values.body.size());
  CHECK(values.header("Cache-Control") == "public, max-age=300");
  CHECK(values.header("X-Sequence-Source") == "bfile");
  CHECK(values.header("Access-Control-Expose-Headers") == "X-Sequence-Source");
  CHECK(f.sequences.need == Need::Terms);
  CHECK(f.sequences.asked_for == SequenceId(40));
  CHECK(values.ended);

  CHECK(f.get("/api/get_oeis_name_and_values/A000040").body.find(R"("3":"5"}})") !=
        std::string::npos);
  CHECK(f.sequences.need == Need::TermsAndName);
  CHECK(f.get("/api/get_commit").body == "{\"short_commit_hash\":\"827e052\"}\n");
  for (const char* path : {"/api", "/api/"}) {
    auto& page = f.get(path);
    CHECK(page.status_code == 200);
    CHECK(page.sent.content_type == "text/html; charset=utf-8");
    CHECK(page.body.find("CC BY-SA 4.0") != std::string::npos);
  }
  const auto description = nlohmann::json::parse(f.get("/api/openapi.json").body);
  CHECK(description["paths"].size() == 3);
}

TEST_CASE("every answer carries exactly one Access-Control-Allow-Origin") {
  Fixture f;
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
  }
}

TEST_CASE("refusals are plain text with status 200") {
  Fixture f;
  auto& bad_id = f.get("/api/get_oeis_values/<b>0040/1");
  CHECK(bad_id.status_code == 200);
  CHECK(bad_id.body == "Error: ID <b>0040 not of form Annnnnn");
  CHECK(bad_id.sent.content_type == "text/plain; charset=utf-8");
  CHECK(bad_id.header("X-Content-Type-Options") == "nosniff");
  CHECK(bad_id.header("Cache-Control") == "no-store");
  f.sequences.known = Refusal{"Error: No terms found for ID 'A900004'."};
  CHECK(f.get("/api/get_oeis_values/A900004/1").body == "Error: No terms found for ID 'A900004'.");
}

TEST_CASE("an answer that comes later") {
  Fixture f;
  auto& answer = f.get("/api/get_oeis_values/A000040/1");
  REQUIRE(f.responder);
  CHECK(answer.status_code == 0);
  SECTION("a sequence") {
    f.sequences.waiter->on_sequence(primes());
    CHECK(answer.body.ends_with(R"("values":{"1":"2"}})"
                                "\n"));
  }
  SECTION("not now") {
    f.sequences.waiter->on_sequence(Unavailable{"down"});
    CHECK(answer.status_code == 503);
    CHECK(answer.header("Retry-After") == "5");
    CHECK(answer.header("Cache-Control") == "no-store");
    CHECK(answer.sent.content_type == "text/plain; charset=utf-8");
    CHECK(answer.body.find("down") == std::string::npos);
  }
  SECTION("not so many") {
    f.sequences.waiter->on_sequence(TooMany{3});
    CHECK(answer.status_code == 429);
    CHECK(answer.header("Retry-After") == "3");
    CHECK(answer.header("Cache-Control") == "no-store");
    CHECK(answer.header("Access-Control-Allow-Origin") == "*");
    CHECK(answer.header("Access-Control-Expose-Headers") == "Retry-After");
  }
}

TEST_CASE("clients are told apart by their address, not behind a unix socket") {
  Fixture f;
  http::ConnectionInfo connection;
  f.request.connection = &connection;
  connection.client_address = "192.0.2.7";
  f.get("/api/get_oeis_values/A000040/1");
  CHECK(f.sequences.client == "192.0.2.7");
  connection.client_address = "unix:";
  f.get("/api/get_oeis_values/A000040/1");
  CHECK(f.sequences.client.empty());
}

TEST_CASE("what is not complete is not kept by browsers") {
  Fixture f;
  SECTION("first terms") {
    f.sequences.known = primes(Source::OeisData);
    CHECK(f.get("/api/get_oeis_values/A000040/0").header("X-Sequence-Source") == "oeisdata");
    CHECK(f.writer->header("Access-Control-Expose-Headers") == "X-Sequence-Source");
  }
  SECTION("a placeholder") {
    f.sequences.known = primes(Source::BFile, false);
    CHECK(f.get("/api/get_oeis_values/A000040/0").body.find("A000040 [name not yet loaded]") !=
          std::string::npos);
  }
  CHECK(f.writer->header("Cache-Control") == "no-store");
  CHECK(f.writer->sent.etag.empty());
}

TEST_CASE("an answer that the client has is 304") {
  Fixture f;
  f.sequences.known = primes();
  const std::string etag(f.get("/api/get_oeis_values/A000040/2").sent.etag);
  REQUIRE(etag.size() > 2);
  for (const std::string& field : {etag, "W/" + etag, "\"x\", " + etag, std::string("*")}) {
    f.request.head.headers.set("If-None-Match", field);
    auto& answer = f.get("/api/get_oeis_values/A000040/2");
    CHECK(answer.status_code == 304);
    CHECK(answer.body.empty());
    CHECK(answer.sent.etag == etag);
    CHECK(answer.header("Access-Control-Allow-Origin") == "*");
  }
  f.request.head.headers.set("If-None-Match", "\"x\"");
  CHECK(f.get("/api/get_oeis_values/A000040/2").status_code == 200);
  CHECK(!matches_etag("", "\"a\""));
}

TEST_CASE("it works below any prefix") {
  Fixture f;
  f.prefix = "";
  CHECK(f.get("/get_commit").status_code == 200);
  CHECK(f.get("/").status_code == 200);
  f.prefix = "/numbers/v1";
  CHECK(f.get("/numbers/v1/get_commit").status_code == 200);
  CHECK(f.get("/numbers/v1").status_code == 200);
  CHECK(f.get("/numbers/v12/get_commit").status_code == 404);
}

}  // namespace
}  // namespace gatescope::api
