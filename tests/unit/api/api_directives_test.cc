#include "api/api_directives.h"

#include <optional>

#include "api/api_module.h"
#include "proxy/http/core_directives.h"
#include "tests/support/catch.h"
#include "tests/support/sim_loop.h"
#include "tests/unit/api/api_fixture.h"
#include "tests/unit/conf/map_reader.h"

namespace gatescope::api {
namespace {

/// A main level with one location, loaded as the Server does.
struct ApiDirectivesFixture {
  test::SimWorld world{1};
  test::SimLoop loop{world};
  Stats stats;
  OwnLogOpener logs;
  LogFiles log_files{logs};
  SystemClock clock;
  ApiModule module{loop, stats, log_files, clock};
  conf::Schema schema;
  std::unique_ptr<conf::Document> document;
  conf::Scope main{nullptr, conf::Context::Main, nullptr};
  std::optional<conf::Loader> loader;

  ApiDirectivesFixture() {
    schema.add_settings<http::CoreSettings>();
    module.add_directives(schema);
    loader.emplace(schema, "/prefix/", "/etc/gatescope/");
    loader->provide(module);
  }
  /// "" or the error.
  std::string load(const std::string& text) {
    document = std::move(*conf::parse_text(text));
    const auto loaded = loader->load(document->directives, main);
    if (!loaded) return loaded.error().detail;
    schema.resolve(main);
    return "";
  }
  const NumberscopeSettings& settings() { return main.get<NumberscopeSettings>(); }
};

TEST_CASE("the numberscope block as documented") {
  ApiDirectivesFixture f;
  REQUIRE(f.load(R"conf(
    state_dir /var/lib/gatescope/;
    numberscope {
      database    env;
      env_file    /home/scope/.env;
      oeis        https://oeis.org/;
      oeis_agent  "numberscope/1.0 (+https://numberscope.colorado.edu)";
      oeisdata    repos/oeisdata;
      search      local_then_oeis;
      factor_workers 1;
      api_log     logs/api.log size=1m keep=3;
    })conf") == "");
  const auto& settings = f.settings();
  CHECK(settings.database.get() == DatabaseKind::Environment);
  CHECK(settings.env_file.get() == "/home/scope/.env");
  CHECK(settings.oeis.get() == "https://oeis.org");
  CHECK(settings.oeisdata.get() == "/prefix/repos/oeisdata");
  CHECK(settings.search.get() == SearchWhere::LocalThenOeis);
  CHECK(settings.api_log.get() == "/prefix/logs/api.log");
  CHECK(settings.api_log_rotation.get().rotate_at == 1u << 20);
  CHECK(settings.api_log_rotation.get().keep == 3);
  CHECK(settings.api_log_rotation.get().background);
  CHECK(settings.state_folder() == "/var/lib/gatescope");
}

TEST_CASE("what is not written has sensible values, off means off") {
  ApiDirectivesFixture f;
  REQUIRE(f.load("numberscope { oeis off; database host=/run/postgresql dbname=backscope; }") ==
          "");
  CHECK(f.settings().oeis.get().empty());
  CHECK(f.settings().database.get() == DatabaseKind::Connection);
  CHECK(f.settings().connection.get() == "host=/run/postgresql dbname=backscope");
  CHECK(f.settings().state_folder() == "/prefix/state");
  ApiDirectivesFixture bare;
  REQUIRE(bare.load("numberscope { }") == "");
  CHECK(bare.settings().database.get() == DatabaseKind::Embedded);
  CHECK(bare.settings().oeis.get() == "https://oeis.org");
}

TEST_CASE("mistakes are errors that say what may be written") {
  const struct {
    const char *text, *error;
  } kCases[] = {
      {"numberscope { } numberscope { }", "duplicate"},
      {"numberscope { database somewhere; }", "embedded, env, or a connection string"},
      {"numberscope { database embedded; database env; }", "duplicate"},
      {"numberscope { oeis oeis.org; }", "https://oeis.org, or off"},
      {"numberscope { oeis ftp://oeis.org; }", "https://oeis.org, or off"},
      {"numberscope { oeis_agent ''; }", "without a name"},
      {"numberscope { search both; }", "both"},
      {"numberscope { factor_workers 1000; }", "at most 64"},
      {"numberscope { api_log x size=big; }", "size=20m (at least 4k) or keep=9"},
      {"numberscope { api_log x size=1k; }", "size=20m (at least 4k) or keep=9"},
      {"numberscope { api_log x keep=1000; }", "size=20m (at least 4k) or keep=9"},
      {"numberscope { api_log off keep=1; }", "size=20m (at least 4k) or keep=9"},
      {"numberscope { oeis_data x; }", "oeisdata"},
  };
  for (const auto& c : kCases) {
    INFO(c.text);
    ApiDirectivesFixture f;
    const std::string error = f.load(c.text);
    INFO(error);
    CHECK(error.find(c.error) != std::string::npos);
  }
}

TEST_CASE("the prefix is what the location names") {
  const struct {
    const char *location, *prefix;
  } kCases[] = {
      {"location /api/ { }", "/api"},          {"location = /api { }", "/api"},
      {"location ^~ /v1/api/ { }", "/v1/api"}, {"location / { }", ""},
      {"location ~ ^/x { }", "/api"},          {"location @api { }", "/api"},
  };
  for (const auto& c : kCases) {
    INFO(c.location);
    const auto document = std::move(*conf::parse_text(c.location));
    const conf::Scope scope(nullptr, conf::Context::Location, &document->directives[0]);
    CHECK(prefix_of_location(scope) == c.prefix);
  }
}

}  // namespace
}  // namespace gatescope::api
