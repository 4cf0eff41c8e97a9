#include "conf/schema.h"

#include <stdexcept>

#include "tests/support/catch.h"
#include "tests/unit/conf/map_reader.h"

using namespace gatescope;
using namespace gatescope::conf;
using namespace std::chrono_literals;

namespace {

/// Notes what the tables were called with.
struct Seen {
  std::vector<std::string> calls;
};

void note(Loader& loader, std::string text) {
  loader.service<Seen>().calls.push_back(std::move(text));
}

template <Context Inner>
Result<void> open_block(Loader& loader, Scope& scope, const Directive& d) {
  const auto child = loader.load_block(d, scope, Inner);
  if (!child) return child.error();
  return {};
}

Result<void> see(Loader& loader, Scope& scope, const Directive& d) {
  note(loader, std::string(name_of(scope.context())) + ":" + outline({d}));
  return {};
}

const DirectiveSpec kSchemaTable[] = {
    {.name = "http",
     .contexts = only(Context::Main),
     .arity = {0, 0, true},
     .syntax = "http { ... }",
     .apply = open_block<Context::Http>},
    {.name = "server",
     .contexts = only(Context::Http),
     .arity = {0, 0, true},
     .syntax = "server { ... }",
     .apply = open_block<Context::Server>},
    {.name = "upstream",
     .contexts = only(Context::Http),
     .arity = {1, 1, true},
     .syntax = "upstream name { ... }",
     .apply = open_block<Context::Upstream>},
    {.name = "server",
     .contexts = only(Context::Upstream),
     .arity = {1, Arity::kAny},
     .syntax = "server address;",
     .apply = see},
    {.name = "map",
     .contexts = only(Context::Http),
     .arity = {2, 2, true},
     .syntax = "map $a $b { ... }",
     .apply = open_block<Context::Map>},
    {.name = "hostnames",
     .contexts = only(Context::Map),
     .arity = {0, 0},
     .syntax = "hostnames;",
     .apply = [](Loader& l, Scope&, const Directive&) -> Result<void> {
       note(l, "hostnames!");
       return {};
     }},
    {.name = "*",
     .contexts = only(Context::Map),
     .arity = {1, 1},
     .syntax = "value result;",
     .apply = see},
    {.name = "listen",
     .contexts = only(Context::Server),
     .arity = {1, Arity::kAny},
     .syntax = "listen address;",
     .apply = see},
    {.name = "root",
     .contexts = kHttpLevels,
     .arity = {1, 1},
     .syntax = "root path;",
     .apply = see},
    {.name = "keepalive_timeout",
     .contexts = kHttpLevels,
     .arity = {1, 2},
     .syntax = "keepalive_timeout timeout [header_timeout];",
     .apply = see},
    {.name = "postpone_output",
     .contexts = kHttpLevels,
     .arity = {1, 1},
     .syntax = "postpone_output size;"},
    {.name = "regex",
     .contexts = only(Context::Main),
     .arity = {0, 0},
     .syntax = "regex;",
     .apply = [](Loader&, Scope&, const Directive&) -> Result<void> {
       return make_error(ErrorKind::Invalid, Origin::Internal, "it failed: a:b");
     }},
    {.name = "throws",
     .contexts = only(Context::Main),
     .arity = {0, 0},
     .syntax = "throws;",
     .apply = [](Loader&, Scope&, const Directive&) -> Result<void> {
       throw std::runtime_error("too far");
     }},
};

struct Loaded {
  std::string error;
  std::vector<std::string> calls;
};

Loaded load(std::string text) {
  Schema schema;
  schema.add(kSchemaTable);
  const auto document = parse_text(std::move(text));
  REQUIRE(document.ok());
  Loader loader(schema, "/prefix", "/etc");
  Seen seen;
  loader.provide(seen);
  Scope main(nullptr, Context::Main, nullptr);
  return {error_of(loader.load((*document)->directives, main)), seen.calls};
}

}  // namespace

TEST_CASE("directives reach the table of their context") {
  const Loaded loaded =
      load("http { root /x; upstream u { server a weight=2; } server { listen 80; root y; } }");
  CHECK(loaded.error.empty());
  CHECK(loaded.calls == std::vector<std::string>{"http:root(/x)", "upstream:server(a,weight=2)",
                                                 "server:listen(80)", "server:root(y)"});
}

TEST_CASE("a context with free-form lines takes any name, except those it knows") {
  const Loaded loaded =
      load("http { map $a $b { hostnames; default 0; server 1; \"\" 2; ~^x 3; } }");
  CHECK(loaded.error.empty());
  CHECK(loaded.calls == std::vector<std::string>{"hostnames!", "map:default(0)", "map:server(1)",
                                                 "map:(2)", "map:~^x(3)"});
}

TEST_CASE("what is accepted without effect is still checked for its arguments") {
  CHECK(load("http { postpone_output 1460; }").error.empty());
  CHECK(load("http { postpone_output; }").error ==
        "invalid number of arguments in \"postpone_output\" directive (syntax: postpone_output "
        "size;) in "
        "/etc/main.conf:1:8");
}

TEST_CASE("a mistake is named with its place and its mend") {
  struct Case {
    const char* text;
    const char* error;
  };
  const Case cases[] = {
      {"http { keepalve_timeout 5; }",
       "unknown directive \"keepalve_timeout\", did you mean \"keepalive_timeout\"? in "
       "/etc/main.conf:1:8"},
      {"xyzzy;", "unknown directive \"xyzzy\" in /etc/main.conf:1:1"},
      {"http { fastcgi_pass x; }",
       "\"fastcgi_pass\" directive is not supported (FastCGI is not spoken here, let the "
       "application speak HTTP and "
       "use proxy_pass) in /etc/main.conf:1:8"},
      {"listen 80;",
       "\"listen\" directive is not allowed here (it belongs in server) in /etc/main.conf:1:1"},
      {"server {}",
       "\"server\" directive is not allowed here (it belongs in http, upstream) in "
       "/etc/main.conf:1:1"},
      {"http { root; }",
       "invalid number of arguments in \"root\" directive (syntax: root path;) in "
       "/etc/main.conf:1:8"},
      {"http { root a b; }",
       "invalid number of arguments in \"root\" directive (syntax: root path;) in "
       "/etc/main.conf:1:8"},
      {"http {\n root a\n root b;\n}",
       "invalid number of arguments in \"root\" directive (syntax: root path;), is a \";\" missing "
       "at the end of line "
       "2? in /etc/main.conf:2:2"},
      {"http;", "directive \"http\" has no opening \"{\" in /etc/main.conf:1:1"},
      {"http { root x { } }",
       "directive \"root\" is not terminated by \";\" in /etc/main.conf:1:8"},
      {"http { map $a $b { x; } }",
       "invalid number of arguments in \"x\" directive (syntax: value result;) in "
       "/etc/main.conf:1:20"},
      {"regex;", "it failed: a:b in /etc/main.conf:1:1"},
      {"throws;", "\"throws\" directive: too far in /etc/main.conf:1:1"},
  };
  for (const Case& c : cases) {
    INFO(c.text);
    CHECK(load(c.text).error == c.error);
  }
}

TEST_CASE("fail makes a sentence of what it is told") {
  const Directive root{.name = "root", .place = {"f", 1, 2}};
  struct Case {
    const char* what;
    const char* expected;
  };
  const Case cases[] = {
      {"is duplicate", "\"root\" directive is duplicate in f:1:2"},
      {"must be absolute", "\"root\" directive must be absolute in f:1:2"},
      {"isolated word", "\"root\" directive: isolated word in f:1:2"},
      {"no memory", "\"root\" directive: no memory in f:1:2"},
      {"unknown \"a\" variable", "unknown \"a\" variable in f:1:2"},
      {"invalid value \"x\"", "invalid value \"x\" in f:1:2"},
      {"the \"root\" directive comes late", "the \"root\" directive comes late in f:1:2"},
  };
  for (const Case& c : cases)
    CHECK(Loader::fail(root, c.what).detail == c.expected);
}

TEST_CASE("names_of lists every context of a set") {
  CHECK(names_of(kHttpLevels | Context::ServerIf) ==
        std::vector<std::string_view>{"http", "server", "location", "if in server"});
  CHECK(names_of(0).empty());
}

TEST_CASE("the nearest name does not depend on the order of registration") {
  static const DirectiveSpec kNear[] = {{.name = "rootb", .contexts = 1},
                                        {.name = "roota", .contexts = 1}};
  Schema schema;
  schema.add(kNear);
  CHECK(schema.nearest("root") == "roota");
}

TEST_CASE("paths are relative to the prefix, those of keys to the configuration's folder") {
  const Schema schema;
  const Loader loader(schema, "/var/lib/gatescope/", "/");
  CHECK(loader.path("logs/x") == "/var/lib/gatescope/logs/x");
  CHECK(loader.path("/abs") == "/abs");
  CHECK(loader.path("$document_root/x") == "$document_root/x");
  CHECK(loader.conf_path("key.pem") == "/key.pem");
}
