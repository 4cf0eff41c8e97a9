#include "static/file_handler.h"

#include "static/mime.h"
#include "tests/support/catch.h"
#include "tests/unit/files/fake_world.h"

namespace gatescope::files {
namespace {

struct Root final : Surroundings {
  std::string root;
  Arena arena;
  std::string_view map_to_file(std::string_view uri) override { return arena.join({root, uri}); }
  std::string_view evaluate(const conf::Template& text) override { return text.text(); }
};

/// One location over a folder; get() asks it and leaves the answer in `writer`.
struct FileHandlerFixture {
  Folder folder;
  FakeLoop loop;
  Stats stats;
  FileCache cache{loop.fake_clock, stats, {.file_bytes = 1000}};
  FileLanes lanes;
  FileSettings settings;
  http::EncodingSettings encoding;
  std::shared_ptr<const http::MimeTypes> types =
      std::make_shared<const http::MimeTypes>(builtin_mime_types());
  bool log_not_found = true;
  Root root;
  std::unique_ptr<FakeWriter> writer;
  std::unique_ptr<http::Responder> responder;

  FileHandlerFixture() { root.root = folder.at(""); }
  FakeWriter& get(std::string_view path, std::vector<http::HeaderField> fields = {},
                  std::string_view method = "GET", std::string_view args = {}) {
    http::Request request;
    request.head.method = method;
    request.path = path;
    request.args = args;
    request.has_args = !args.empty();
    for (const auto& field : fields)
      request.head.headers.add(field.name, field.value);
    responder.reset();
    writer = std::make_unique<FakeWriter>(loop);
    writer->body_wanted = method != "HEAD";
    const FileHandler handler({settings, encoding, types, "text/plain", log_not_found}, cache,
                              lanes);
    responder = handler.serve(request, root, *writer);
    return *writer;
  }
};

TEST_CASE("a small file is answered at once") {
  FileHandlerFixture f;
  f.folder.write("/a.css", "body{}");
  f.folder.set_time("/a.css", 784111777);
  auto& w = f.get("/a.css");
  CHECK_FALSE(f.responder);
  CHECK(w.ended);
  CHECK(w.sent.status == 200);
  CHECK(w.body == "body{}");
  CHECK(w.sent.content_type == "text/css");
  CHECK(w.sent.content_length == 6u);
  CHECK(w.sent.last_modified == 784111777);
  CHECK(w.sent.etag == "\"2ebc98a1-6\"");
  CHECK(w.sent.ranges == http::ResponseHead::Ranges::Any);
  CHECK(w.sent.seekable);
  CHECK(w.lines.empty());
}

TEST_CASE("a large file gets a responder, HEAD does not") {
  FileHandlerFixture f;
  f.folder.write("/big.bin", std::string(5000, 'x'));
  CHECK(f.get("/big.bin").body.size() == 5000);
  CHECK(f.responder);
  auto& w = f.get("/big.bin", {}, "HEAD");
  CHECK_FALSE(f.responder);
  CHECK(w.ended);
  CHECK(w.sent.content_length == 5000u);
  CHECK(w.body.empty());
}

TEST_CASE("methods") {
  FileHandlerFixture f;
  f.folder.write("/a", "x");
  CHECK(f.get("/a", {}, "POST").status_code == 405);
  CHECK(f.get("/none", {}, "POST").status_code == 404);
  CHECK(f.get("/none", {}, "PUT").status_code == 405);
  CHECK(f.get("/a", {}, "DELETE").status_code == 405);
}

TEST_CASE("what is missing, forbidden or no file is said as nginx says it") {
  FileHandlerFixture f;
  auto* w = &f.get("/none");
  CHECK(w->status_code == 404);
  CHECK(w->lines == std::vector<std::string>{"error: open() \"" + f.folder.at("/none") +
                                             "\" failed (2: No such file or directory)"});
  f.log_not_found = false;
  CHECK(f.get("/none").lines.empty());
  f.log_not_found = true;
  CHECK(f.get("/" + std::string(300, 'n')).status_code == 404);
  REQUIRE(::mkfifo(f.folder.at("/fifo").c_str(), 0600) == 0);
  w = &f.get("/fifo");
  CHECK(w->status_code == 404);
  CHECK(w->lines ==
        std::vector<std::string>{"crit: \"" + f.folder.at("/fifo") + "\" is not a regular file"});
  if (::geteuid() != 0) {
    f.folder.write("/secret", "x");
    std::filesystem::permissions(f.folder.at("/secret"), std::filesystem::perms::none);
    w = &f.get("/secret");
    CHECK(w->status_code == 403);
    CHECK(w->lines.front().ends_with("failed (13: Permission denied)"));
  }
}

TEST_CASE("folders") {
  FileHandlerFixture f;
  f.folder.make("/d x");
  auto* w = &f.get("/d x", {}, "GET", "a=b");
  CHECK(w->status_code == 301);
  CHECK(w->location == "/d%20x/?a=b");
  CHECK(f.get("//d x").location == "/d%20x/");
  w = &f.get("/d x/");
  CHECK(w->status_code == 403);
  CHECK(w->lines == std::vector<std::string>{"error: directory index of \"" + f.folder.at("/d x/") +
                                             "\" is forbidden"});
  f.folder.write("/d x/index.html", "hello");
  CHECK(f.get("/d x/").redirected == "/d x/index.html");
  CHECK(f.get("/d x/", {}, "GET", "a=b").redirected == "/d x/index.html?a=b");
  CHECK(f.get("/none/").status_code == 404);
  CHECK(f.get("/d x/index.html/").status_code == 404);
  f.settings.index.set({conf::Template::literal("a.html"), conf::Template::literal("/all.html")});
  CHECK(f.get("/d x/").redirected == "/all.html");
}

TEST_CASE("dotfiles are not there") {
  FileHandlerFixture f;
  f.folder.make("/.git");
  f.folder.make("/.well-known");
  f.folder.write("/.git/config", "x");
  f.folder.write("/.well-known/a", "y");
  CHECK(f.get("/.git/config").status_code == 404);
  CHECK(f.get("/.git").status_code == 404);
  CHECK(f.get("/.git/").status_code == 404);
  CHECK(f.get("/.well-known/a").body == "y");
  f.settings.dotfiles.set(true);
  CHECK(f.get("/.git/config").body == "x");
}

TEST_CASE("compressed twins are chosen by what the client likes, then by ours") {
  FileHandlerFixture f;
  for (const auto* name : {"/a.js", "/b.js", "/c.js"})
    f.folder.write(name, "plain");
  f.folder.write("/a.js.gz", "GZ");
  f.folder.write("/a.js.br", "BROTLI");
  f.folder.write("/a.js.zst", "ZSTD");
  f.folder.write("/c.js.gz", "GZ");
  f.encoding.gzip_vary.set(true);
  struct Case {
    TwinRule gzip, brotli, zstd;
    std::string_view path, accepts, body;
    bool vary;
  };
  constexpr auto kOff = TwinRule::Off, kOn = TwinRule::On, kAlways = TwinRule::Always;
  const Case cases[] = {
      {kOff, kOff, kOff, "/a.js", "gzip, br", "plain", false},
      {kOn, kOff, kOff, "/a.js", "gzip, br", "GZ", true},
      {kOn, kOn, kOn, "/a.js", "gzip, br, zstd", "BROTLI", true},
      {kOn, kOn, kOn, "/a.js", "gzip, zstd", "ZSTD", true},
      {kOn, kOn, kOn, "/a.js", "gzip, br;q=0.9", "GZ", true},
      {kOn, kOn, kOn, "/a.js", "gzip;q=0.1, br;q=0", "GZ", true},
      {kOn, kOn, kOn, "/a.js", "*", "BROTLI", true},
      {kOn, kOn, kOn, "/a.js", "", "plain", true},
      {kOn, kOn, kOn, "/a.js", "identity, gzip;q=0.5", "plain", true},
      {kOn, kOn, kOn, "/b.js", "gzip, br, zstd", "plain", false},
      {kOn, kOn, kOn, "/c.js", "gzip, br, zstd", "GZ", true},
      {kOn, kOn, kOn, "/c.js", "br", "plain", true},
      {kAlways, kOff, kOff, "/a.js", "", "GZ", false},
  };
  for (const auto& c : cases) {
    INFO(c.path << " " << c.accepts);
    f.settings.gzip_static = conf::Inherited<TwinRule>(c.gzip);
    f.settings.brotli_static = conf::Inherited<TwinRule>(c.brotli);
    f.settings.zstd_static = conf::Inherited<TwinRule>(c.zstd);
    auto& w = f.get(c.path, {{"Accept-Encoding", c.accepts}});
    CHECK(w.body == c.body);
    CHECK(w.sent.headers.has("Vary") == c.vary);
    CHECK(w.sent.content_type == "text/javascript");
    CHECK(w.header("Content-Encoding") == (c.body == "GZ"       ? "gzip"
                                           : c.body == "BROTLI" ? "br"
                                           : c.body == "ZSTD"   ? "zstd"
                                                                : ""));
    CHECK(w.sent.etag.ends_with(c.body == "GZ"       ? "-2-gz\""
                                : c.body == "BROTLI" ? "-6-br\""
                                : c.body == "ZSTD"   ? "-4-zst\""
                                                     : "-5\""));
  }
}

TEST_CASE("gzip_static obeys gzip_http_version and gzip_proxied, etag off leaves the tag out") {
  FileHandlerFixture f;
  f.folder.write("/a.js", "plain");
  f.folder.write("/a.js.gz", "GZ");
  f.settings.gzip_static.set(TwinRule::On);
  f.settings.etag.set(false);
  const http::HeaderField takes{"Accept-Encoding", "gzip"}, via{"Via", "1.1 proxy"};
  CHECK(f.get("/a.js", {takes}).sent.etag.empty());
  CHECK(f.get("/a.js", {takes, via}).body == "plain");
  f.encoding.gzip_proxied.set({.any = true});
  CHECK(f.get("/a.js", {takes, via}).body == "GZ");
}

TEST_CASE("spa_fallback") {
  FileHandlerFixture f;
  f.settings.spa = SpaSettings{"/index.html", "/assets/"};
  f.folder.make("/assets");
  f.folder.write("/assets/a-DiwrgTda.js", "x");
  auto* w = &f.get("/gallery/1");
  CHECK(w->redirected == "/index.html");
  CHECK(w->lines.empty());
  w = &f.get("/index.html");  // missing itself: no circle
  CHECK(w->sent.status == 404);
  f.folder.write("/index.html", "app");
  CHECK(f.get("/index.html").header("Cache-Control") == "no-cache");
  CHECK(f.get("/assets/a-DiwrgTda.js").header("Cache-Control") ==
        "public, max-age=31536000, immutable");
  w = &f.get("/assets/gone-DiwrgTda.js", {{"Accept", "*/*"}});
  CHECK(w->sent.status == 404);
  CHECK(w->header("Cache-Control") == "no-store");
  CHECK(f.get("/.env").sent.status == 404);
}

}  // namespace
}  // namespace gatescope::files
