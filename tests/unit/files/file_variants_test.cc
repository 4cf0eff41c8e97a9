// Compressed forms of cached files: made once, with tags, ranges and conditions of their own.

#include "static/file_variants.h"

#include "proxy/http/http1_writer.h"
#include "static/file_cache.h"
#include "static/file_handler.h"
#include "static/mime.h"
#include "tests/support/catch.h"
#include "tests/unit/files/fake_world.h"

namespace gatescope::files {
namespace {

std::string gunzip(std::string_view encoded) {
  http::GzipDecoder decoder;
  std::string plain;
  return decoder.decode(encoded, 1u << 24, plain) ? plain : "error";
}

struct VariantsRoot final : Surroundings {
  std::string root;
  Arena arena;
  std::string_view map_to_file(std::string_view uri) override { return arena.join({root, uri}); }
  std::string_view evaluate(const conf::Template& text) override { return text.text(); }
};

struct FileVariantsFixture {
  Folder folder;
  FakeLoop loop;
  Stats stats;
  FileCache cache{loop.fake_clock, stats, {.bytes = 1u << 20, .shards = 1}};
  FileLanes lanes;
  std::shared_ptr<FakeLane> lane = std::make_shared<FakeLane>();
  FileSettings settings;
  http::EncodingSettings encoding;
  std::shared_ptr<const http::MimeTypes> types =
      std::make_shared<const http::MimeTypes>(builtin_mime_types());
  VariantsRoot root;
  std::unique_ptr<FakeWriter> writer;
  std::unique_ptr<http::Responder> responder;

  FileVariantsFixture() {
    root.root = folder.at("");
    lanes.add(loop, lane);
    encoding.gzip.set(true);
    encoding.gzip_vary.set(true);
  }
  FakeWriter& get(std::string_view path, std::string_view accepts = "gzip") {
    http::Request request;
    request.head.method = "GET";
    request.path = path;
    request.head.headers.add("Accept-Encoding", accepts);
    responder.reset();
    writer = std::make_unique<FakeWriter>(loop);
    const FileHandler handler({settings, encoding, types, "text/plain"}, cache, lanes);
    responder = handler.serve(request, root, *writer);
    return *writer;
  }
};

TEST_CASE("a small file's compressed form is made at once and kept") {
  FileVariantsFixture f;
  const std::string text(2000, 'x');
  f.folder.write("/a.html", text);
  const auto plain_bytes = [&] {
    f.get("/a.html", "");
    return f.cache.bytes();
  }();
  auto& w = f.get("/a.html");
  CHECK(w.ended);
  CHECK(gunzip(w.body) == text);
  CHECK(w.header("Content-Encoding") == "gzip");
  CHECK(w.header("Vary") == "Accept-Encoding");
  CHECK(w.sent.content_length == w.body.size());
  CHECK(w.sent.encoding_settled);
  CHECK(w.sent.ranges == http::ResponseHead::Ranges::Any);
  CHECK(f.cache.bytes() == plain_bytes + w.body.size());
  const std::string tag(w.sent.etag), body = w.body;
  auto& again = f.get("/a.html");
  CHECK(again.body == body);
  CHECK(again.sent.etag == tag);
  CHECK(f.cache.bytes() == plain_bytes + body.size());
  auto& plain = f.get("/a.html", "br");
  CHECK(plain.body == text);
  CHECK(plain.header("Vary") == "Accept-Encoding");
  CHECK(plain.sent.etag != tag);
  f.encoding.brotli.set(true);
  auto& brotli = f.get("/a.html", "gzip, br");
  CHECK(brotli.header("Content-Encoding") == "br");
  CHECK(brotli.sent.etag != tag);
}

TEST_CASE("a larger one is made on the lane, once, who comes meanwhile gets the plain file") {
  FileVariantsFixture f;
  const std::string text(100'000, 'x');
  f.folder.write("/a.html", text);
  auto& first = f.get("/a.html");
  const auto first_writer = std::move(f.writer);
  auto first_responder = std::move(f.responder);
  REQUIRE(first_responder);
  CHECK_FALSE(first.ended);
  CHECK(f.get("/a.html").body == text);
  SECTION("made") {
    f.lane->run();
    CHECK(first.ended);
    CHECK(gunzip(first.body) == text);
    CHECK(gunzip(f.get("/a.html").body) == text);
    CHECK_FALSE(f.responder);
  }
  SECTION("the first has left, its work goes on") {
    first_responder.reset();
    f.lane->run();
    CHECK_FALSE(first.ended);
    CHECK(gunzip(f.get("/a.html").body) == text);
  }
}

TEST_CASE("a busy lane, and work that was dropped before it began") {
  FileVariantsFixture f;
  const std::string text(100'000, 'x');
  f.folder.write("/a.html", text);
  f.lane->full = true;
  CHECK(f.get("/a.html").body == text);
  f.lane->full = false;
  f.get("/a.html");
  REQUIRE(f.responder);  // the next one tries again
  f.lane->drop();
  f.get("/a.html");
  REQUIRE(f.responder);
  f.lane->run();
  CHECK(gunzip(f.writer->body) == text);
}

TEST_CASE(
    "what would be no smaller stays plain, types, lengths and proxies decide as in the filter") {
  FileVariantsFixture f;
  f.folder.write("/random.html", "q8Zr1xKp0vLw7dTn3sYb5");
  f.folder.write("/a.js", std::string(2000, 'x'));
  f.folder.write("/short.html", "short");
  CHECK(f.get("/random.html").body == "q8Zr1xKp0vLw7dTn3sYb5");
  CHECK(f.writer->header("Vary") == "Accept-Encoding");
  CHECK(f.get("/a.js").body == std::string(2000, 'x'));
  CHECK(f.writer->header("Vary").empty());
  CHECK(f.get("/short.html").body == "short");
}

TEST_CASE("the cache keeps its bound with compressed forms in it") {
  FileVariantsFixture f;
  FileCache small(f.loop.fake_clock, f.stats, {.bytes = 6000, .shards = 1});
  std::string text;  // compresses to about half
  for (unsigned i = 0; i < 4000; ++i)
    text += static_cast<char>('a' + (i * i * 7 + i / 3) % 16);
  f.folder.write("/a.html", text);
  const auto found = small.open(f.folder.at("/a.html"), {}, {}, f.loop.clock().now());
  REQUIRE(found.file);
  CHECK(small.entries() == 1);
  const http::EncoderOptions options{.coding = http::Coding::Gzip};
  REQUIRE(found.file->variants.begin(options));
  found.file->variants.finish(options, make_variant(*found.file, options));
  small.grew(f.folder.at("/a.html"), found.file);
  CHECK(small.bytes() <= 6000);
}

TEST_CASE("a head made once is written as a head made anew, but for the order of fields") {
  FileVariantsFixture f;
  f.folder.write("/a.html", std::string(2000, 'x'));
  auto head = f.get("/a.html").sent;
  REQUIRE(head.prebuilt);
  const http::ResponseFraming framing{.keep_alive = true, .server = "s", .date = "d"};
  const auto fields_of = [&](const http::ResponseHead& h) {
    std::string text;
    http::write_head(text, h, framing);
    REQUIRE(text.ends_with("\r\n\r\n"));
    auto lines = split(text, '\n');
    std::sort(lines.begin(), lines.end());
    std::string sorted;
    for (const auto line : lines)
      sorted += std::string(line) + "\n";
    return sorted;
  };
  const auto same = [&](http::ResponseHead h) {
    const auto with = fields_of(h);
    h.prebuilt = nullptr;
    return with == fields_of(h);
  };
  CHECK(head.prebuilt->describes(head));
  CHECK(same(head));
  CHECK(f.get("/a.html").sent.prebuilt == head.prebuilt);
  head.headers.add("X-Added", "1");
  CHECK(head.prebuilt->describes(head));
  CHECK(same(head));
  const std::pair<const char*, void (*)(http::ResponseHead&)> changes[] = {
      {"status", [](auto& h) { h.status = 206; }},
      {"length", [](auto& h) { h.content_length = 5; }},
      {"no length", [](auto& h) { h.content_length.reset(); }},
      {"type", [](auto& h) { h.content_type = "text/html; charset=utf-8"; }},
      {"time", [](auto& h) { h.last_modified.reset(); }},
      {"tag", [](auto& h) { h.etag = "W/\"x\""; }},
      {"field removed", [](auto& h) { h.headers.remove("Content-Encoding"); }},
      {"field set", [](auto& h) { h.headers.set("Vary", "*"); }},
  };
  for (const auto& [what, change] : changes) {
    INFO(what);
    auto changed = head;
    change(changed);
    CHECK_FALSE(changed.prebuilt->describes(changed));
    CHECK(same(changed));
  }
}

}  // namespace
}  // namespace gatescope::files
