#include "proxy/ops/build_check.h"

#include "tests/unit/ops/site_fixture.h"

namespace gatescope::ops {
namespace {

std::string problems_of(const Folder& folder, const std::string& base = "/") {
  std::string text;
  for (const auto& problem : check_build(folder.path("site"), base).problems)
    text += problem + "\n";
  return text;
}

}  // namespace

TEST_CASE("a whole build is whole, and every file that is led to was looked at") {
  Folder folder;
  write_build(folder, "site", "1");
  const auto checked = check_build(folder.path("site"), "/");
  CHECK(checked.problems.empty());
  CHECK(checked.named == 5);
}

TEST_CASE("what is missing is named with the file that names it") {
  struct Case {
    const char *removed, *says;
  };
  for (const auto& c :
       {Case{"index.html", "there is no index.html: name the folder"},
        Case{"assets/index-Ab111111.js",
             "index.html names \"/assets/index-Ab111111.js\", but there is no "
             "assets/index-Ab111111.js"},
        Case{"assets/page-Ab111111.js",
             "assets/index-Ab111111.js names \"./page-Ab111111.js\", but there is no "
             "assets/page-Ab111111.js"},
        Case{"logo.svg",
             "assets/index-Ab111111.css names \"../logo.svg\", but there is no logo.svg"}}) {
    Folder folder;
    write_build(folder, "site", "1");
    std::filesystem::remove(folder.path(std::string("site/") + c.removed));
    CHECK_THAT(problems_of(folder), Catch::Matchers::Contains(c.says));
  }
}

TEST_CASE("an empty page, and one that names what no browser runs") {
  Folder folder;
  folder.write("site/index.html", " \n");
  CHECK_THAT(problems_of(folder), Catch::Matchers::Contains("index.html is empty"));
  folder.write("site/index.html", "<script type=module src=/src/main.ts></script>");
  folder.write("site/src/main.ts", "");
  CHECK_THAT(problems_of(folder), Catch::Matchers::Contains("not what the build wrote"));
}

TEST_CASE("what belongs to others is not looked for") {
  Folder folder;
  folder.write("site/index.html",
               "<script src=https://example.org/x.js></script><script src=//example.org/y.js>"
               "</script><img src=data:image/png;base64,AA==><link rel=icon href=#x>"
               "<link rel=manifest href=/>");
  CHECK(problems_of(folder) == "");
}

TEST_CASE("a site that was built for another path") {
  Folder folder;
  folder.write("site/index.html", "<script src=/app/a.js></script>");
  folder.write("site/a.js", "");
  CHECK(problems_of(folder, "/app/") == "");
  CHECK_THAT(problems_of(folder), Catch::Matchers::Contains("there is no app/a.js"));
}

TEST_CASE("names with escapes and questions are files without them") {
  Folder folder;
  folder.write("site/index.html", "<script src='a%20b.js?v=1#x'></script>");
  folder.write("site/a b.js", "");
  CHECK(problems_of(folder) == "");
}

}  // namespace gatescope::ops
