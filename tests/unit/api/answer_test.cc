#include "api/answer.h"

#include <nlohmann/json.hpp>
#include <string>

#include "tests/support/catch.h"

using namespace gatescope::api;

namespace {

std::string json(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

Sequence sample(std::int64_t shift, std::initializer_list<const char*> terms) {
  Sequence sequence{.id = SequenceId(40), .name = "The prime numbers.", .shift = shift};
  for (const char* term : terms)
    sequence.terms.add(term);
  return sequence;
}

std::string text_of(const EncodedSequence& encoded, Count count = Count::all()) {
  return std::string(encoded.body(count).text()) + std::string(EncodedSequence::kTail);
}

}  // namespace

TEST_CASE("text is escaped as Python's json.dumps escapes it") {
  CHECK(json("plain ~ text/") == R"("plain ~ text/")");
  CHECK(json("\"\\\b\f\n\r\t") == R"("\"\\\b\f\n\r\t")");
  CHECK(json(std::string("\0\x01\x1f\x7f", 4)) == R"("\u0000\u0001\u001f\u007f")");
  CHECK(json("Erd\xC5\x91s") == R"("Erd\u0151s")");
  CHECK(json("\xE2\x88\x9E\xEF\xBF\xBF") == R"("\u221e\uffff")");
  CHECK(json("\xF0\x9D\x94\xB8 \xF4\x8F\xBF\xBF") == R"("\ud835\udd38 \udbff\udfff")");
  // Not UTF-8: stray, cut, overlong, a surrogate, above U+10FFFF
  CHECK(json("a\xFFz\xE2\x88") == R"("a\ufffdz\ufffd\ufffd")");
  CHECK(json("\xC0\xAF") == R"("\ufffd\ufffd")");
  CHECK(json("\xED\xA0\x80") == R"("\ufffd\ufffd\ufffd")");
  CHECK(json("\xF4\x90\x80\x80") == R"("\ufffd\ufffd\ufffd\ufffd")");
}

TEST_CASE("the answer about a sequence, whole and cut") {
  const auto encoded = EncodedSequence::encode(sample(1, {"2", "3", "5"}));
  const std::string all =
      R"({"id":"A000040","name":"The prime numbers.","values":{"1":"2","2":"3","3":"5"}})"
      "\n";
  CHECK(text_of(*encoded) == all);
  CHECK(text_of(*encoded, *Count::parse("99")) == all);
  CHECK(text_of(*encoded, *Count::parse("2")) ==
        R"({"id":"A000040","name":"The prime numbers.","values":{"1":"2","2":"3"}})"
        "\n");
  CHECK(text_of(*encoded, *Count::parse("-3")) ==
        R"({"id":"A000040","name":"The prime numbers.","values":{}})"
        "\n");
  CHECK(encoded->complete());
  CHECK(encoded->terms() == 3);
}

TEST_CASE("index keys come in numerical order, negative ones too") {
  CHECK(text_of(*EncodedSequence::encode(sample(-2, {"a", "b", "c", "d"})))
            .find(R"({"-2":"a","-1":"b","0":"c","1":"d"})") != std::string::npos);
  CHECK(text_of(*EncodedSequence::encode(sample(9, {"1", "2"}))).find(R"({"9":"1","10":"2"})") !=
        std::string::npos);
}

TEST_CASE("an answer is JSON that holds every term") {
  Sequence sequence{.id = SequenceId(45), .shift = -5000};
  for (int i = 0; i < 10'000; ++i)
    sequence.terms.add(std::string(static_cast<std::size_t>(i % 50 + 1), '8'));
  sequence.terms.add("quo\"te");  // a row of the old service may hold it
  const auto encoded = EncodedSequence::encode(sequence);
  const auto parsed = nlohmann::json::parse(text_of(*encoded));
  CHECK(parsed["values"].size() == 10'001);
  CHECK(parsed["values"]["-4998"] == "888");
  CHECK(parsed["values"]["5000"] == "quo\"te");
  CHECK(parsed["name"] == "A000045 [name not yet loaded]");
  CHECK(!encoded->complete());
  CHECK(encoded->footprint() > text_of(*encoded).size());
}

TEST_CASE("entity tags tell answers apart") {
  const auto one = EncodedSequence::encode(sample(1, {"2", "3"}));
  const auto two = EncodedSequence::encode(sample(1, {"2", "4"}));
  const auto again = EncodedSequence::encode(sample(1, {"2", "3"}));
  CHECK(one->etag(Count::all()) != two->etag(Count::all()));
  CHECK(one->etag(Count::all()) == again->etag(Count::all()));
  CHECK(one->etag(Count::all()) == one->etag(*Count::parse("2")));
  CHECK(one->etag(Count::all()) != one->etag(*Count::parse("1")));
}
