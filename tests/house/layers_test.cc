// The order of the layers, kept by reading every #include line of the tree; and the same checker on
// made-up trees, so that we know that it can fail.

#include "tests/house/house_rules.h"
#include "tests/support/catch.h"

namespace gatescope::house {
namespace {

std::string join(const std::vector<std::string>& lines) {
  std::string all;
  for (const auto& line : lines)
    all += line + "\n";
  return all;
}

/// One made-up file.
std::string layers(std::string path, std::string text) {
  return join(check_layers({{std::move(path), std::move(text)}}));
}
std::string libraries(std::string path, std::string text) {
  return join(check_foreign_libraries({{std::move(path), std::move(text)}}));
}
std::string text_of(std::string path, std::string text) {
  return join(check_text({{std::move(path), std::move(text)}}));
}

const std::vector<SourceFile>& tree() {
  static const auto files = read_tree(GATESCOPE_SOURCE_DIR);
  return files;
}

}  // namespace

TEST_CASE("the tree is found") {
  REQUIRE(tree().size() > 100);
  CHECK(std::any_of(tree().begin(), tree().end(),
                    [](const auto& f) { return f.path == "proxy/main.cc"; }));
}

TEST_CASE("no file of the tree includes upwards or sideways") {
  CHECK(join(check_layers(tree())) == "");
}

TEST_CASE("no foreign library leaves its folder") {
  CHECK(join(check_foreign_libraries(tree())) == "");
}

TEST_CASE("files are short, headers are guarded, no tab and no note to self is left") {
  CHECK(join(check_text(tree())) == "");
}

TEST_CASE("an include downwards, or inside a library, is right") {
  CHECK(layers("proxy/http/exchange.cc",
               "#include \"proxy/http/exchange.h\"\n#include \"certs/tls_context.h\"\n") == "");
  CHECK(layers("proxy/main.cc",
               "#include \"api/api_module.h\"\n#include \"proxy/net/uv_loop.h\"\n") == "");
  CHECK(layers("api/sample/primes.cc", "#include \"api/sequence.h\"\n#include <vector>\n") == "");
  CHECK(layers("certs/acme/client.cc",
               "#include \"certs/tls_context.h\"\n#include \"proxy/http/handler.h\"\n") == "");
}

TEST_CASE("an include upwards is found, with its line") {
  CHECK(layers("proxy/base/text.h", "#pragma once\n\n#include \"conf/lexer.h\"\n") ==
        "proxy/base/text.h:3: base includes upwards: \"conf/lexer.h\" belongs to conf\n");
  CHECK(layers("certs/tls_stream.cc", "#  include   \"proxy/http/session.h\"") ==
        "certs/tls_stream.cc:1: tls includes upwards: \"proxy/http/session.h\" belongs to http\n");
  CHECK(layers("proxy/http/router.cc", "#include \"proxy/server.h\"\n") ==
        "proxy/http/router.cc:1: http includes upwards: \"proxy/server.h\" belongs to server\n");
  CHECK(layers("certs/tls_context.cc", "#include \"certs/acme/client.h\"\n") ==
        "certs/tls_context.cc:1: tls includes upwards: \"certs/acme/client.h\" belongs to acme\n");
}

TEST_CASE("an include sideways is found") {
  CHECK(layers("static/file_handler.cc", "#include \"api/answer.h\"\n") ==
        "static/file_handler.cc:1: files includes sideways: \"api/answer.h\" belongs to api\n");
  CHECK(layers("proxy/upstream/pool.cc", "#include \"proxy/ops/status.h\"\n") ==
        "proxy/upstream/pool.cc:1: upstream includes sideways: \"proxy/ops/status.h\" belongs to "
        "ops\n");
}

TEST_CASE("gatescope-factor shares one header with the server, and nobody includes it") {
  CHECK(layers("api/factor/main.cc", "#include \"api/factor/big_factors.h\"\n") == "");
  CHECK(layers("api/factor/main.cc", "#include \"api/factor_number.h\"\n") == "");
  CHECK(layers("api/factor/main.cc", "#include \"proxy/base/text.h\"\n") ==
        "api/factor/main.cc:1: a program of its own includes \"proxy/base/text.h\"\n");
  CHECK(layers("api/factor_pool.cc", "#include \"api/factor/confine.h\"\n") ==
        "api/factor_pool.cc:1: api includes upwards: \"api/factor/confine.h\" belongs to "
        "gatescope-factor\n");
  CHECK(layers("proxy/main.cc", "#include \"api/factor/confine.h\"\n") != "");
}

TEST_CASE("the program does not include its tests, tests include what they like") {
  CHECK(layers("static/mime.cc", "#include \"tests/support/catch.h\"\n") ==
        "static/mime.cc:1: includes \"tests/support/catch.h\", a test's file\n");
  CHECK(layers("tests/unit/base/text_test.cc", "#include \"proxy/server.h\"\n") == "");
}

TEST_CASE("an include that is not written from the top of the tree is found") {
  CHECK(layers("static/mime.cc", "#include \"mime.h\"\n") ==
        "static/mime.cc:1: includes \"mime.h\" not by its path from the top of the tree\n");
}

TEST_CASE("a foreign library outside its folder is found") {
  CHECK(libraries("proxy/net/uv_loop.cc", "#include <uv.h>\n") == "");
  CHECK(libraries("proxy/server.cc", "#include <uv.h>\n") ==
        "proxy/server.cc:1: <uv.h> may be included in proxy/net/ only\n");
  CHECK(libraries("api/oeis_client.cc", "#include <curl/curl.h>\n") ==
        "api/oeis_client.cc:1: <curl/curl.h> may be included in proxy/net/ only\n");
  CHECK(libraries("certs/own_bio.cc", "#include <openssl/bio.h>\n") == "");
  CHECK(libraries("proxy/http/exchange.cc", "#include <openssl/ssl.h>\n") != "");
  CHECK(libraries("api/factor/main.cc", "#include <pari/pari.h>\n") == "");
  CHECK(libraries("api/answer.cc", "#include <pari/pari.h>\n") != "");
  CHECK(libraries("proxy/ops/status.cc", "#include <systemd/sd-daemon.h>\n") != "");
}

TEST_CASE("a test whose name Catch2 takes for something else is found") {
  CHECK(text_of("tests/a_test.cc", "TEST_CASE(\"-t says ok\") {\n") ==
        "tests/a_test.cc:1: a test's name may not begin with any of -~*[\n");
  CHECK(text_of("tests/a_test.cc", "TEST_CASE(\"flag -t says ok\") {\n") == "");
}

TEST_CASE("a test whose name CMake takes for two is found") {
  const std::string what = "tests/a_test.cc:1: a test's name may not hold a semicolon\n";
  CHECK(text_of("tests/a_test.cc", "TEST_CASE(\"one; two\") {\n  int x;\n") == what);
  CHECK(text_of("tests/a_test.cc", "TEST_CASE(\n    \"one; two\",\n    \"[x]\") {\n}\n") == what);
  CHECK(text_of("tests/a_test.cc", "TEST_CASE(\"one\") {\n  int x;\n}\n") == "");
}

TEST_CASE("a long file, a tab, a missing guard and a note to self are found") {
  std::string long_file;
  for (int i = 0; i < 801; ++i)
    long_file += "\n";
  CHECK(text_of("conf/a.cc", long_file) == "conf/a.cc:801: 801 lines: split it\n");
  CHECK(text_of("conf/a.cc", long_file.substr(1)) == "");
  CHECK(text_of("conf/a.h", "int x;\n") == "conf/a.h:1: no #pragma once\n");
  CHECK(text_of("conf/a.h", "#pragma once\n\tint x;\n") == "conf/a.h:2: a tab\n");
  CHECK(text_of("conf/a.cc",
                "// TODO"
                "(now) finish\n") ==
        "conf/a.cc:1: TODO"
        "(now)\n");
}

}  // namespace gatescope::house
