// The forms in which an answer goes out.

#include "api/answer.h"

#include <string>

#include "api/encode.h"
#include "proxy/http/encoding.h"
#include "tests/support/catch.h"

namespace gatescope::api {
namespace {

using http::Coding;

std::shared_ptr<const EncodedAnswer> counting(std::size_t terms, Source source = Source::BFile) {
  Sequence sequence{.id = SequenceId(27), .name = "The positive integers.", .source = source};
  for (std::size_t i = 0; i < terms; ++i)
    sequence.terms.add(std::to_string(i + 1));
  return encode_values(sequence);
}

std::string field(const AnswerForm& form, std::string_view name) {
  return std::string(form.head().headers.find(name).value_or(""));
}

std::string body(const AnswerForm& form) {
  return std::string(form.body().text()) + std::string(form.tail().text());
}

TEST_CASE("a form's head says what is sent") {
  const auto answer = counting(1000);
  const auto plain = answer->find_form(1000, Coding::Identity);
  REQUIRE(plain);
  CHECK(body(*plain) == answer->text());
  CHECK(plain->head().content_length == answer->text().size());
  CHECK(field(*plain, "Vary") == "Accept-Encoding");
  CHECK(field(*plain, "Content-Encoding").empty());
  CHECK(field(*plain, "Cache-Control") == "public, max-age=300");
  CHECK(field(*plain, "X-Sequence-Source") == "bfile");
  CHECK(field(*plain, "Access-Control-Expose-Headers") == "X-Sequence-Source");
  CHECK(plain->head().headers.count("Access-Control-Allow-Origin") == 1);
  CHECK(plain->head().encoding_settled);

  CHECK(!answer->find_form(1000, Coding::Brotli));  // a worker is to make it
  const auto made = answer->make_form(1000, Coding::Brotli);
  CHECK(answer->find_form(1000, Coding::Brotli) == made);
  CHECK(field(*made, "Content-Encoding") == "br");
  CHECK(field(*made, "Vary") == "Accept-Encoding");
  CHECK(made->head().content_length == made->body().size());
  CHECK(made->body().size() < plain->body().size());

  const auto gzip = answer->make_form(1000, Coding::Gzip);
  std::string_view encoded = gzip->body().text();
  std::string decoded;
  REQUIRE(http::GzipDecoder().decode(encoded, 1 << 20, decoded));
  CHECK(decoded == answer->text());
}

TEST_CASE("each encoding and each cut has a tag of its own, the same answer the same") {
  const auto answer = counting(1000);
  std::vector<std::string> tags;
  for (const auto coding : {Coding::Identity, Coding::Gzip, Coding::Brotli})
    for (const std::size_t n : {std::size_t{1000}, std::size_t{999}})
      tags.emplace_back(answer->make_form(n, coding)->head().etag);
  for (std::size_t i = 0; i < tags.size(); ++i) {
    CHECK((tags[i].size() > 2 && tags[i].front() == '"' && tags[i].back() == '"'));
    for (std::size_t k = 0; k < i; ++k)
      CHECK(tags[i] != tags[k]);
  }
  CHECK(counting(1000)->make_form(1000, Coding::Brotli)->head().etag == tags[4]);
  CHECK(counting(1001)->make_form(1000, Coding::Identity)->head().etag != tags[0]);
}

TEST_CASE("what is not complete is not kept by browsers") {
  const auto form = counting(3, Source::OeisData)->find_form(3, Coding::Identity);
  CHECK(field(*form, "Cache-Control") == "no-store");
  CHECK(field(*form, "X-Sequence-Source") == "oeisdata");
  CHECK(form->head().etag.empty());
}

TEST_CASE("small answers are compressed at once, tiny ones not at all") {
  const auto answer = counting(100'000);
  const auto small = answer->find_form(200, Coding::Gzip);
  REQUIRE(small);
  CHECK(field(*small, "Content-Encoding") == "gzip");
  const auto tiny = answer->find_form(3, Coding::Gzip);
  REQUIRE(tiny);
  CHECK(field(*tiny, "Content-Encoding").empty());
  CHECK(tiny == answer->find_form(3, Coding::Identity));
  CHECK(body(*tiny) == answer->text(3));
}

TEST_CASE("a large cut shares the text that it is cut from") {
  const auto answer = counting(100'000);
  const auto before = answer->footprint();
  const auto form = answer->find_form(90'000, Coding::Identity);
  CHECK(form->tail().text() == "}}\n");
  CHECK(body(*form) == answer->text(90'000));
  CHECK(form->head().content_length == answer->text(90'000).size());
  CHECK(answer->footprint() - before < 4096);
}

TEST_CASE("the forms of so many cuts are kept, the whole always is") {
  const auto answer = counting(5000);
  const auto whole = answer->make_form(5000, Coding::Gzip);
  const auto first = answer->find_form(10, Coding::Gzip);
  CHECK(answer->find_form(10, Coding::Gzip) == first);
  const auto few = answer->footprint();
  for (std::size_t n = 100; n < 200; ++n)
    answer->find_form(n, Coding::Gzip);
  CHECK(answer->find_form(5000, Coding::Gzip) == whole);
  CHECK(answer->find_form(10, Coding::Gzip) != first);
  CHECK(answer->footprint() < few + 64 * 1024);
}

TEST_CASE("what cannot be cut is whole, whatever COUNT says") {
  const auto answer = encode_search("x", {{SequenceId(1), "Groups."}});
  CHECK(body(*answer->find_form(0, Coding::Identity)) == answer->text());
  CHECK(body(*answer->find_form(7, Coding::Identity)) == answer->text());
  CHECK(answer->find_form(0, Coding::Identity)->head().headers.count("X-Sequence-Source") == 0);
}

}  // namespace
}  // namespace gatescope::api
