#include "static/mime.h"

#include "tests/support/catch.h"

namespace gatescope::files {
namespace {

TEST_CASE("the extension is the last segment's") {
  CHECK(extension_of("/a/index.html") == "html");
  CHECK(extension_of("/a/x.tar.gz") == "gz");
  CHECK(extension_of("/a.b/c").empty());
  CHECK(extension_of("/.htaccess").empty());
  CHECK(extension_of("/a.").empty());
  CHECK(extension_of("x.js") == "js");
  CHECK(extension_of("").empty());
}

TEST_CASE("the system's table is read, ours goes before it") {
  const auto read =
      parse_mime_types("# comment\ntext/x-a  a aa\t# b\n\ntext/x-c\r\ntext/x-D D\r\n");
  CHECK(read.size() == 3);
  CHECK(read.at("aa") == "text/x-a");
  CHECK(read.at("d") == "text/x-D");
  for (const auto* path : {"/etc/mime.types", "/nonexistent/mime.types"}) {
    INFO(path);
    const auto types = system_mime_types(path);
    CHECK(types->at("js") == "text/javascript");
    CHECK(types->at("mjs") == "text/javascript");
    CHECK(types->at("ts") == "text/plain");
    CHECK(types->at("ttf") == "font/ttf");
    CHECK(types->at("wasm") == "application/wasm");
    CHECK(types->at("webmanifest") == "application/manifest+json");
    CHECK(types->at("map") == "application/json");
    CHECK(types->at("html") == "text/html");
  }
}

TEST_CASE("types are found whatever the case, else the default") {
  const auto types = builtin_mime_types();
  CHECK(type_of(types, "/A.HTML", "x/y") == "text/html");
  CHECK(type_of(types, "/a.unknown-and-longer-than-a-small-string", "x/y") == "x/y");
  CHECK(type_of(types, "/readme", "x/y") == "x/y");
}

}  // namespace
}  // namespace gatescope::files
