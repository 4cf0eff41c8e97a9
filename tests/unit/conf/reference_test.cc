#include "conf/reference.h"

#include "tests/support/catch.h"

using namespace gatescope;
using namespace gatescope::conf;

namespace {

Result<void> nothing(Loader&, Scope&, const Directive&) {
  return {};
}

const DirectiveSpec kTable[] = {
    {.name = "server",
     .contexts = only(Context::Upstream),
     .arity = {1, 9},
     .syntax = "server address;",
     .doc = "One upstream server.",
     .apply = nothing},
    {.name = "server",
     .contexts = only(Context::Http),
     .arity = {0, 0, true},
     .syntax = "server { ... }",
     .doc = "A virtual server.",
     .apply = nothing},
    {.name = "gzip",
     .contexts = kHttpLevels,
     .arity = {1, 1},
     .syntax = "gzip on | off;",
     .fallback = "off",
     .doc = "Compresses.",
     .apply = nothing,
     .note = "never twice."},
    {.name = "postpone_output",
     .contexts = kHttpLevels,
     .arity = {1, 1},
     .syntax = "postpone_output size;",
     .fallback = "1460"},
    {.name = "*",
     .contexts = only(Context::Map),
     .arity = {1, 1},
     .syntax = "value result;",
     .doc = "A line.",
     .apply = nothing},
};

std::string reference() {
  Schema schema;
  schema.add(kTable);
  return directive_reference(schema);
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("the reference says of each directive what its table says") {
  CHECK(contains(reference(),
                 "\n## gzip\n\n"
                 "    syntax:   gzip on | off;\n"
                 "    default:  off\n"
                 "    context:  http, server, location\n\n"
                 "Compresses.\n\n"
                 "Difference from nginx: never twice.\n"));
}

TEST_CASE("the reference says what is accepted and does nothing") {
  const std::string text = reference();
  CHECK(contains(text,
                 "    default:  1460\n"
                 "    context:  http, server, location\n\n"
                 "Accepted, does nothing"));
  CHECK(text.find("Accepted, does nothing") == text.rfind("Accepted, does nothing"));
}

TEST_CASE("the reference is sorted by name, then context, whatever the order of the tables") {
  const std::string text = reference();
  const std::size_t map_lines = text.find("## entries of map\n"), gzip = text.find("## gzip\n"),
                    postpone = text.find("## postpone_output\n"),
                    http_server = text.find("A virtual server."),
                    upstream_server = text.find("One upstream server.");
  REQUIRE(upstream_server != std::string::npos);
  CHECK(map_lines < gzip);
  CHECK(gzip < postpone);
  CHECK(postpone < http_server);
  CHECK(http_server < upstream_server);
}
