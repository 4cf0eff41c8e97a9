#include "api/answer_cache.h"

#include "api/encode.h"
#include "tests/support/catch.h"

namespace gatescope::api {
namespace {

AnswerKey key_of(unsigned number) {
  return {Topic::Values, SequenceId(number), {}};
}

std::shared_ptr<const EncodedAnswer> make(unsigned number, std::size_t bytes,
                                          std::string name = "x") {
  Sequence sequence{.id = SequenceId(number), .name = std::move(name)};
  sequence.terms.add(std::string(bytes, '1'));
  return encode_values(sequence);
}

const MonoTime kNow{};

TEST_CASE("memory is bounded: the answer not used for longest goes") {
  AnswerCache cache(40'000);
  for (unsigned n = 1; n <= 4; ++n)
    cache.put(make(n, 9000), MonoTime::max());
  CHECK(cache.find(key_of(1), kNow));
  cache.put(make(5, 9000), MonoTime::max());
  CHECK(!cache.find(key_of(2), kNow));
  CHECK(cache.find(key_of(1), kNow));
  CHECK(cache.put(make(6, 20'000), MonoTime::max()));  // would push everything out
  CHECK(!cache.find(key_of(6), kNow));
  CHECK(cache.size() == 4);
  CHECK(cache.bytes() <= 40'000);
  cache.limit(25'000);
  CHECK(cache.bytes() <= 25'000);
  CHECK(cache.find(key_of(1), kNow));
  cache.limit(0);
  CHECK(cache.bytes() == 0);
  CHECK(cache.size() == 0);
}

TEST_CASE("compressed forms made later count too") {
  AnswerCache cache(100'000);
  const auto answer = make(1, 20'000);
  cache.put(answer, MonoTime::max());
  const auto before = cache.bytes();
  answer->make_form(1, http::Coding::Brotli);
  answer->make_form(1, http::Coding::Identity);
  cache.find(key_of(1), kNow);
  CHECK(cache.bytes() > before);
  CHECK(cache.bytes() == answer->footprint());
}

TEST_CASE("what is no longer good is not found, and still there when nothing else is") {
  AnswerCache cache(40'000);
  cache.put(make(1, 10), kNow + Duration(5));
  CHECK(cache.find(key_of(1), kNow));
  CHECK(!cache.find(key_of(1), kNow + Duration(5)));
  CHECK(cache.last(key_of(1)));
  cache.put(make(2, 10), MonoTime::max());
  cache.expire(key_of(2));
  CHECK(!cache.find(key_of(2), kNow));
  CHECK(cache.last(key_of(2)));
  cache.put(make(3, 10), MonoTime::max());
  cache.expire_all();
  CHECK(!cache.find(key_of(3), kNow));
  CHECK(!cache.last(key_of(4)));
}

TEST_CASE("an answer that came again unchanged keeps its forms") {
  AnswerCache cache(1'000'000);
  const auto first = make(1, 10);
  cache.put(first, MonoTime::max());
  cache.expire_all();
  CHECK(cache.put(make(1, 10), MonoTime::max()) == first);
  CHECK(cache.find(key_of(1), kNow) == first);
  const auto other = make(1, 10, "another name");
  CHECK(cache.put(other, MonoTime::max()) == other);
  CHECK(cache.size() == 1);
}

}  // namespace
}  // namespace gatescope::api
