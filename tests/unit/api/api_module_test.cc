#include "api/api_module.h"

#include <filesystem>
#include <fstream>

#include "tests/unit/api/pg_fixture.h"
#include "tests/unit/conf/map_reader.h"

namespace gatescope::api {
namespace {

/// A configuration as the Server loads it, again for each reload.
struct Loaded {
  conf::Schema schema;
  std::unique_ptr<conf::Document> document;
  conf::Scope main{nullptr, conf::Context::Main, nullptr};
  std::unique_ptr<conf::Loader> loader;
  std::unique_ptr<conf::Document> place;  // of the location

  Loaded(ApiModule& module, const std::string& text)
      : place(std::move(*conf::parse_text("location /api/ { numberscope_api; }"))) {
    const conf::Directive& location = place->directives[0];
    schema.add_settings<http::CoreSettings>();
    module.add_directives(schema);
    loader = std::make_unique<conf::Loader>(schema, "/prefix/", "/etc/");
    loader->provide(module);
    document = std::move(*conf::parse_text(text));
    const auto loaded = loader->load(document->directives, main);
    if (!loaded) FAIL(loaded.error().detail);
    auto& scope = main.add_child(conf::Context::Location, &location);
    const auto inner = loader->load(location.block, scope);
    if (!inner) FAIL(inner.error().detail);
    schema.resolve(main);
  }
  const conf::Scope& scope() const { return *main.children().back(); }
};

struct Fixture : RealLoop {
  OpenFolder folder;
  Stats stats;
  ApiModule module{*loop, stats};
  http::Request request;

  Fixture() {
    std::filesystem::create_directories(folder / "data/seq/A000");
    std::ofstream(folder / "data/seq/A000/A000040.seq")
        << "%I A000040\n%S A000040 2,3,5\n%N A000040 The prime numbers.\n%O A000040 1,1\n";
  }
  std::string configuration(const std::string& more) const {
    return "state_dir " + (folder / "state") + "; numberscope { oeis off; " + more + " }";
  }
  std::string with_data() const { return configuration("oeisdata " + (folder / "data") + ";"); }
  /// "200 body"
  std::string get(const http::Handler& handler, std::string_view path) {
    RecordingWriter writer;
    request.head.method = "GET";
    request.path = path;
    const auto responder = handler.start(request, writer);
    if (!until([&] { return writer.ended; })) FAIL("no answer; " + log.text());
    return std::to_string(writer.status_code) + " " + writer.body;
  }
  void stop() {
    bool stopped = false;
    module.stop([&] { stopped = true; });
    CHECK(!stopped);
    CHECK(until([&] { return stopped; }));
  }
};

constexpr const char* kPrimes =
    "200 {\"id\":\"A000040\",\"name\":\"The prime numbers.\",\"values\":{\"1\":\"2\",\"2\":\"3\","
    "\"3\":\"5\"}}\n";

TEST_CASE("the whole of the API without OEIS: started, reloaded, stopped") {
  Fixture f;
  const Loaded first(f.module, f.with_data());
  const auto handler = std::move(f.module.make(first.scope()).value());
  REQUIRE(f.module.apply(first.main, f.log));
  // The very first question waits for the cluster to be made, for five seconds at most.
  std::string answer;
  REQUIRE(f.until([&] {
    answer = f.get(*handler, "/api/get_oeis_name_and_values/A000040");
    return !answer.starts_with("503");
  }));
  CHECK(answer == kPrimes);
  CHECK(f.get(*handler, "/api/get_oeis_values/A000041/1").starts_with("200 Error: Values for ID"));

  // The same again changes nothing; another one is used from then on.
  const auto starts = [&] {
    return f.stats.counter("embedded_postgres_starts", "starts", "").value();
  };
  const Loaded same(f.module, f.with_data());
  REQUIRE(f.module.apply(same.main, f.log));
  const Loaded without(f.module, f.configuration(""));
  REQUIRE(f.module.apply(without.main, f.log));
  CHECK(f.get(*handler, "/api/get_oeis_name_and_values/A000040") == kPrimes);  // still in memory
  CHECK(starts() == 1);
  const Loaded elsewhere(f.module, f.configuration("database host=/nonexistent dbname=x;"));
  REQUIRE(f.module.apply(elsewhere.main, f.log));
  CHECK(f.get(*handler, "/api/get_oeis_values/A000041/1").starts_with("503 "));
  f.stop();
  CHECK(!std::filesystem::exists(f.folder / "state/postgres/data/postmaster.pid"));
}

TEST_CASE("what make() refuses") {
  Fixture f;
  const Loaded none(f.module, "");
  CHECK(f.module.make(none.scope()).error().detail.find("needs a block \"numberscope { }\"") !=
        std::string::npos);
  const Loaded env(f.module, f.configuration("database env; env_file " + (f.folder / "no") + ";"));
  CHECK(f.module.make(env.scope()).error().detail.find("open()") != std::string::npos);
  REQUIRE(f.module.apply(none.main, f.log));  // nothing to do, and nothing to stop
  f.stop();
}

}  // namespace
}  // namespace gatescope::api
