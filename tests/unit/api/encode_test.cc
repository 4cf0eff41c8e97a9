#include "api/encode.h"

#include <nlohmann/json.hpp>
#include <string>

#include "tests/support/catch.h"

namespace gatescope::api {
namespace {

Sequence sample(std::int64_t shift, std::initializer_list<const char*> terms) {
  Sequence sequence{.id = SequenceId(40), .name = "The prime numbers.", .shift = shift};
  for (const char* term : terms)
    sequence.terms.add(term);
  return sequence;
}

Terms list(std::initializer_list<const char*> texts) {
  Terms terms;
  for (const char* text : texts)
    terms.add(text);
  return terms;
}

std::string cut(const EncodedAnswer& answer, std::string_view count) {
  return answer.text(Count::parse(count)->of(answer.entries()));
}

TEST_CASE("values, whole and cut") {
  const auto answer = encode_values(sample(1, {"2", "3", "5"}));
  const std::string all =
      R"({"id":"A000040","name":"The prime numbers.","values":{"1":"2","2":"3","3":"5"}})"
      "\n";
  CHECK(answer->text() == all);
  CHECK(cut(*answer, "99") == all);
  CHECK(cut(*answer, "2") ==
        R"({"id":"A000040","name":"The prime numbers.","values":{"1":"2","2":"3"}})"
        "\n");
  CHECK(cut(*answer, "-3") == R"({"id":"A000040","name":"The prime numbers.","values":{}})"
                              "\n");
  CHECK(answer->complete(3));
  CHECK(answer->entries() == 3);
}

TEST_CASE("index keys come in numerical order, negative ones too") {
  CHECK(encode_values(sample(-2, {"a", "b", "c", "d"}))
            ->text()
            .find(R"({"-2":"a","-1":"b","0":"c","1":"d"})") != std::string::npos);
  CHECK(encode_values(sample(9, {"1", "2"}))->text().find(R"({"9":"1","10":"2"})") !=
        std::string::npos);
}

TEST_CASE("100,000 terms, and terms of thousands of digits, pass verbatim") {
  Sequence sequence{.id = SequenceId(45), .shift = -5000};
  for (int i = 0; i < 100'000; ++i)
    sequence.terms.add(std::string(static_cast<std::size_t>(i % 50 + 1), '8'));
  const std::string large = "-" + std::string(9999, '7');
  sequence.terms.add(large);
  sequence.terms.add("quo\"te");  // a row of the old service may hold it
  const auto answer = encode_values(sequence);
  const auto parsed = nlohmann::json::parse(answer->text());
  CHECK(parsed["values"].size() == 100'002);
  CHECK(parsed["values"]["-4998"] == "888");
  CHECK(parsed["values"]["95000"] == large);
  CHECK(parsed["values"]["95001"] == "quo\"te");
  CHECK(parsed["name"] == "A000045 [name not yet loaded]");
  CHECK(!answer->final());
  CHECK(answer->footprint() > answer->text().size());
}

TEST_CASE("factors, whole and cut: the name stands behind them") {
  const auto sequence = std::make_shared<const Sequence>(sample(0, {"0", "1", "12"}));
  const auto answer = encode_factors(sequence, list({"[0, 1]", "[]", "[2,2;3,1]"}));
  CHECK(answer->text() == R"({"factors":{"0":"[0, 1]","1":"[]","2":"[2,2;3,1]"},"id":"A000040",)"
                          R"("name":"The prime numbers."})"
                          "\n");
  CHECK(cut(*answer, "1") ==
        R"({"factors":{"0":"[0, 1]"},"id":"A000040","name":"The prime numbers."})"
        "\n");
  CHECK(cut(*answer, "-9") == R"({"factors":{},"id":"A000040","name":"The prime numbers."})"
                              "\n");
  CHECK(answer->complete(3));
  CHECK(!answer->sequence());  // nothing of it will be made anew
}

TEST_CASE("factors that are not known yet: what stands before them is complete") {
  const auto sequence = std::make_shared<const Sequence>(sample(1, {"2", "3", "5", "7"}));
  const auto answer = encode_factors(sequence, list({"[2,1]", "[3,1]", "no_fac_yet"}));
  CHECK(answer->known() == 2);
  CHECK(answer->complete(2));
  CHECK(!answer->complete(3));
  CHECK(answer->sequence() == sequence);
  CHECK(answer->text().find(R"("3":"no_fac_yet","4":"no_fac_yet"})") != std::string::npos);
  CHECK(answer->answers({.key = answer->key(), .count = *Count::parse("2")}));
  CHECK(!answer->answers({.key = answer->key(), .count = *Count::parse("3")}));
}

TEST_CASE("metadata: complete with its real name and all references") {
  Metadata metadata{.name = "The prime numbers.",
                    .xrefs = "Cf. A000720.\nErd\xC5\x91s",
                    .backrefs = {SequenceId(10), SequenceId(720)}};
  const auto answer = encode_metadata(SequenceId(40), metadata, true);
  CHECK(answer->text() ==
        R"({"backrefs":["A000010","A000720"],"id":"A000040","name":"The prime numbers.",)"
        R"("xrefs":"Cf. A000720.\nErd\u0151s"})"
        "\n");
  CHECK(answer->complete(0));
  CHECK(!encode_metadata(SequenceId(40), metadata, false)->complete(0));
  const auto nothing = encode_metadata(SequenceId(40), {}, true);
  CHECK(nothing->text() ==
        R"({"backrefs":[],"id":"A000040","name":"A000040 [name not yet loaded]","xrefs":""})"
        "\n");
  CHECK(!nothing->complete(0));
}

TEST_CASE("a search's answer") {
  CHECK(encode_search("prime \"x\"/\xF0\x9D\x94\xB8",
                      {{SequenceId(40), "The prime numbers."}, {SequenceId(1), "Groups."}})
            ->text() == R"({"results":[["A000040","The prime numbers."],["A000001","Groups."]],)"
                        R"("term":"prime \"x\"/\ud835\udd38"})"
                        "\n");
  CHECK(encode_search("nothing", {})->text() == R"({"results":[],"term":"nothing"})"
                                                "\n");
}

}  // namespace
}  // namespace gatescope::api
