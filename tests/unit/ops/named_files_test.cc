#include "proxy/ops/named_files.h"

#include "tests/support/catch.h"

namespace gatescope::ops {
namespace {

std::string listed(const std::vector<Reference>& found) {
  std::string text;
  for (const auto& one : found)
    text += (text.empty() ? "" : " ") + one.text + (one.from_root ? "^" : "");
  return text;
}

}  // namespace

TEST_CASE("what a page names: scripts, style sheets, images, not pages") {
  CHECK(listed(named_in_html(R"(<!doctype html>
    <link rel="canonical" href="https://numberscope.colorado.edu/"> <link rel=preconnect href=/x>
    <LINK REL="stylesheet" HREF='/a.css?v=1'><link rel="icon" href=/favicon.ico>
    <script type="module" crossorigin src="/assets/index-DiwrgTda.js"></script>
    <img srcset="a.png 1x, b.png 2x" src="c&amp;d.png"> <a href="/gallery">x</a>
    <!-- <script src="/old.js"></script> -->)")) ==
        "/a.css?v=1 /favicon.ico /assets/index-DiwrgTda.js c&d.png a.png b.png");
  CHECK(listed(named_in_html("<script>document.write('<img src=x.png>')</script>")) == "");
  CHECK(listed(named_in_html("<style>a{background:url(x.png)}</style>")) == "x.png");
  CHECK(listed(named_in_html("<script type=module>import './x.js'</script>")) == "./x.js");
  for (const char* broken : {"<", "<script", "<script src", "<script src=", "<img src=\"x", "<!--",
                             "<script src='x.js'", "<style>", "</", "<a =b>"})
    CHECK_NOTHROW(named_in_html(broken));
}

TEST_CASE("what a style sheet names") {
  CHECK(listed(named_in_css("@import \"x.css\"; a{src:url(a.woff2) format('woff2'),url( 'b.png' )}"
                            "/* url(gone.png) */ b{c:url(data:image/png;base64,xx)}")) ==
        "a.woff2 b.png data:image/png;base64,xx x.css");
  for (const char* broken : {"url(", "url( ", "url('x", "/*", "@import", "@import '"})
    CHECK_NOTHROW(named_in_css(broken));
}

TEST_CASE("what a module names: imports, preloads of Vite, addresses beside it") {
  CHECK(listed(named_in_script(
            "import{a as b}from\"./a.js\";import\"../b.mjs\";const x=()=>import(`./c.js`);"
            "export*from'./d.js';import(/* @vite-ignore */ \"./e.css\")")) ==
        "../b.mjs ./c.js ./e.css ./a.js ./d.js");
  CHECK(listed(named_in_script("new URL(\"pic.png\",import.meta.url).href;new URL(\"/x/\", "
                               "import.meta.url);new URL(\"y.png\",base)")) == "pic.png");
  CHECK(listed(named_in_script(
            "const __vite__mapDeps=(i,m=__vite__mapDeps,d=(m.f||(m.f=[\"assets/a.js\","
            "\"./b.css\"])))=>i.map(i=>d[i]);")) == "assets/a.js^ ./b.css");
  CHECK(
      listed(named_in_script("__vite__mapDeps.viteFileDeps = [\"assets/a.js\",'assets/b.css']")) ==
      "assets/a.js^ assets/b.css^");
  // No files of a build
  CHECK(listed(named_in_script(
            "import(\"vue\");x.from(\"./a.js\");importer(\"./b.js\");"
            "import(`./${name}.js`);import(\"./module\");\"say import './a'\"")) == "");
  for (const char* broken : {"import", "import(", "import(\"", "from", "new URL(",
                             "new URL(\"x.png\"", "__vite__mapDeps m.f=[", "import(/*"})
    CHECK_NOTHROW(named_in_script(broken));
}

}  // namespace gatescope::ops
