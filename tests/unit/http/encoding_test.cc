#include "proxy/http/encoding.h"

#include <brotli/decode.h>

#include "proxy/http/body_filters.h"
#include "tests/support/catch.h"

namespace gatescope::http {
namespace {

std::string gunzip(std::string_view encoded, std::size_t room = 1u << 20) {
  GzipDecoder decoder;
  std::string plain;
  for (std::string_view rest = encoded; !rest.empty();) {
    const auto decoded = decoder.decode(rest, room, plain);
    if (!decoded) return "error: " + decoded.error().detail;
  }
  for (std::size_t before = plain.size() + 1; before != plain.size();) {
    before = plain.size();
    std::string_view nothing;
    if (!decoder.decode(nothing, room, plain)) return "error";
  }
  return decoder.complete() ? plain : plain + " (cut)";
}

std::string unbrotli(std::string_view encoded) {
  std::string plain(1u << 20, ' ');
  std::size_t size = plain.size();
  if (::BrotliDecoderDecompress(
          encoded.size(), reinterpret_cast<const std::uint8_t*>(encoded.data()), &size,
          reinterpret_cast<std::uint8_t*>(plain.data())) != BROTLI_DECODER_RESULT_SUCCESS)
    return "error";
  plain.resize(size);
  return plain;
}

/// What can be decoded of a brotli stream that is not at its end.
std::string unbrotli_so_far(std::string_view encoded) {
  auto* state = ::BrotliDecoderCreateInstance(nullptr, nullptr, nullptr);
  std::string plain(1u << 20, ' ');
  std::size_t in = encoded.size(), out = plain.size();
  const auto* from = reinterpret_cast<const std::uint8_t*>(encoded.data());
  auto* to = reinterpret_cast<std::uint8_t*>(plain.data());
  ::BrotliDecoderDecompressStream(state, &in, &from, &out, &to, nullptr);
  plain.resize(plain.size() - out);
  ::BrotliDecoderDestroyInstance(state);
  return plain;
}

std::string sample() {
  std::string text;
  for (int i = 0; i < 400; ++i)
    text += "line " + std::to_string(i * i % 97) + " of the sample\n";
  return text;
}

TEST_CASE("what is encoded is decoded, whole or byte by byte") {
  for (const auto coding : {Coding::Gzip, Coding::Brotli})
    for (const std::string& text : {std::string(), std::string("x"), sample()})
      for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{100000}}) {
        INFO(name_of(coding) << " " << text.size() << " in pieces of " << piece);
        auto encoder = make_encoder({.coding = coding, .level = 5});
        REQUIRE(encoder);
        ByteQueue out;
        for (std::size_t at = 0; at < text.size(); at += piece)
          REQUIRE((*encoder)->write(std::string_view(text).substr(at, piece), out));
        REQUIRE((*encoder)->finish(out));
        const auto encoded = out.to_string();
        CHECK((coding == Coding::Gzip ? gunzip(encoded) : unbrotli(encoded)) == text);
        if (text.size() > 100) CHECK(encoded.size() < text.size() / 2);
        const auto whole = encode_whole({.coding = coding, .level = 5}, text);
        REQUIRE(whole);
        CHECK((coding == Coding::Gzip ? gunzip(*whole) : unbrotli(*whole)) == text);
      }
}

TEST_CASE("after a flush everything so far can be decoded, and a second one adds nothing") {
  for (const auto coding : {Coding::Gzip, Coding::Brotli}) {
    auto encoder = make_encoder({.coding = coding, .level = 5});
    ByteQueue out;
    REQUIRE((*encoder)->flush(out));
    REQUIRE((*encoder)->write("data: 1\n\n", out));
    REQUIRE((*encoder)->flush(out));
    const auto first = out.to_string();
    CHECK((coding == Coding::Gzip ? gunzip(first) : unbrotli_so_far(first) + " (cut)") ==
          "data: 1\n\n (cut)");
    REQUIRE((*encoder)->flush(out));
    CHECK(out.size() == first.size());
    REQUIRE((*encoder)->write("data: 2\n\n", out));
    REQUIRE((*encoder)->finish(out));
    const auto all = out.to_string();
    CHECK((coding == Coding::Gzip ? gunzip(all) : unbrotli(all)) == "data: 1\n\ndata: 2\n\n");
  }
}

TEST_CASE("gunzip: members, cuts, nonsense, and a bomb in steps") {
  const auto one = encode_whole({.coding = Coding::Gzip}, "one").value();
  const auto two = encode_whole({.coding = Coding::Gzip}, sample()).value();
  CHECK(gunzip(one + two) == "one" + sample());
  for (const std::size_t room : {1u, 3u, 100u})
    CHECK(gunzip(one + two, room) == "one" + sample());
  CHECK(gunzip(two.substr(0, two.size() - 3)).ends_with("(cut)"));
  CHECK(gunzip("this is plain text").starts_with("error: "));
  auto broken = two;
  broken[broken.size() - 5] = static_cast<char>(broken[broken.size() - 5] ^ 1);
  CHECK(gunzip(broken).starts_with("error: "));

  const auto bomb = encode_whole({.coding = Coding::Gzip, .level = 9}, std::string(5u << 20, 'x'));
  GzipDecoder decoder;
  std::string_view rest = *bomb;
  std::string plain;
  REQUIRE(decoder.decode(rest, 1000, plain));
  CHECK(plain.size() == 1000);
}

struct Sink final : BodySink {
  std::string text;
  std::size_t room = ~std::size_t{0};  // says Wait when so much is there
  Flow on_filtered(SharedBytes bytes) override {
    text += bytes.text();
    return text.size() >= room ? Flow::Wait : Flow::GoOn;
  }
};

/// Sends each byte twice, and has a tail.
struct Doubler final : BodyFilter {
  std::string tail;
  explicit Doubler(std::string tail) : tail(std::move(tail)) {}
  Result<void> pass(SharedBytes bytes, ByteQueue& out) override {
    for (const char c : bytes.text())
      out.append_copy(std::string(2, c));
    return {};
  }
  Result<void> finish(ByteQueue& out) override {
    out.append_copy(tail);
    return {};
  }
};

/// Gives what it was passed one byte at a time.
struct Dripper final : BodyFilter {
  std::string held;
  Result<void> pass(SharedBytes bytes, ByteQueue& out) override {
    held += bytes.text();
    return advance(out);
  }
  Result<void> advance(ByteQueue& out) override {
    out.append_copy(held.substr(0, 1));
    held.erase(0, 1);
    return {};
  }
  bool backlog() const override { return !held.empty(); }
  Result<void> finish(ByteQueue& out) override {
    out.append_copy("!");
    return {};
  }
};

TEST_CASE("filters stand one behind the other") {
  Sink sink;
  BodyFilters filters(sink);
  filters.add(std::make_unique<Doubler>("-"));
  filters.add(std::make_unique<Doubler>("."));
  CHECK(filters.pass(SharedBytes::copy_of("ab")).value() == Flow::GoOn);
  CHECK(sink.text == "aaaabbbb");
  CHECK(filters.finish().value() == Flow::GoOn);
  CHECK(sink.text == "aaaabbbb--.");
}

TEST_CASE("a filter with a backlog waits for the client, and so does the end") {
  Sink sink;
  sink.room = 2;
  BodyFilters filters(sink);
  filters.add(std::make_unique<Dripper>());
  filters.add(std::make_unique<Doubler>("."));
  CHECK(filters.pass(SharedBytes::copy_of("abc")).value() == Flow::Wait);
  CHECK(sink.text == "aa");
  sink.room = 4;
  CHECK(filters.advance().value() == Flow::Wait);
  CHECK(sink.text == "aabb");
  sink.room = 6;
  CHECK(filters.finish().value() == Flow::GoOn);
  CHECK(sink.text == "aabbcc!!.");
  Sink full;
  full.room = 1;
  BodyFilters waiting(full);
  waiting.add(std::make_unique<Dripper>());
  CHECK(waiting.pass(SharedBytes::copy_of("xyz")).value() == Flow::Wait);
  CHECK(waiting.finish().value() == Flow::Wait);
  CHECK(full.text == "xy");
  CHECK(waiting.finish().value() == Flow::GoOn);
  CHECK(full.text == "xyz!");
}

}  // namespace
}  // namespace gatescope::http
