#include <filesystem>
#include <fstream>

#include "tests/support/catch.h"
#include "tests/unit/base/temp_folder.h"
#include "tests/unit/conf/map_reader.h"

using namespace gatescope;
using namespace gatescope::conf;

namespace {

Result<std::unique_ptr<Document>> parse(std::map<std::string, std::string> files,
                                        ParseOptions options = {}) {
  MapReader reader(std::move(files));
  return parse_file(kMain, options, reader);
}

std::string outline_of(std::map<std::string, std::string> files, ParseOptions options = {}) {
  const auto document = parse(std::move(files), std::move(options));
  return document.ok() ? outline((*document)->directives) : document.error().detail;
}

}  // namespace

TEST_CASE("an included file's directives stand where the include stood") {
  CHECK(outline_of({{kMain, "a; http { include inner.conf; z; } c;"},
                    {"/etc/inner.conf", "x 1; y {}"}}) == "a http{x(1) y{} z} c");
}

TEST_CASE("relative includes start at the main file's folder, also from files elsewhere") {
  CHECK(outline_of({{kMain, "include sub/a.conf;"},
                    {"/etc/sub/a.conf", "include b.conf;"},
                    {"/etc/b.conf", "b;"}}) == "b");
  CHECK(outline_of({{kMain, "include a.conf;"}, {"/other/a.conf", "a;"}},
                   {.conf_prefix = "/other/"}) == "a");
  CHECK(outline_of({{kMain, "include /abs/a.conf;"}, {"/abs/a.conf", "a;"}}) == "a");
}

TEST_CASE("a glob includes what it finds, in order, or nothing") {
  CHECK(outline_of({{kMain, "include d/*.conf; end;"},
                    {"/etc/d/b.conf", "b;"},
                    {"/etc/d/a.conf", "a;"},
                    {"/etc/d/c.txt", "c;"}}) == "a b end");
  CHECK(outline_of({{kMain, "include none/*.conf; end;"}}) == "end");
}

TEST_CASE("places in an included file name that file") {
  const auto document = parse({{kMain, "include a.conf;"}, {"/etc/a.conf", "\n  a;"}});
  REQUIRE(document.ok());
  CHECK(to_string((*document)->directives[0].place) == "/etc/a.conf:2:3");
  REQUIRE((*document)->files.size() == 2);
  CHECK((*document)->files[1].path == "/etc/a.conf");
}

TEST_CASE("a file included twice is read once and listed once") {
  MapReader reader(
      MapReader::Files{{kMain, "a { include p; } b { include p; }"}, {"/etc/p", "x;"}});
  const auto document = parse_file(kMain, {}, reader);
  REQUIRE(document.ok());
  CHECK(outline((*document)->directives) == "a{x} b{x}");
  CHECK((*document)->files.size() == 2);
  CHECK(reader.reads() == 2);
}

TEST_CASE("what can go wrong with an include") {
  struct Case {
    std::map<std::string, std::string> files;
    const char* error;
  };
  const Case cases[] = {
      {{{kMain, "a;\n include none.conf;"}},
       "open() \"/etc/none.conf\" failed (2: No such file or directory) in /etc/main.conf:2:2"},
      {{{kMain, "include;"}},
       "invalid number of arguments in \"include\" directive (syntax: include file | mask;) in "
       "/etc/main.conf:1:1"},
      {{{kMain, "include a b;"}},
       "invalid number of arguments in \"include\" directive (syntax: include file | mask;) in "
       "/etc/main.conf:1:1"},
      {{{kMain, "include a { }"}},
       "directive \"include\" is not terminated by \";\" in /etc/main.conf:1:1"},
      {{{kMain, "include main.conf;"}}, "\"/etc/main.conf\" includes itself in /etc/main.conf:1:1"},
      {{{kMain, "include a;"}, {"/etc/a", "include b;"}, {"/etc/b", "x; include a;"}},
       "\"/etc/a\" includes itself in /etc/b:1:4"},
      {{{kMain, "http { include a; }"}, {"/etc/a", "} x {"}}, "unexpected \"}\" in /etc/a:1:1"},
      {{{kMain, "include a; }"}, {"/etc/a", "http {"}},
       "unexpected end of file, expecting \"}\" for \"http\" opened at /etc/a:1:1 in /etc/a:1:7"},
  };
  for (const Case& c : cases) {
    INFO(c.error);
    CHECK(error_of(parse(c.files)) == c.error);
  }
}

TEST_CASE("includes may be nested, but not without end") {
  std::map<std::string, std::string> files{{kMain, "include f0;"}};
  for (int i = 0; i < 20; ++i) {
    files["/etc/f" + std::to_string(i)] = "include f" + std::to_string(i + 1) + ";";
  }
  CHECK(error_of(parse(files)) ==
        "\"include\" is nested too deeply (the limit is 16) in /etc/f15:1:1");
  files["/etc/f15"] = "end;";
  CHECK(outline_of(files) == "end");
}

TEST_CASE("the text of -g may include") {
  CHECK(outline_of({{kMain, "a;"}, {"/etc/x", "http { }"}}, {.extra = "include x;"}) == "http{} a");
}

TEST_CASE("SystemFileReader reads and expands real files") {
  const TempFolder folder;
  for (const char* name : {"b.conf", "a.conf", "c.txt"})
    std::ofstream(folder / name) << name << '\0';
  SystemFileReader reader;
  const auto paths = reader.expand(folder / "*.conf");
  REQUIRE(paths.ok());
  CHECK(*paths == std::vector{folder / "a.conf", folder / "b.conf"});
  CHECK(reader.expand(folder / "*.none").value().empty());
  CHECK(reader.expand(folder / "none").value() == std::vector{folder / "none"});
  CHECK(reader.read(folder / "a.conf").value() == std::string("a.conf\0", 7));
  CHECK(error_of(reader.read(folder / "none")) ==
        "open() \"" + (folder / "none") + "\" failed (2: No such file or directory)");
  CHECK(error_of(reader.read("/")) == "read() \"/\" failed (21: Is a directory)");
}
