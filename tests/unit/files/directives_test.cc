#include "proxy/http/core_settings.h"
#include "proxy/http/variables.h"
#include "static/files_directives.h"
#include "static/files_settings.h"
#include "static/try_files.h"
#include "tests/support/catch.h"
#include "tests/unit/conf/map_reader.h"

namespace gatescope::files {
namespace {

const http::VariableSpec kVariables[] = {
    {.name = "uri",
     .get = [](http::Exchange&, std::string_view) -> std::optional<std::string_view> {
       return std::nullopt;
     }}};

/// One location, written as text.
struct DirectivesFixture {
  conf::Schema schema;
  http::VariableTable variables;
  conf::Scope location{nullptr, conf::Context::Location, nullptr};
  std::unique_ptr<conf::Loader> loader;
  std::unique_ptr<conf::Document> document;

  DirectivesFixture() {
    schema.add(file_directives());
    schema.add(accepted_file_directives());
    variables.add(kVariables);
    loader = std::make_unique<conf::Loader>(schema, "/prefix", "/etc");
    loader->provide(variables);
  }
  /// "" or the error.
  std::string load(const std::string& text) {
    document = std::move(*conf::parse_text(text));
    const auto loaded = loader->load(document->directives, location);
    return loaded ? "" : loaded.error().detail;
  }
  FileSettings& settings() { return location.own<FileSettings>(); }
};

TEST_CASE("types replace the table, blocks of one level add up") {
  DirectivesFixture f;
  CHECK(f.load("types { text/x-a a A2; text/x-b b; } types { text/x-c c; text/x-d a; }").empty());
  const auto& types = *f.location.own<http::CoreSettings>().types.get();
  CHECK(types.size() == 4);
  CHECK(types.at("a2") == "text/x-a");
  CHECK(types.at("a") == "text/x-d");
  REQUIRE(f.loader->warnings().size() == 1);
  CHECK(
      f.loader->warnings()[0].text ==
      "duplicate extension \"a\", content type: \"text/x-d\", previous content type: \"text/x-a\"");
  CHECK(DirectivesFixture().load("types { text/x-a; }") != "");
  CHECK(DirectivesFixture().load("types { text/x-a { } }") != "");
  DirectivesFixture empty;
  CHECK(empty.load("types { }").empty());
  CHECK(empty.location.own<http::CoreSettings>().types.get()->empty());
}

TEST_CASE("settings are what was written") {
  DirectivesFixture f;
  CHECK(f.load("index a.html $uri.html; index /b.html; etag off;"
               "disable_symlinks if_not_owner from=/srv; dotfiles on; gzip_static always;"
               "brotli_static on; open_file_cache max=100 inactive=20s; open_file_cache_valid 30s;"
               "open_file_cache_min_uses 2; open_file_cache_errors on; sendfile on; aio threads;"
               "output_buffers 2 32k; directio 4m; try_files $uri $uri/ /index.html =404;")
            .empty());
  const auto& s = f.settings();
  CHECK(s.index->size() == 3);
  CHECK_FALSE(s.etag.get());
  CHECK(s.symlinks->rule == Symlinks::RefuseForeign);
  CHECK(s.symlinks->trusted.text() == "/srv");
  CHECK(s.dotfiles.get());
  CHECK(s.gzip_static.get() == TwinRule::Always);
  const auto use = s.cache_use();
  CHECK(use.enabled);
  CHECK(use.max == 100);
  CHECK(use.inactive == Duration(20000));
  CHECK(use.valid == Duration(30000));
  CHECK(use.min_uses == 2);
  CHECK(use.errors);
  FileSettings inner;
  inner.inherit(s);
  CHECK(inner.brotli_static.get() == TwinRule::On);
  CHECK(inner.try_files == nullptr);  // nginx does not inherit it
}

TEST_CASE("mistakes are named") {
  for (const auto* text :
       {"open_file_cache inactive=5s;", "open_file_cache max=0;", "open_file_cache on;",
        "disable_symlinks from=/x;", "disable_symlinks off from=/x;", "disable_symlinks maybe;",
        "try_files $uri;", "dotfiles on; dotfiles off;", "gzip_static maybe;",
        "spa_fallback index.html;", "spa_fallback hashed=/a/;", "spa_fallback /i.html hashed=/a;",
        "try_files $uri =404; spa_fallback /i.html;",
        "spa_fallback /i.html; try_files $uri =404;"}) {
    INFO(text);
    const auto error = DirectivesFixture().load(text);
    INFO(error);
    CHECK(error.find(":1:") != std::string::npos);
  }
  DirectivesFixture f;
  CHECK(f.load("open_file_cache off; spa_fallback /index.html hashed=/assets/;").empty());
  CHECK_FALSE(f.settings().cache_use().enabled);
  CHECK(f.settings().spa->hashed == "/assets/");
}

TEST_CASE("try_files is understood as in nginx") {
  DirectivesFixture f;
  const auto read = [&](const std::string& text) {
    f.document = std::move(*conf::parse_text(text));
    return read_try_files(f.document->directives[0], f.variables);
  };
  const auto tries = read("try_files $uri $uri/ /index.html =404;");
  REQUIRE(tries);
  REQUIRE(tries->candidates.size() == 3);
  CHECK_FALSE(tries->candidates[0].folder);
  CHECK(tries->candidates[1].folder);
  CHECK(tries->candidates[1].name.text() == "$uri");
  CHECK(tries->candidates[2].name.is_literal());
  CHECK(tries->status == 404);
  CHECK(read("try_files $uri @app;")->otherwise.text() == "@app");
  CHECK(read("try_files $uri /x/;")->otherwise.text() == "/x/");
  for (const auto* text : {"try_files $uri =;", "try_files $uri =abc;", "try_files $uri =1000;"})
    CHECK_FALSE(read(text));
}

TEST_CASE("where a candidate lies") {
  const auto place = [](std::string_view root, std::string_view name, std::size_t alias,
                        bool verbatim) {
    const auto placed = place_candidate(root, name, "/files/x", alias, verbatim);
    return placed.file + " " + placed.uri;
  };
  CHECK(place("/srv", "/files/x", 0, false) == "/srv/files/x /files/x");
  CHECK(place("/srv", "/index.html", 0, true) == "/srv/index.html /index.html");
  // location /files/ { alias /data/; }
  CHECK(place("/data/", "/files/x", 7, false) == "/data/x /files/x");
  CHECK(place("/data/", "other", 7, true) == "/data/other /files/other");
  CHECK(place("/data/", "/files/x", 7, true) == "/data//files/x /files//files/x");
}

}  // namespace
}  // namespace gatescope::files
