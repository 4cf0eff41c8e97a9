// /api/openapi.json says what the handler does: endpoints, parameters, statuses, shapes.

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "api/api_handler.h"
#include "api/encode.h"
#include "proxy/http/target.h"
#include "tests/support/catch.h"
#include "tests/support/sim_loop.h"
#include "tests/unit/api/api_fixture.h"

namespace gatescope::api {
namespace {

using Json = nlohmann::json;

std::shared_ptr<const EncodedAnswer> sample_of(const Question& question) {
  Sequence sequence{.id = SequenceId(40), .name = "The prime numbers.", .shift = 1};
  sequence.terms.add("2");
  switch (question.key.topic) {
    case Topic::Values:
      return encode_values(sequence);
    case Topic::Metadata:
      return encode_metadata(SequenceId(40), {.name = "x", .backrefs = {SequenceId(1)}}, true);
    case Topic::Factors:
      return encode_factors(std::make_shared<const Sequence>(sequence), {});
    case Topic::Search:
      break;
  }
  return encode_search(question.key.term, {{SequenceId(40), "The prime numbers."}});
}

struct Described : SequencesByLoop, Sequences {
  std::optional<Answer> instead;
  test::SimWorld world{1};
  test::SimLoop loop{world};
  Arena arena;
  std::unique_ptr<RecordingWriter> writer;

  Sequences& on(net::Loop&) override { return *this; }
  std::optional<Answer> find(const Question& question) override {
    if (instead) return instead;
    const auto answer = sample_of(question);
    return answer->find_form(question.count.of(answer->entries()), http::Coding::Identity);
  }
  std::unique_ptr<Request> ask(const Question&, const std::string&, AnswerWaiter&) override {
    throw std::logic_error("everything is known here");
  }
  RecordingWriter& get(const std::string& target) {
    const ApiHandler handler(*this, "/api", "827e052");
    const auto routed = http::normalise_target(target, true, arena);
    REQUIRE(routed);
    http::Request request;
    request.head.method = "GET";
    request.original_uri = routed->original;
    request.path = routed->path;
    writer = std::make_unique<RecordingWriter>(&loop);
    handler.start(request, *writer);
    return *writer;
  }
};

/// As much of JSON Schema as the description uses.
bool valid(const Json& root, const Json& schema, const Json& value) {
  if (schema.contains("$ref")) {
    const auto pointer = schema["$ref"].get<std::string>().substr(1);
    return valid(root, root[Json::json_pointer(pointer)], value);
  }
  const std::string type = schema.value("type", "");
  if (type == "string") return value.is_string();
  if (type == "array") {
    if (!value.is_array() || value.size() > schema.value("maxItems", std::size_t{1} << 30) ||
        value.size() < schema.value("minItems", std::size_t{0}))
      return false;
    for (const auto& item : value)
      if (!valid(root, schema["items"], item)) return false;
    return true;
  }
  if (type != "object" || !value.is_object()) return false;
  for (const auto& name : schema.value("required", Json::array()))
    if (!value.contains(name.get<std::string>())) return false;
  for (const auto& [name, item] : value.items()) {
    const auto known = schema.contains("properties") && schema["properties"].contains(name);
    const Json more = schema.value("additionalProperties", Json(true));
    if (known ? !valid(root, schema["properties"][name], item)
              : more == false || (more.is_object() && !valid(root, more, item)))
      return false;
  }
  return true;
}

TEST_CASE("the description names every endpoint, its parameters, statuses and shapes") {
  Described f;
  const auto root = Json::parse(f.get("/api/openapi.json").body);
  CHECK(root["openapi"].get<std::string>().starts_with("3."));
  CHECK(root["servers"][0]["url"] == "/api/");
  CHECK(root["paths"].size() == 6);
  for (const auto& [path, item] : root["paths"].items()) {
    INFO(path);
    const auto& get = item["get"];
    const auto with = [&](const std::string& id, const std::string& count) {
      std::string target = "/api" + path;
      for (const auto& [from, to] : {std::pair<std::string, std::string>{"{id}", id},
                                     {"{count}", count},
                                     {"{term}", "prime"}})
        if (const auto at = target.find(from); at != std::string::npos)
          target.replace(at, from.size(), to);
      CHECK(target.find('{') == std::string::npos);
      return target;
    };
    std::size_t parameters = 0;
    for (const auto& given : get.value("parameters", Json::array())) {
      const Json parameter =
          given.contains("$ref")
              ? root[Json::json_pointer(given["$ref"].get<std::string>().substr(1))]
              : given;
      CHECK(path.find("{" + parameter["name"].get<std::string>() + "}") != std::string::npos);
      ++parameters;
    }
    CHECK(parameters == static_cast<std::size_t>(std::count(path.begin(), path.end(), '{')));

    f.instead.reset();
    auto& good = f.get(with("A000040", "5"));
    CHECK(good.status_code == 200);
    Json answer = get["responses"]["200"];
    if (answer.contains("$ref"))
      answer = root[Json::json_pointer(answer["$ref"].get<std::string>().substr(1))];
    CHECK(valid(root, answer["content"]["application/json"]["schema"], Json::parse(good.body)));
    if (!good.header("X-Sequence-Source").empty())
      CHECK(answer["headers"].contains("X-Sequence-Source"));

    const bool has_count = path.find("{count}") != std::string::npos;
    const bool has_id = path.find("{id}") != std::string::npos;
    const bool asks = path != "/get_commit";
    CHECK(answer["content"].contains("text/plain") == has_id);  // "Error: ..."
    if (has_count) CHECK(f.get(with("A000040", "x")).status_code == 400);
    CHECK(get["responses"].contains("400") == (has_count || path.find("{term}") != path.npos));
    f.instead = Answer(Unavailable{"down"});
    CHECK(f.get(with("A000040", "5")).status_code == (asks ? 503 : 200));
    CHECK(get["responses"].contains("503") == asks);
    CHECK(get["responses"].contains("429") == has_id);
    CHECK(get["responses"].contains("304"));
  }
}

}  // namespace
}  // namespace gatescope::api
