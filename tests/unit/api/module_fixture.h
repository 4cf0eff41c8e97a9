#pragma once

// The whole of the API as the Server runs it, on a real loop: configurations are loaded and
// applied, requests go to the handler.

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "api/api_module.h"
#include "tests/unit/api/pg_fixture.h"
#include "tests/unit/conf/map_reader.h"

namespace gatescope::api {

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
    static_cast<void>(module.prepare(main));
  }
  const conf::Scope& scope() const { return *main.children().back(); }
};

/// A request on its way, and its answer.
struct Asked {
  http::Request request;
  RecordingWriter writer;
  std::unique_ptr<http::Responder> responder;  // null: answered at once

  Asked(net::Loop& loop, const http::Handler& handler, std::string p)
      : writer(&loop), path(std::move(p)) {
    request.head.method = "GET";
    request.path = path;
    responder = handler.start(request, writer);
  }
  const std::string path;
};

struct ModuleFixture : RealLoop {
  OpenFolder folder;
  Stats stats;
  SystemClock clock;
  OwnLogOpener logs;
  LogFiles log_files{logs};
  std::unique_ptr<ApiModule> module = make_module();

  ModuleFixture() { write_entry(40, "2,3,5", "The prime numbers."); }
  ~ModuleFixture() {
    if (started_) stop();
  }
  std::unique_ptr<ApiModule> make_module() {
    return std::make_unique<ApiModule>(*loop, stats, log_files, clock);
  }
  /// The fixture's log as the module takes it.
  std::shared_ptr<Log> shared_log() { return {std::shared_ptr<Log>(), &log}; }
  void write_entry(unsigned number, const std::string& terms, const std::string& name) {
    const std::string id = SequenceId(number).text();
    std::filesystem::create_directories(folder / "data/seq/A000");
    std::ofstream(folder / ("data/seq/A000/" + id + ".seq"))
        << "%I " << id << "\n%S " << id << " " << terms << "\n%N " << id << " " << name << "\n%O "
        << id << " 1,1\n";
  }
  std::string configuration(const std::string& more) const {
    return "state_dir " + (folder / "state") + "; numberscope { oeis off; " + more + " }";
  }
  std::string with_data() const { return configuration("oeisdata " + (folder / "data") + ";"); }

  /// What the Server does at its start; the handler of `location /api/`.
  std::unique_ptr<http::Handler> start() { return start(with_data()); }
  std::unique_ptr<http::Handler> start(const std::string& text) {
    first_ = std::make_unique<Loaded>(*module, text);
    auto handler = std::move(module->make(first_->scope()).value());
    REQUIRE(module->apply(first_->main, shared_log()));
    started_ = true;
    return handler;
  }
  /// "200 body"
  std::string get(const http::Handler& handler, std::string_view path) {
    const Asked asked(*loop, handler, std::string(path));
    if (!until([&] { return asked.writer.ended; })) FAIL("no answer; " + log.text());
    return std::to_string(asked.writer.status_code) + " " + asked.writer.body;
  }
  /// ... asked again while it is 503: the very first question waits for the cluster to be made, for
  /// five seconds at most.
  std::string get_at_last(const http::Handler& handler, std::string_view path) {
    std::string answer;
    CHECK(until([&] {
      answer = get(handler, path);
      return !answer.starts_with("503");
    }));
    return answer;
  }
  std::int64_t counter(std::string_view name) { return stats.counter(name, "", "").value(); }
  void stop() {
    started_ = false;
    bool stopped = false;
    module->stop([&] { stopped = true; });
    CHECK(!stopped);
    CHECK(until([&] { return stopped; }));
  }

 private:
  std::unique_ptr<Loaded> first_;
  bool started_ = false;
};

}  // namespace gatescope::api
