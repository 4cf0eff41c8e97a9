#include "tests/support/catch.h"
#include "tests/unit/conf/map_reader.h"

using namespace gatescope;
using namespace gatescope::conf;

TEST_CASE("a configuration is a tree of directives") {
  const auto document = parse_text(
      "user scope;\n"
      "http {\n"
      "  server { listen 80; server_name a b; location / { } }\n"
      "}\n");
  REQUIRE(document.ok());
  const Document& d = **document;
  CHECK(outline(d.directives) ==
        "user(scope) http{server{listen(80) server_name(a,b) location(/){}}}");

  const Directive& server = d.directives[1].block[0];
  CHECK(to_string(server.place) == "/etc/main.conf:3:3");
  CHECK(to_string(server.block[0].arguments[0].place) == "/etc/main.conf:3:19");
  CHECK(to_string(server.block_end) == "/etc/main.conf:3:55");
  CHECK(to_string(d.directives[1].block_end) == "/etc/main.conf:4:1");
  REQUIRE(d.files.size() == 1);
  CHECK(d.files[0].path == kMain);
  CHECK(d.files[0].text.starts_with("user scope;"));
  CHECK(server.place.file.data() == d.files[0].path.data());
}

TEST_CASE("quoting is remembered, for names too a quoted word is a word") {
  const auto document = parse_text("'map' \"\" {\"\" x; 'a b' '{';}");
  REQUIRE(document.ok());
  const Directive& map = (*document)->directives[0];
  CHECK(map.name == "map");
  CHECK(map.arguments[0].quoted);
  CHECK(map.block[0].name.empty());
  CHECK_FALSE(map.block[0].arguments[0].quoted);
  CHECK(map.block[1].arg(0) == "{");
}

TEST_CASE("what is not well formed is refused in nginx's words, with its place") {
  struct Case {
    std::string text;
    const char* error;
  };
  const Case cases[] = {
      {"}", "unexpected \"}\" in /etc/main.conf:1:1"},
      {"http { } }", "unexpected \"}\" in /etc/main.conf:1:10"},
      {";", "unexpected \";\" in /etc/main.conf:1:1"},
      {"a;;", "unexpected \";\" in /etc/main.conf:1:3"},
      {"a {} ;", "unexpected \";\" in /etc/main.conf:1:6"},
      {"{ }", "unexpected \"{\" in /etc/main.conf:1:1"},
      {"http { root x }",
       "unexpected \"}\", expecting \";\" to end \"root\" in /etc/main.conf:1:15"},
      {"a", "unexpected end of file, expecting \";\" or \"}\" in /etc/main.conf:1:2"},
      {"http {\n a b\n", "unexpected end of file, expecting \";\" or \"}\" in /etc/main.conf:3:1"},
      {"http {\n server {\n }\n",
       "unexpected end of file, expecting \"}\" for \"http\" opened at /etc/main.conf:1:1 in "
       "/etc/main.conf:4:1"},
      {"a 'b'c;", "unexpected \"c\" in /etc/main.conf:1:6"},
  };
  for (const Case& c : cases) {
    INFO(c.text);
    CHECK(error_of(parse_text(c.text)) == c.error);
  }
}

TEST_CASE("blocks nested without end are refused, not followed") {
  std::string text;
  for (int i = 0; i < 100'000; ++i)
    text += "a{";
  CHECK(error_of(parse_text(text)) ==
        "blocks are nested too deeply (the limit is 64) in /etc/main.conf:1:130");
}

TEST_CASE("a missing main file is the system's error, without a place") {
  MapReader reader(MapReader::Files{});
  CHECK(error_of(parse_file("/etc/none.conf", {}, reader)) ==
        "open() \"/etc/none.conf\" failed (2: No such file or directory)");
}

TEST_CASE("a file beyond the limit is refused") {
  MapReader reader(MapReader::Files{{kMain, "worker_processes 1;"}});
  CHECK(error_of(parse_file(kMain, {.max_file_bytes = 10}, reader)) ==
        "\"/etc/main.conf\" has 19 bytes, more than a configuration file may have (10)");
}

TEST_CASE("the text of -g comes first") {
  const auto parse = [](std::string extra) {
    MapReader reader(MapReader::Files{{kMain, "user b;"}});
    return parse_file(kMain, {.extra = std::move(extra)}, reader);
  };
  const auto document = parse("daemon off; pid /x;");
  REQUIRE(document.ok());
  CHECK(outline((*document)->directives) == "daemon(off) pid(/x) user(b)");
  CHECK(to_string((*document)->directives[1].place) == "command line:1:13");
  CHECK(error_of(parse("daemon off")) ==
        "unexpected end of parameter, expecting \";\" in command line:1:11");
  CHECK(error_of(parse("http {}")) ==
        "block directives are not supported in -g option in command line:1:6");
}
