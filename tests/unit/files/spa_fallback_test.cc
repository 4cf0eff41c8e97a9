#include "static/spa_fallback.h"

#include "proxy/http/content_hash.h"
#include "static/hidden.h"
#include "tests/support/catch.h"

namespace gatescope::files {
namespace {

http::Request with(std::string_view name, std::string_view value) {
  http::Request request;
  request.head.method = "GET";
  request.head.headers.add(name, value);
  return request;
}

TEST_CASE("dotfiles") {
  for (const auto* hidden :
       {"/.git/config", "/.env", "/a/.b/c", "/a/.b", "/...", "/.well-knownx", "/x/.well-known/a"})
    CHECK(is_hidden(hidden));
  for (const auto* seen : {"/", "/a.b", "/a/b.c/", "/.well-known/acme-challenge/x", "/.well-known"})
    CHECK_FALSE(is_hidden(seen));
}

TEST_CASE("spa_fallback: pages and assets") {
  const SpaSettings spa{"/index.html", "/assets/"};
  const auto navigates = [&](std::string_view path, std::string_view name = "Accept",
                             std::string_view value = "*/*") {
    auto request = with(name, value);
    request.path = path;
    return is_navigation(spa, request);
  };
  CHECK(navigates("/gallery/featured"));
  CHECK(navigates("/A000045"));
  CHECK_FALSE(navigates("/logo.png"));
  CHECK_FALSE(navigates("/app.js"));
  CHECK(navigates("/spec/v1.2", "Accept", "text/html,application/xhtml+xml;q=0.9"));
  CHECK(navigates("/spec/v1.2", "Sec-Fetch-Dest", "document"));
  CHECK_FALSE(navigates("/assets/gone-DiwrgTda.js", "Accept", "text/html"));
  CHECK_FALSE(navigates("/assets/gone"));
}

TEST_CASE("spa_fallback: names with a content hash") {
  for (const auto* yes :
       {"/assets/index-DiwrgTda.js", "/assets/index-D-_bx9Zk.js", "/assets/main.3f2a91bc.css",
        "/assets/index-DiwrgTda.js.map", "/assets/a-0123456789abcdef0123.woff2"})
    CHECK(http::has_content_hash(yes));
  for (const auto* no :
       {"/assets/index.js", "/assets/my-component.js", "/assets/short-a1b2.js", "/assets/readme"})
    CHECK_FALSE(http::has_content_hash(no));
  const SpaSettings spa{"/index.html", "/assets/"};
  CHECK(spa_cache_control(spa, "/index.html") == "no-cache");
  CHECK(spa_cache_control(spa, "/assets/index-DiwrgTda.js") ==
        "public, max-age=31536000, immutable");
  CHECK(spa_cache_control(spa, "/other/index-DiwrgTda.js").empty());
  CHECK(spa_cache_control(spa, "/assets/logo.png").empty());
}

}  // namespace
}  // namespace gatescope::files
